"""The job that diagnoses findings on all that is stored: a timeline with `now` passed in."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from freshness.causes import Clues
from freshness.model import Value
from stalewatch.config import load
from stalewatch.diagnosing import A_TURN, SETTLED_NS, Diagnosing
from store.base import Batch, FindingRow
from store.clues import Gatherer
from store.sqlite import SqliteStore
from tests.stalewatch.config.configs import GOOD, written
from tests.store.rows import CLOCK, S, finding, invalidation, node, origin_run, read, receipt, run
from tests.store.test_clocks import AHEAD, Skewed, age_copies

FOUND = finding(
    "f1",
    held=Value(4),
    latest=Value(5),
    opened_at_ns=103 * S,
    cause="lost-invalidation",
    because="the copy was filled before the newer version was written, and was kept",
    ruled_out=("refill-race",),
)


@pytest.fixture
def store() -> Iterator[SqliteStore]:
    with closing(SqliteStore(":memory:")) as store:
        stamps = ("first_start_ns", "first_end_ns", "last_start_ns", "last_end_ns")

        def over(first: int, last: int) -> dict[str, Any]:
            return dict(zip(stamps, (first * S, first * S, last * S, last * S), strict=True))

        runs = [
            origin_run(1, value=Value(4), **over(50, 100)),
            origin_run(2, value=Value(5), **over(101, 200)),
            run(3, value=Value(4), **over(50, 130)),
        ]
        proof = read(1, value=Value(4), finding="f1", start_ns=110 * S, end_ns=110 * S, age_s=70.0)
        batch = Batch([CLOCK], runs, [proof], findings=[FOUND])
        store.write(replace(batch, nodes=[node("r1", since_at_ns=S)]))
        store.write_messages(
            [invalidation(5, written_at_ns=100 * S, received_at_ns=101 * S, host="h")], []
        )
        yield store


@pytest.fixture
def job(store: SqliteStore, tmp_path: Path) -> Diagnosing:
    return begun(store, tmp_path)


def begun(store: SqliteStore, tmp_path: Path) -> Diagnosing:
    job = Diagnosing(store)
    ages = GOOD.replace("mechanism: versioned", "mechanism: versioned\n    single_tier: true")
    job.begin(load(written(tmp_path, ages)), {})
    return job


def said(store: SqliteStore, id: str = "f1") -> tuple[str, list[str]]:
    row = store.finding(id)
    assert row is not None
    return row.cause, sorted(row.ruled_out)


def test_a_lost_invalidation_turns_out_to_be_late_and_is_settled(
    store: SqliteStore, job: Diagnosing
) -> None:
    job.look(115 * S)
    assert said(store)[0] == "lost-invalidation"
    assert "zombie-rejoin" in said(store)[1]
    assert job.look(118 * S) == []  # nothing new: nothing is written
    late = receipt(5, at_ns=125 * S, received_at_ns=126 * S, host="h")
    store.write_messages([], [late])
    job.look(127 * S)
    assert said(store)[0] == "late-invalidation"
    assert "lost-invalidation" in said(store)[1]
    over = replace(FOUND, state="healed", healed_at_ns=130 * S)
    store.write(Batch(findings=[over]))
    assert said(store)[0] == "late-invalidation"
    job.look(130 * S + SETTLED_NS)
    told = store.diagnosis("f1")
    assert told is not None
    assert told.is_settled
    assert job.look(200 * S) == []


def test_what_a_collector_knows_better_stands(store: SqliteStore, job: Diagnosing) -> None:
    cut_off = replace(FOUND, cause="partitioned-node", because="all 4 other keys were stale, too")
    store.write(Batch(findings=[cut_off]))
    job.look(115 * S)
    row = store.finding("f1")
    assert row is not None
    assert (row.cause, row.because) == ("partitioned-node", "all 4 other keys were stale, too")


def test_a_clock_that_is_off_is_named(tmp_path: Path) -> None:
    with closing(SqliteStore(":memory:")) as store:
        store.write(Batch([CLOCK]))
        node_of_wrong_clock = Skewed(store)
        node_of_wrong_clock.acknowledges(AHEAD)
        age_copies(node_of_wrong_clock, AHEAD)
        begun(store, tmp_path).look(140 * S)
        assert said(store)[0] == "clock-skew"


def test_a_turn_is_bounded_and_the_next_goes_on(store: SqliteStore, job: Diagnosing) -> None:
    many: list[FindingRow] = [replace(FOUND, id=f"m{n:03}", key=f"k{n}") for n in range(A_TURN + 5)]
    store.write(Batch(findings=many))
    # f1 and these: each says more once than its collector did, and then there is nothing new.
    counts = [len(job.look((115 + turn) * S)) for turn in range(3)]
    assert counts == [A_TURN, 6, 0]


def test_looks_are_close_at_first_and_far_apart_later(
    store: SqliteStore, job: Diagnosing, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[int] = []
    gather = Gatherer.gather

    def noted(self: Gatherer, row: FindingRow) -> Clues:
        looked.append(self._now_ns // S)
        return gather(self, row)

    monkeypatch.setattr(Gatherer, "gather", noted)
    for now_s in range(103, 203, 3):
        job.look(now_s * S)
    assert looked[:4] == [103, 106, 109, 112]
    assert [after - before for before, after in pairwise(looked)][-2:] == [21, 21]
    store.write(Batch(findings=[replace(FOUND, state="healed", healed_at_ns=203 * S)]))
    looked.clear()
    for now_s in range(203, 215, 3):
        job.look(now_s * S)
    assert looked == [203, 206, 209, 212]


def test_a_store_that_is_closed_is_no_crash(store: SqliteStore, job: Diagnosing) -> None:
    store.close()
    assert job.look(115 * S) == []
