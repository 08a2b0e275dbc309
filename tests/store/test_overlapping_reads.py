"""Reads of one node may overlap; what is concluded from them is true of the node all the same.

A node's cache of one key is simulated: versions and absences in turn, and a restart that may bring
the old copy back. Reads that take long, and begin while others are under way, see it at any instant
between their ends; a journal joins them to runs in the order in which they were over.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from freshness.fill import from_absence
from freshness.model import MISS, Read, Reading, Result, Value
from freshness.propagation import Sight
from freshness.runs import Run, RunBook
from store.base import NodeRow
from store.lives import find_life
from tests.store.rows import node

NOBODY = Reading(Result.UNKNOWN)
END = 300
UP: NodeRow = node("r1", since_at_ns=0)


@dataclass(frozen=True)
class Look:
    """One read, and the instant at which it saw the node."""

    read: Read
    at: int
    reading: Reading


@dataclass(frozen=True)
class Life:
    """What a node held from which instant on, and what reads made of it."""

    changes: Sequence[tuple[int, Reading]]
    looks: Sequence[Look]

    def held_at(self, instant: int) -> tuple[int, Reading]:
        """What was there, and since when."""
        at = bisect_right(self.changes, instant, key=lambda change: change[0]) - 1
        return self.changes[at]

    def sights(self) -> list[Sight]:
        """As a store tells them: runs by the order of their ends, then by their beginning."""
        book, runs = RunBook(10 * END), dict[int, Run]()
        for look in sorted(self.looks, key=lambda look: look.read.end):
            for change in book.observe(["k"], [look.reading], *look.read):
                runs[id(change.begun)] = change.begun
        return sorted(map(_sight, runs.values()), key=lambda sight: sight.first_start)

    def stale_looks(self, version: int) -> list[Look]:
        return [look for look in self.looks if look.reading.value == Value(version)]


def _sight(run: Run) -> Sight:
    version = None if run.value is None else run.value.version
    stamps = run.first_start, run.first_end, run.last_start, run.last_end
    return Sight(run.reading.result, version, *stamps, ended_by=run.ended_by)


@st.composite
def lives(draw: st.DrawFn) -> Life:
    kinds: Any = st.sampled_from([MISS, NOBODY, *(Reading(Result.VALUE, Value(v)) for v in (3, 4))])
    times = sorted(draw(st.sets(st.integers(1, END), max_size=6)))
    changes = [(at, draw(kinds)) for at in (0, *times)]
    life, looks = Life(changes, []), []
    for _ in range(draw(st.integers(2, 14))):
        start, took = draw(st.integers(0, END)), draw(st.integers(1, 90))
        at = draw(st.integers(start, start + took))
        looks.append(Look(Read(start, start + took), at, life.held_at(at)[1]))
    return Life(changes, looks)


@given(lives(), st.data())
def test_a_fill_lies_within_its_bounds(life: Life, data: st.DataObject) -> None:
    stale = life.stale_looks(3)
    assume(stale)
    look = data.draw(st.sampled_from(stale))
    fill = from_absence(life.sights(), 3, *look.read)
    if fill is not None:
        assert fill.lower <= life.held_at(look.at)[0] <= look.at <= fill.upper
        unanswered = [each.at for each in life.looks if each.reading is NOBODY]
        assert not any(fill.lower < at <= look.at for at in unanswered)


@given(lives(), st.data())
def test_what_it_showed_before_it_held_before(life: Life, data: st.DataObject) -> None:
    stale = life.stale_looks(3)
    assume(stale)
    look = data.draw(st.sampled_from(stale))
    begun = [sight for sight in life.sights() if sight.first_start <= look.read.end]
    found = find_life(begun, UP, 3, look.read.start)
    assert found is not None
    held = [at for at, reading in life.changes if reading.value == Value(4) and at <= look.at]
    if found.showed is not None:
        assert held
    if found.absence is not None and found.absence.showed == 4:
        assert held
        away = [each.read for each in life.looks if each.reading is NOBODY]
        assert any(held[0] <= each.end and each.start < look.read.start for each in away)
        assert found.absence.left <= found.absence.back


def test_what_was_over_only_after_the_node_was_away_was_not_before() -> None:
    away = Sight(Result.UNKNOWN, None, 100, 110, 100, 110)
    slow = Sight(Result.VALUE, 4, 90, 130, 90, 130)
    stale = Sight(Result.VALUE, 3, 140, 150, 140, 150)
    before = Sight(Result.VALUE, 3, 10, 20, 80, 85)
    found = find_life([before, slow, away, stale], UP, 3, 140)
    assert found is not None
    assert found.absence is not None
    assert (found.absence.left, found.absence.back, found.absence.showed) == (80, 150, 3)
