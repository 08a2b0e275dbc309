"""How things are called in the config file."""

import re
from typing import Annotated, Final

from pydantic import BeforeValidator, StringConstraints

NAME: Final = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
"""What a name is made of."""
Name = Annotated[str, StringConstraints(pattern=NAME.pattern)]
"""How an origin, a layer or a keyspace is called: it stands in addresses of pages."""
Key = Annotated[str, BeforeValidator(lambda key: str(key) if type(key) is int else key)]
"""A key of a keyspace; a number in the file is the text of it."""
