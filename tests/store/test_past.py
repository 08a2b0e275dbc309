"""A store as it stood: what came later is left out, and what is not kept is refused."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from freshness.model import Result, Verdict
from freshness.rollup import Reads, Rollup, RollupKey
from store.base import ORIGIN, Batch, NodeRow, Store
from store.counters import CounterRow
from store.gaps import GapRow
from store.past import UNTOLD, History, PastError
from store.sqlite import SqliteStore
from tests.store.rows import S, finding, invalidation, node, receipt

MIN = 60 * S
T0 = 1_800_000_000 * S // MIN * MIN


@pytest.fixture
def store() -> Iterator[Store]:
    opened = SqliteStore(":memory:")
    yield opened
    opened.close()


def at(store: Store, now_ns: int) -> Store:
    return History.read(store, T0, T0 + 60 * MIN).at(now_ns)


def minute(n: int, *, answered: bool, name: str = "r1") -> tuple[RollupKey, Rollup]:
    cell = Rollup()
    result = Result.VALUE if answered else Result.UNKNOWN
    cell.add(Reads(Verdict.FRESH if answered else Verdict.UNKNOWN, result=result, n=9))
    key = RollupKey(T0 // S + 60 * n, "product", "regional", name, "walk", 2 * S, "d")
    return key, cell


def test_findings_are_as_they_were(store: Store) -> None:
    rows = [
        finding("f1", opened_at_ns=T0 + MIN, confirmed_at_ns=T0 + 2 * MIN),
        finding(
            "f2", opened_at_ns=T0, confirmed_at_ns=T0, healed_at_ns=T0 + 3 * MIN, state="healed"
        ),
        finding("f3", opened_at_ns=T0, confirmed_at_ns=None, healed_at_ns=T0 - 1, state="gone"),
    ]
    store.write(Batch(findings=rows))

    def open_(now_ns: int) -> dict[str, str]:
        page = at(store, now_ns).findings(open_only=True)
        assert all(row.healed_at_ns is None for row in page.items)
        return {row.id: row.state for row in page.items}

    assert open_(T0) == {"f2": "confirmed"}
    assert open_(T0 + MIN) == {"f1": "opened", "f2": "confirmed"}
    assert open_(T0 + 2 * MIN) == {"f1": "confirmed", "f2": "confirmed"}
    assert open_(T0 + 3 * MIN) == {"f1": "confirmed"}
    assert at(store, T0).findings(open_only=True, keyspace="page").items == []


def test_messages_and_words_count_from_when_they_came(store: Store) -> None:
    sent = [invalidation(n, received_at_ns=T0 + n * MIN) for n in (1, 2)]
    words = [receipt(1, name, received_at_ns=T0 + n * MIN) for n, name in [(2, "r1"), (4, "r2")]]
    store.write_messages(sent, words)
    past = at(store, T0 + 3 * MIN)
    page = past.invalidations(T0, T0 + 60 * MIN)
    assert [each.invalidation.id for each in page.items] == ["i2", "i1"]
    assert [row.node for row in page.items[1].receipts] == ["r1"]
    assert past.receipt_counts(T0) == [("regional", "r1", 1)]
    assert at(store, T0 + 4 * MIN).receipt_counts(T0 + 3 * MIN) == [("regional", "r2", 1)]


def test_minutes_count_once_they_have_ended(store: Store) -> None:
    store.write(Batch(rollups=dict(minute(n, answered=True) for n in range(3))))
    rows = [
        CounterRow(T0 // S + 60 * n, "regional", "r1", "node", 60 * S, hits=1) for n in range(3)
    ]
    store.write_counters(rows)
    for now_ns, ended in ((T0, 0), (T0 + MIN - 1, 0), (T0 + MIN, 1), (T0 + 2 * MIN + S, 2)):
        past = at(store, now_ns)
        assert len(past.rollups("minute", T0, now_ns + 1)) == ended
        assert len(past.counters("minute", T0, now_ns + 1)) == ended


def test_a_gap_has_no_end_before_it_ended(store: Store) -> None:
    store.write_gaps([GapRow("bus", T0 + MIN, T0 + 3 * MIN, "refused")])
    assert at(store, T0).gaps(T0, T0 + 60 * MIN) == []
    (open_,) = at(store, T0 + 2 * MIN).gaps(T0, T0 + 60 * MIN)
    assert open_.until_ns is None
    (closed,) = at(store, T0 + 3 * MIN).gaps(T0, T0 + 60 * MIN)
    assert closed.until_ns == T0 + 3 * MIN


def stood(store: Store, now_ns: int) -> NodeRow:
    return at(store, now_ns).nodes()[-1]


def test_a_node_that_has_stood_so_since_then(store: Store) -> None:
    row = node("r1", state="unknown", why="refused", since_at_ns=T0)
    store.write(Batch(nodes=[row]))
    assert stood(store, T0) == row
    assert (stood(store, T0 - 1).why, stood(store, T0 - 1).state) == (UNTOLD, "unknown")


def test_before_that_its_reads_tell(store: Store) -> None:
    """Answered in minutes 0 to 4, then not, and up again since minute 10."""
    row = node("r1", since_at_ns=T0 + 10 * MIN)
    cells = [minute(n, answered=n < 5) for n in range(10)]
    store.write(Batch(nodes=[row], rollups=dict(cells)))
    up, away = stood(store, T0 + 5 * MIN), stood(store, T0 + 8 * MIN)
    assert (up.state, up.since_at_ns) == ("up", T0 + MIN)
    assert (away.state, away.why, away.since_at_ns) == (
        "unknown", "no read was answered", T0 + 5 * MIN
    )  # fmt: skip
    assert stood(store, T0).why == UNTOLD


def test_reads_of_long_before_tell_nothing(store: Store) -> None:
    store.write(
        Batch(
            nodes=[node("r1", since_at_ns=T0 + 50 * MIN)],
            rollups=dict([minute(0, answered=True)]),
        )
    )
    assert stood(store, T0 + 2 * MIN).state == "up"
    assert stood(store, T0 + 3 * MIN).why == UNTOLD


def test_an_origin_is_told_by_no_read(store: Store) -> None:
    store.write(Batch(nodes=[node("db", ORIGIN, since_at_ns=T0 + MIN)]))
    assert stood(store, T0).why == UNTOLD


def test_what_is_not_kept_as_it_was_is_refused(store: Store) -> None:
    past = at(store, T0)
    with pytest.raises(PastError, match="spans: not kept as they were"):
        past.spans("product", "42", T0, T0 + MIN)
    with pytest.raises(PastError, match="findings that are over"):
        past.findings()


def test_what_is_no_longer_kept_is_refused(store: Store) -> None:
    kept = replace(History.read(store, T0, T0 + MIN), kept={"minute": T0, "messages": T0})
    past = kept.at(T0 + MIN)
    assert past.rollups("minute", T0, T0 + MIN) == []
    for ask in (
        lambda: past.rollups("minute", T0 - 1, T0 + MIN),
        lambda: past.counters("minute", T0 - 1, T0 + MIN),
        lambda: past.invalidations(T0 - 1, T0 + MIN),
        lambda: past.receipt_counts(T0 - 1),
    ):
        with pytest.raises(PastError, match="that old are no longer kept"):
            ask()
