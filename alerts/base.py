"""The contract of a delivery channel, and what it is given to tell.

A channel is one file: its options as a pydantic model, and a class that delivers one notification
at a time. It answers with an `Outcome`, whatever happens; when to try again is the outbox's affair.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol, Self

from settings import Section
from store.alert_book import NotificationRow


class ChannelError(Exception):
    """Nobody answers as a channel's server should; the message says who and why."""


@dataclass(frozen=True, slots=True)
class Message:
    """What is to be told: the payload of a notification.

    Instants are wall time, Unix nanoseconds. `link` is relative to the address of the UI and names
    the exact view, its time range absolute. Whatever came from outside (keys, names of nodes,
    evidence) is as it came: a channel must take it for hostile.
    """

    rule: str
    summary: str
    """What broke, in one line."""
    reason: str
    """The named reason of the transition."""
    at_ns: int
    """When the transition was."""
    since_ns: int
    """Since when the rule is broken."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """Layer, node, keyspace, key ...: what it is about."""
    figures: Mapping[str, str] = field(default_factory=dict)
    """Name to value with its unit: how stale, which lag, which limit."""
    evidence: Sequence[str] = ()
    cause: str = ""
    link: str = ""
    finding: str = ""
    """Id of the finding whose evidence reproduces the verdict, where it rests on one."""

    def to_payload(self) -> str:
        """As JSON; labels and figures keep their order."""
        return json.dumps(asdict(self))

    @classmethod
    def from_payload(cls, payload: str) -> Self:
        """Read JSON again. Raises ValueError or TypeError where it is none of ours."""
        return cls(**json.loads(payload))


@dataclass(frozen=True, slots=True)
class Refusal:
    """One recipient who did not take it; `is_final` where asking again is of no use."""

    recipient: str
    why: str
    is_final: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one delivery: every recipient who is not refused has accepted."""

    refused: Sequence[Refusal] = ()

    @classmethod
    def failed(cls, recipients: Iterable[str], why: str, *, is_final: bool = False) -> Self:
        """Nobody took it, all for the same reason."""
        return cls([Refusal(each, why, is_final) for each in recipients])


class Channel(Protocol):
    """One configured way to reach somebody."""

    @property
    def recipients(self) -> Sequence[str]:
        """Whom a new notification is owed to; never empty."""
        ...

    @property
    def address(self) -> str:
        """Where its server is, for people."""
        ...

    async def deliver(self, notification: NotificationRow) -> Outcome:
        """Tell `notification.recipients`. Never raises for what a server does."""
        ...

    async def greet(self) -> str:
        """Say hello and tell nobody; what the server says it is. Raises ChannelError."""
        ...


@dataclass(frozen=True, slots=True)
class ChannelKind:
    """What the table of kinds holds: the options, and how a channel is made of them.

    `open` takes an instance of `options` and the address of the UI, which ends with a slash.
    """

    options: type[Section]
    open: Callable[[Any, str], Channel]
