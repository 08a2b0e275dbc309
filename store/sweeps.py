"""Sweeps: full audits of a layer's entries, asked for, under way and over."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, Protocol

SweepState = Literal["asked", "running", "paused", "done", "failed"]
OPEN: Final = ("asked", "running", "paused")


@dataclass(frozen=True, slots=True)
class NodeSwept:
    """What a sweep came to at one node: entries that its own walk or another node's brought up.

    `cursor` is where its walk goes on, and everything before it is counted; `is_over` once it has
    seen every key. `right` entries were within the maximum staleness, `wrong` ones proven beyond
    it; `unknown` gave no answer, or no value that can be read; `gone` were not there when read.
    `misplaced` keys of its walk are expected at other nodes, so that no client reads them here:
    what they hold was not judged.
    """

    node: str
    cursor: str = ""
    is_over: bool = False
    walked: int = 0
    right: int = 0
    wrong: int = 0
    indeterminate: int = 0
    unknown: int = 0
    gone: int = 0
    misplaced: int = 0
    why: str = ""
    """What ended its walk early; empty where nothing did."""

    @property
    def entries(self) -> int:
        """Entries that were there, and answered."""
        return self.right + self.wrong + self.indeterminate


@dataclass(frozen=True, slots=True)
class SweepRow:
    """One sweep of one keyspace on a layer, or on one `node` of it (empty for all).

    `expected` is how many keys the keyspace lists, None where nobody knows. Instants are Unix
    nanoseconds.
    """

    id: str
    keyspace: str
    layer: str
    node: str
    state: SweepState
    asked_at_ns: int
    updated_at_ns: int
    why: str = ""
    started_at_ns: int | None = None
    ended_at_ns: int | None = None
    expected: int | None = None
    nodes: Sequence[NodeSwept] = ()


def total_of(nodes: Iterable[NodeSwept]) -> NodeSwept:
    """The sum over nodes."""
    total = NodeSwept("")
    for each in nodes:
        sums = {name: getattr(total, name) + getattr(each, name) for name in _COUNTS}
        total = replace(total, **sums)
    return total


_COUNTS: Final = ("walked", "right", "wrong", "indeterminate", "unknown", "gone", "misplaced")


class Sweeps(Protocol):
    """What was swept. A row is what its sweeper last said, in the batches that it writes."""

    def ask_sweep(self, row: SweepRow) -> None:
        """Ask for a sweep, for whoever watches the layer to take up."""
        ...

    def pause_sweep(self, id: str, is_paused: bool) -> None:
        """Say whether a sweep is to rest; whoever runs it sees to that."""
        ...

    def is_sweep_paused(self, id: str) -> bool:
        """Whether it is to rest."""
        ...

    def sweep(self, id: str) -> SweepRow | None:
        """One, or None."""
        ...

    def sweeps(self, open_only: bool = False, limit: int = 100) -> Sequence[SweepRow]:
        """Newest first; open are those that are asked for, running or paused."""
        ...
