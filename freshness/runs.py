"""Run-length observations: equal readings of a key in a row are one run.

A run says "from its first read to its last, each time we looked, this is what was there"; so what
is kept grows with changes, not with probes. It breaks where that could be untrue: after a gap, a
restart of the node, on a new clock, or where the entry must have been refilled in between.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from freshness.model import Reading, Result, Value


class Run:
    """Consecutive equal readings of one key; stamps are those of the first and of the last read.

    `id` and `stored_count` are the journal's: the row that keeps the run, and the count it shows.
    """

    __slots__ = (
        "count",
        "ended_by",
        "first_end",
        "first_start",
        "id",
        "last_end",
        "last_start",
        "linearizable",
        "reading",
        "stored_count",
    )

    def __init__(self, reading: Reading, start: int, end: int) -> None:
        self.reading = reading
        self.first_start = self.last_start = start
        self.first_end = self.last_end = end
        self.count = 1
        self.ended_by = ""
        self.linearizable = False
        self.id = 0
        self.stored_count = 0

    @property
    def value(self) -> Value | None:
        """The value that was read, None where there was none."""
        return self.reading.value

    def extend(self, start: int, end: int) -> None:
        """Count one more equal reading."""
        self.last_start = start
        self.last_end = end
        self.count += 1


class Change(NamedTuple):
    """At position `at` of a batch a run began, and the one before it, if any, ended."""

    at: int
    key: str
    ended: Run | None
    begun: Run


class RunBook:
    """The open runs of one node, or of one origin, for one keyspace.

    `max_gap` is the longest silence between two reads that a run may bridge (two intervals).
    """

    __slots__ = ("_runs", "max_gap")

    def __init__(self, max_gap: int) -> None:
        self.max_gap = max_gap
        self._runs: dict[str, Run] = {}

    def __len__(self) -> int:
        return len(self._runs)

    def get(self, key: str) -> Run | None:
        """The open run of a key."""
        return self._runs.get(key)

    def items(self) -> Iterator[tuple[str, Run]]:
        """Every key with its open run."""
        yield from list(self._runs.items())

    def observe(
        self,
        keys: Sequence[str],
        readings: Sequence[Reading],
        start: int,
        end: int,
        linearizable: bool = False,
    ) -> list[Change]:
        """Take a batch that was read between `start` and `end`; what changed in it, in order.

        `linearizable` is whether it was the word of an origin's leader; a run is of one kind.
        """
        runs, earliest = self._runs, start - self.max_gap
        changes: list[Change] = []
        for at, (key, reading) in enumerate(zip(keys, readings, strict=True)):
            run = runs.get(key)
            if (
                run is not None
                and (run.reading is reading or _is_same(run.reading, reading))
                and run.last_end >= earliest
                and run.linearizable is linearizable
            ):
                run.last_start = start
                run.last_end = end
                run.count += 1
                continue
            if run is not None:
                run.ended_by = _why_ended(run, reading, earliest)
            runs[key] = begun = Run(reading, start, end)
            begun.linearizable = linearizable
            changes.append(Change(at, key, run, begun))
        return changes

    def close(self, why: str) -> list[tuple[str, Run]]:
        """End every open run (a restart, a new clock, a node that is gone)."""
        ended = list(self._runs.items())
        for _, run in ended:
            run.ended_by = why
        self._runs.clear()
        return ended

    def forget(self, key: str, why: str) -> Run | None:
        """End the open run of one key."""
        run = self._runs.pop(key, None)
        if run is not None:
            run.ended_by = why
        return run


def _why_ended(run: Run, reading: Reading, earliest: int) -> str:
    if not _is_same(run.reading, reading):
        return "change"
    return "gap" if run.last_end < earliest else "leader"


def _is_same(one: Reading, other: Reading) -> bool:
    # Why a read brought nothing may differ from time to time; that it brought nothing is the run.
    return one.result is other.result and (one.value == other.value or one.result is Result.UNKNOWN)
