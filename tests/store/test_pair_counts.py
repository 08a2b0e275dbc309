"""Pairs are counted once they are settled, again while receipts may come, and outlive messages."""

from fractions import Fraction

import pytest

from freshness.counts import Counts, count_events
from freshness.objective import Measure, Objective, Rolling
from freshness.rollup import Rollup, RollupKey
from freshness.series import Place
from store.base import Batch, Store
from store.messages import ReceiptRow
from store.objective_spec import Spec
from store.objectives import Objectives
from store.pair_counting import PairCounting
from store.pair_counts import PairsOf
from tests.store.rows import invalidation, node, receipt

S = 10**9
MINUTE, HOUR, DAY = 60, 3_600, 86_400
SENT = 20_000 * DAY + 10 * MINUTE
OF = PairsOf("claimed", "product", 2 * S)
PLACE = Place("product", "regional", "r1")
SPEC = Spec(
    "told",
    Objective(Measure.CLAIMED, Fraction("0.9"), Rolling(DAY)),
    {"product": frozenset({"regional"})},
    max_staleness_ns=2 * S,
    settles_s=2,
)


def send(store: Store, n: int, at_s: int, applied_after_s: int | None) -> None:
    """One message, and the receipt of r1 some seconds after; None for none."""
    at_ns = at_s * S
    row = invalidation(n, written_at_ns=at_ns, received_at_ns=at_ns)
    heard = [] if applied_after_s is None else [acknowledge(n, at_s + applied_after_s)]
    store.write_messages([row], heard)


def acknowledge(n: int, at_s: int) -> ReceiptRow:
    return receipt(n, at_ns=at_s * S, received_at_ns=at_s * S, host="app-1")


def counted(store: Store, grain_s: int = 60) -> dict[tuple[str, str, int], Counts]:
    return dict(store.pair_counts(OF, grain_s, 0, 2**40))


def begun(store: Store, now_s: int) -> PairCounting:
    counting = PairCounting(store)
    counting.begin([SPEC], now_s * S)
    while (counting.counted_until(SPEC) or 0) < now_s - 2 * MINUTE - 2:
        counting.turn(now_s * S)
    return counting


@pytest.fixture
def listed(store: Store) -> Store:
    probed = RollupKey(SENT, "product", "regional", "r1", "walk", 2 * S, "d")
    store.write(Batch(nodes=[node("r1")], rollups={probed: Rollup(hits=1)}))
    return store


def test_pairs_of_a_minute_by_their_receipts(listed: Store) -> None:
    send(listed, 1, SENT, 1)
    send(listed, 2, SENT + 1, 30)
    begun(listed, SENT + 5 * MINUTE)
    cells = counted(listed)
    assert cells == {("regional", "r1", SENT): count_events(good=1, bad=1)}
    hour = SENT - SENT % HOUR
    assert counted(listed, HOUR) == {("regional", "r1", hour): count_events(good=1, bad=1)}


def test_a_message_counts_once_it_is_settled(listed: Store) -> None:
    counting = begun(listed, SENT)
    send(listed, 1, SENT, 1)
    counting.turn((SENT + 70) * S)
    assert counted(listed) == {}
    counting.turn((SENT + 125) * S)
    assert counted(listed)[("regional", "r1", SENT)].good == 1


def test_a_receipt_that_comes_late_counts_when_the_minute_is_counted_again(listed: Store) -> None:
    send(listed, 1, SENT, None)
    counting = begun(listed, SENT + 3 * MINUTE)
    before = counted(listed)[("regional", "r1", SENT)]
    assert (before.good, before.judged + before.unknown) == (0, 1)
    listed.write_messages([], [acknowledge(1, SENT + 1)])
    for _ in range(16):
        counting.turn((SENT + 4 * MINUTE) * S)
    assert counted(listed) == {("regional", "r1", SENT): count_events(good=1)}


def test_counting_goes_on_where_it_stopped(listed: Store) -> None:
    send(listed, 1, SENT, 1)
    begun(listed, SENT + 5 * MINUTE)
    assert listed.pairs_counted_until(OF) == SENT
    again = PairCounting(listed)
    again.begin([SPEC], (SENT + 5 * MINUTE) * S)
    assert again.counted_until(SPEC) == SENT


def test_an_objective_of_pairs(listed: Store) -> None:
    send(listed, 1, SENT, 1)
    send(listed, 2, SENT + 1, 30)
    now = SENT + 30 * MINUTE
    made = Objectives(listed)
    made.begin([SPEC], now * S)
    for _ in range(30):
        made.turn(now * S)
    found = made.status("told", now * S)
    assert found is not None
    assert found.status is not None
    assert found.status.sli is not None
    assert found.status.sli.good == Fraction(1, 2)
    assert found.at.watermark_s == now - 2 * MINUTE
    blame = made.attribution("told", now * S)
    assert blame is not None
    assert blame.by_publisher is not None
    assert [(name, int(part.bad)) for name, part in blame.by_publisher.worst] == [("shop", 1)]


def test_replacing_minutes_keeps_their_hour_true(store: Store) -> None:
    hour = SENT - SENT % HOUR
    for minute, bad in ((0, 3), (1, 2), (0, 1)):
        start = hour + minute * MINUTE
        store.put_pair_counts(OF, start, start + MINUTE, {PLACE: {start: count_events(bad=bad)}})
    assert counted(store, HOUR) == {("regional", "r1", hour): count_events(bad=3)}
    store.put_pair_counts(OF, hour, hour + HOUR, {})
    assert counted(store) == counted(store, HOUR) == {}


def test_old_minutes_and_hours_are_dropped(store: Store) -> None:
    store.put_pair_counts(OF, SENT, SENT + MINUTE, {PLACE: {SENT: count_events(good=1)}})
    store.retain((SENT + 4 * DAY) * S)
    assert (counted(store), len(counted(store, HOUR))) == ({}, 1)
    store.retain((SENT + 40 * DAY) * S)
    assert counted(store, HOUR) == {}
