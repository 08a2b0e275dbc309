"""How things are called in the config file."""

from typing import Annotated

from pydantic import BeforeValidator, StringConstraints

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
"""How an origin, a layer or a keyspace is called: it stands in addresses of pages."""
Key = Annotated[str, BeforeValidator(lambda key: str(key) if type(key) is int else key)]
"""A key of a keyspace; a number in the file is the text of it."""
