"""The contract of a delivery channel, and what it is given to tell.

A channel is one file: its options as a pydantic model, and a class that delivers one notification
at a time. It answers with an `Outcome`, whatever happens; when to try again is the outbox's affair.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal, Protocol, Self

from alerts.chart import Chart
from settings import Section
from store.alert_book import NotificationRow


class ChannelError(Exception):
    """Nobody answers as a channel's server should; the message says who and why."""


@dataclass(frozen=True, slots=True)
class ToldAlert:
    """One alert as a channel is told of it.

    Whatever came from outside (keys, names of nodes, evidence) is as it came: a channel must take
    it for hostile. `link` is relative to the address of the UI and names the exact view, its time
    range absolute.
    """

    id: str
    """The same for the same rule and labels, for ever."""
    rule: str
    status: Literal["firing", "resolved"]
    is_news: bool
    """Whether the channel did not know it before: that it fires, or that it is resolved."""
    summary: str
    """What broke, in one line."""
    reason: str
    """The named reason of its state."""
    since_ns: int
    """Since when its rule is broken."""
    at_ns: int
    """When it fired or was resolved; of what goes on, when it was looked at last."""
    ends_at_ns: int | None = None
    """When it was resolved."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """Layer, node, keyspace, key ...: what it is about."""
    figures: Mapping[str, str] = field(default_factory=dict)
    """Name to value with its unit: how stale, which lag, which limit, how fast a budget burns."""
    evidence: Sequence[str] = ()
    cause: str = ""
    link: str = ""
    finding: str = ""
    """Id of the finding whose evidence reproduces the verdict, where it rests on one."""
    chart: Chart | None = None
    """What was watched just before; payloads of earlier versions have none."""

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Self:
        """From JSON again. Raises TypeError where it is none of ours."""
        return cls(**{**told, "chart": Chart.read(told.get("chart"))})


@dataclass(frozen=True, slots=True)
class Message:
    """What is to be told of a group of alerts: the payload of a notification."""

    occasion: str
    """Why it is told: one of `alerts.groups.Occasion`."""
    group: Mapping[str, str]
    """The labels that all of its alerts share, by which the channel groups."""
    alerts: Sequence[ToldAlert]
    """What fires, and what was resolved since the channel was told last; news first."""
    at_ns: int
    """When this was owed."""
    link: str
    """The page of alerts with a silence over these prepared; relative to the address of the UI."""

    def to_payload(self) -> str:
        """As JSON; labels and figures keep their order."""
        return json.dumps(asdict(self))

    @classmethod
    def from_payload(cls, payload: str) -> Self:
        """Read JSON again, that of earlier versions too: those told of one alert at a time.

        Raises ValueError, KeyError or TypeError where it is none of ours.
        """
        read = json.loads(payload)
        if "occasion" not in read:
            return cls._of_one(read)
        return cls(**{**read, "alerts": [ToldAlert.read(each) for each in read["alerts"]]})

    @classmethod
    def _of_one(cls, read: dict[str, Any]) -> Self:
        """Its group is all of its labels, so that the subject of its mails stays what it was."""
        is_over = read["reason"] in _OLD_ENDS
        alert = ToldAlert(
            id=f"{read['rule']}:{json.dumps(read['labels'], sort_keys=True)}",
            status="resolved" if is_over else "firing",
            is_news=True,
            ends_at_ns=read["at_ns"] if is_over else None,
            **read,
        )
        occasion = "all-resolved" if is_over else "first"
        return cls(occasion, {"rule": alert.rule, **alert.labels}, [alert], alert.at_ns, alert.link)


_OLD_ENDS: Final = frozenset({"clear for its time", "no longer watched", "resolved"})
"""The reasons of alerts that were told as resolved before they were told in groups."""


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
    retry_after_s: float = 0.0
    """How long the server asks to be left alone; 0 where it does not."""

    @classmethod
    def failed(
        cls,
        recipients: Iterable[str],
        why: str,
        *,
        is_final: bool = False,
        retry_after_s: float = 0.0,
    ) -> Self:
        """Nobody took it, all for the same reason."""
        return cls([Refusal(each, why, is_final) for each in recipients], retry_after_s)


class Channel(Protocol):
    """One configured way to reach somebody."""

    @property
    def recipients(self) -> Sequence[str]:
        """Whom a new notification is owed to; empty where a channel is told of states alone."""
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
    takes_notifications: bool = True
    """Whether it is told of events, by the outbox; else of states, as an Alertmanager is."""
