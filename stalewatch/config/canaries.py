"""The section `canaries`: keys that Stalewatch writes, by a command or a request of the user's."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from collectors.canary import CanaryVersion
from settings import Auth, Duration, Section, Tls
from stalewatch.config.names import Key, Name

_OF_REQUESTS = ("method", "headers", "body", "auth", "tls")


class CanarySettings(Section):
    """Keys of a keyspace that are Stalewatch's own to write, and by what."""

    keyspace: Name
    """Which of the `keyspaces`."""
    keys: Annotated[tuple[Key, ...], Field(min_length=1, max_length=100)]
    """The keys; nobody else may write them."""
    interval: Duration = Duration.parse("1m")
    """From one write of each key to the next; a second at least."""
    timeout: Duration = Duration.parse("10s")
    """How long one write may take; a command that takes longer is killed."""
    command: Annotated[tuple[str, ...] | None, Field(min_length=1)] = None
    """The command and its arguments, for no shell; `{key}` in them is the key."""
    url: Annotated[str, StringConstraints(pattern=r"^https?://[^/@\s]+(/\S*)?$")] | None = None
    """Or where to send a request; `{key}` in it is the key."""
    method: Literal["POST", "PUT", "PATCH", "DELETE", "GET"] = "POST"
    """The method of the request."""
    headers: Mapping[str, str] = {}
    """Headers of the request; secrets belong into `auth`."""
    body: str = ""
    """The body of the request; `{key}` in it is the key."""
    auth: Auth | None = None
    """Whom to send the request as."""
    tls: Tls | None = None
    """How the connection is secured."""
    version: CanaryVersion | None = None
    """Where what the command prints, or the answer, tells the version that was written."""

    @model_validator(mode="after")
    def _is_one_way(self) -> Self:
        if (self.command is None) == (self.url is None):
            raise ValueError("expected one of command and url")
        extra = [name for name in _OF_REQUESTS if name in self.model_fields_set]
        if self.command is not None and extra:
            raise ValueError(f"expected url beside {extra[0]}, which a command has no use for")
        if self.interval.ns < 10**9 or self.timeout.ns < 10**7:
            raise ValueError("expected an interval of at least 1s, and a timeout of at least 10ms")
        if len(set(self.keys)) < len(self.keys) or not all(self.keys):
            raise ValueError("expected each key once, and none that is empty")
        return self

    @model_validator(mode="after")
    def _tells_keys_apart(self) -> Self:
        if self.url is not None and len(self.keys) > 1 and "{key}" not in self.url + self.body:
            raise ValueError("expected {key} in url or body, since there are several keys")
        return self
