"""What the settings of several kinds have in common."""

import re
from collections.abc import Iterable, Iterator
from typing import Annotated, Final, Self
from urllib.parse import quote

from pydantic import AfterValidator, Field, model_validator

from collectors.versions import JsonPath, Unit
from settings import Auth, Duration, SecretError, Section, Size, Tls, TlsError

PLACEHOLDER: Final = "{key}"
ServerProblem = (SecretError, TlsError)
"""What our own side of a connection may lack: a secret, a certificate."""


class ConnectionOptions(Section):
    """How a server is reached; each field is bounded, so that a server can only cost so much."""

    auth: Auth | None = None
    """Whom to connect as."""
    tls: Tls | None = None
    """How the connection is secured; plain where it is left out."""
    connect_timeout: Duration = Duration.parse("1s")
    """How long connecting may take, name resolution, TLS and authentication included."""
    read_timeout: Duration = Duration.parse("1s")
    """How long one exchange may take."""


class BatchOptions(Section):
    """How much one batch asks for."""

    keys: Annotated[int, Field(ge=1, le=1000)] = 50
    """Most keys of a batch."""
    bytes: Size = Size.parse("64KiB")
    """Most bytes of values that a batch should bring; large values make smaller batches."""


def _has_placeholder(template: str) -> str:
    if template.count(PLACEHOLDER) != 1:
        raise ValueError("expected text with {key} in it, once")
    return template


KeyTemplate = Annotated[str, AfterValidator(_has_placeholder)]
"""How a key is addressed somewhere: `product:{key}`."""


def key_in(template: str, name: str) -> str | None:
    """The key whose place in a template makes this name: the reverse of putting it there.

    None where the name is not of the template; an empty key is none either.
    """
    before, after = template.split(PLACEHOLDER)
    is_long_enough = len(name) > len(before) + len(after)
    if not is_long_enough or not name.startswith(before) or not name.endswith(after):
        return None
    return name[len(before) : len(name) - len(after)]


def keys_in(template: str, names: Iterable[bytes]) -> Iterator[str]:
    """The keys of a template among names of keys; a name that is not UTF-8 is none of them."""
    for name in names:
        try:
            key = key_in(template, name.decode())
        except UnicodeDecodeError:
            continue
        if key is not None:
            yield key


def place_in_url(template: str, key: str) -> str:
    """A URL path with the key in place of `{key}`, percent-encoded."""
    return template.replace(PLACEHOLDER, quote(key, safe="", errors="surrogateescape"))


class ExactlyOne(Section):
    """A mapping of which exactly one of some fields is given, named in `_ways`."""

    @classmethod
    def ways(cls) -> tuple[str, ...]:
        """The fields of which one is given."""
        return tuple(name for name in cls.model_fields if name != "unit")

    @model_validator(mode="after")
    def _is_one_way(self) -> Self:
        given = [name for name in self.ways() if getattr(self, name) not in (None, False)]
        if len(given) != 1:
            raise ValueError(f"expected one of {', '.join(self.ways())}")
        return self


class JsonVersion(ExactlyOne):
    """Where a version stands in a JSON document."""

    json_path: Annotated[JsonPath | None, Field(alias="json")] = None
    """Path of the version in the JSON document: `$.version`."""
    unit: Unit | None = None
    """What a number counts, where the version is a timestamp."""


class Comparable(Section):
    """A binding from which a version, a projection or both can be read."""

    @model_validator(mode="after")
    def _is_comparable(self) -> Self:
        if getattr(self, "version", None) is None and not getattr(self, "projection", ()):
            raise ValueError("expected a version, a projection, or both")
        return self


def shown(text: str, longest: int = 200) -> str:
    """What a server said, fit to be printed: control characters gone, and bounded."""
    return re.sub(r"[^\x20-\x7e\xa0-\uffff]", "?", text[:longest])
