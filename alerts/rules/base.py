"""What every kind of rule is: reads facts, judges them, and says in words when it fires."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, Literal, Protocol

from alerts.chart import Chart
from alerts.inhibition import Inhibits
from alerts.look import Look
from alerts.state import Timing
from store.base import ORIGIN, NodeRow, Store

Mode = Literal["observe", "notify"]
NS_PER_S: Final = 1_000_000_000
AT_ONCE: Final = Timing()
MOST_LINES: Final = 10
"""Lines of evidence of one look; the rest is counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Common:
    """What rules have in common. In mode `observe` an alert is shown, and nobody is told."""

    name: str
    timing: Timing = AT_ONCE
    channels: Sequence[str] = ()
    mode: Mode = "observe"
    kind: ClassVar[str] = ""
    inhibits: ClassVar[Sequence[Inhibits]] = ()
    """Which other alerts a firing one of this kind explains."""

    def chart(self, store: Store, labels: Mapping[str, str], now_ns: int) -> Chart | None:  # noqa: ARG002
        """Nothing to draw, unless a kind says otherwise."""
        return None


class Rule(Protocol):
    """One rule. `judge` is pure; `read` is where it meets the store."""

    @property
    def name(self) -> str:
        """As it is called in the config file."""
        ...

    @property
    def timing(self) -> Timing:
        """How long its condition must hold, and be clear."""
        ...

    @property
    def channels(self) -> Sequence[str]:
        """Whom it tells."""
        ...

    @property
    def mode(self) -> Mode:
        """Whether it tells anybody."""
        ...

    @property
    def kind(self) -> str:
        """As its kind is called in the config file."""
        ...

    @property
    def inhibits(self) -> Sequence[Inhibits]:
        """Which other alerts a firing one of this kind explains."""
        ...

    def look(self, store: Store, now_ns: int) -> Sequence[Look]:
        """Read what it needs and judge it: one look at each thing that it watches."""
        ...

    def chart(self, store: Store, labels: Mapping[str, str], now_ns: int) -> Chart | None:
        """What it watched of one thing up to now; None where nothing is known, or nothing to draw.

        It is asked where somebody is told, and never reads more than a mail shows.
        """
        ...

    def in_words(self) -> str:
        """When it fires, in a sentence."""
        ...


def listed_nodes(
    nodes: Iterable[NodeRow], layer: str | None = None, node: str | None = None
) -> list[NodeRow]:
    """Cache nodes that discovery lists, of one layer or of all: what is gone pages nobody."""
    return [
        row
        for row in nodes
        if row.layer != ORIGIN
        and row.state != "gone"
        and layer in (None, row.layer)
        and node in (None, row.node)
    ]


def place_in_words(layer: str | None, node: str | None, of: str = "a node") -> str:
    """What a rule is about: `node r1 of layer edge`, `a node of layer edge`, `a node`."""
    where = f" of layer {layer}" if layer else ""
    return f"node {node}{where}" if node else f"{of}{where}"


def share_in_words(share: float) -> str:
    """A share for people: `95%`, `99.95%`."""
    return f"{share * 100:.4g}%"


def first_lines(lines: Sequence[str]) -> list[str]:
    """The first lines, and how many more there are."""
    more = len(lines) - MOST_LINES
    return [*lines[:MOST_LINES], *([f"and {more} more"] if more > 0 else [])]


def in_seconds(ns: float) -> str:
    """A length of time for people: `300 ms`, `2.5 s`, `3 min 20 s`."""
    if ns < NS_PER_S:
        return f"{ns / 1e6:.3g} ms"
    if ns < 60 * NS_PER_S:
        return f"{ns / NS_PER_S:.3g} s"
    minutes, seconds = divmod(round(ns / NS_PER_S), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [(hours, "h"), (minutes, "min"), (seconds, "s")]
    return " ".join(f"{count} {unit}" for count, unit in parts if count)
