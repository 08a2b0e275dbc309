"""What each kind of rule draws of its past: the store's numbers, and None where it has none."""

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from alerts.chart import BARS, Chart
from alerts.rules import BurnRate, HitRate, Paced, PropagationLag, Rule, Staleness, Watchdog
from freshness.burn import fit
from freshness.model import Result, Verdict
from freshness.objective import Measure, Objective, Rolling
from freshness.rollup import Reads, Rollup, RollupKey
from store.base import Batch, Store
from store.counters import CounterRow
from store.objective_spec import Spec
from store.objectives import Objectives
from store.sqlite import SqliteStore
from tests.store.rows import S, invalidation, node, receipt

NOW = 1_800_000_000 * S + 20 * S
"""Twenty seconds into a minute."""
MIN = 60 * S
R1 = {"layer": "regional", "node": "r1"}
STALE = Staleness(name="stale", layer="regional")


@pytest.fixture
def store() -> Iterator[Store]:
    opened = SqliteStore(":memory:")
    opened.write(Batch(nodes=[node("r1"), node("r2")]))
    yield opened
    opened.close()


def drawn(rule: Rule, store: Store, labels: dict[str, str] = R1) -> Chart:
    chart = rule.chart(store, labels, NOW)
    assert chart is not None
    assert len(chart.values) <= BARS
    return chart


def put(store: Store, ago_min: int, *reads: Reads, name: str = "r1", of: str = "product") -> None:
    cell = Rollup()
    for each in reads:
        cell.add(each)
    start_s = NOW // MIN * 60 - 60 * ago_min
    key = RollupKey(start_s, of, "regional", name, "walk", 2 * S, "d1")
    store.write(Batch(rollups={key: cell}))


def fresh(n: int = 10) -> Reads:
    return Reads(Verdict.FRESH, 0, S, n=n)


def stale(lower_s: int, n: int = 1) -> Reads:
    return Reads(Verdict.STALE, lower_s * S, None, n=n)


UNKNOWN = Reads(Verdict.UNKNOWN, result=Result.UNKNOWN, n=10)
MISSES = Reads(Verdict.UNKNOWN, result=Result.MISS, n=10)


def test_staleness_by_minute(store: Store) -> None:
    put(store, 0, fresh(), stale(8), stale(5, 3))
    put(store, 1, fresh(), stale(3))
    put(store, 2, fresh())
    put(store, 4, UNKNOWN)
    put(store, 5, MISSES)
    put(store, 6, fresh(1), UNKNOWN)
    put(store, 7, stale(4), UNKNOWN)
    put(store, 1, stale(900), name="r2")
    put(store, 200, stale(900))
    chart = drawn(STALE, store)
    assert (chart.since_ns, chart.until_ns) == (NOW // MIN * MIN - 59 * MIN, NOW)
    assert (chart.limit, chart.unit, len(chart.values)) == (2.0, "seconds", 60)
    said = list(reversed(chart.values))
    # A bucket of the histogram is 9 % wide, and its lower end is what is proven.
    assert said[:3] == [pytest.approx(8, rel=0.09), pytest.approx(3, rel=0.09), 0.0]
    assert said[0] is not None
    assert said[0] <= 8
    assert said[3:7] == [None, None, 0.0, None], "not read, no answer, no copy, few answers"
    assert said[7] == pytest.approx(4, rel=0.09), "what is proven needs no coverage"
    assert said[8:] == [None] * 52


def test_staleness_of_one_keyspace_alone(store: Store) -> None:
    put(store, 1, stale(900), of="price")
    put(store, 1, fresh())
    assert drawn(replace(STALE, keyspace="product"), store).values[-2] == 0.0


@pytest.mark.parametrize(
    "rule",
    [
        pytest.param(STALE, id="staleness"),
        pytest.param(HitRate(name="low", layer="regional", below=0.8), id="hit rate"),
        pytest.param(PropagationLag(name="lag", placement={}, limit_ns=S), id="lag"),
        pytest.param(Watchdog(name="dog"), id="nothing to draw"),
        pytest.param(
            BurnRate(name="burn", objective="o", pairs=(), standing=lambda _: None), id="burn rate"
        ),
    ],
)
def test_an_empty_store_draws_nothing(rule: Rule, store: Store) -> None:
    assert rule.chart(store, R1, NOW) is None
    assert Paced(rule).chart(store, R1, NOW) is None


def counted(ago_min: int, hits: int, misses: int, name: str = "r1", **more: Any) -> CounterRow:
    start_s = NOW // MIN * 60 - 60 * ago_min
    return CounterRow(
        start_s, "regional", name, "node", 60 * S, 4, hits=hits, misses=misses, **more
    )


class TestHitRate:
    RULE = HitRate(name="low", layer="regional", below=0.8)

    def test_of_a_node_by_minute_without_our_own_reads(self, store: Store) -> None:
        own: dict[str, Any] = {"own_misses": (60, 60, 60)}
        rows = [counted(0, 0, 99), counted(1, 50, 50), counted(2, 90, 70, **own)]
        rows += [counted(3, 0, 0), replace(counted(4, 9, 1), covered_ns=20 * S)]
        rows += [replace(counted(5, 8, 2), misses=None), counted(7, 3, 1)]
        store.write_counters(rows)
        chart = drawn(self.RULE, store)
        assert (chart.until_ns, chart.limit, chart.is_floor) == (NOW // MIN * MIN, 0.8, True)
        assert list(reversed(chart.values))[:7] == [0.5, 0.9, None, None, None, None, 0.75]

    def test_of_a_layer_where_all_of_its_nodes_counted(self, store: Store) -> None:
        store.write_counters([counted(1, 10, 0), counted(1, 0, 30, "r2"), counted(2, 10, 0)])
        chart = drawn(replace(self.RULE, by="layer"), store, {"layer": "regional"})
        assert list(reversed(chart.values))[:2] == [0.25, None]

    def test_the_word_of_the_node_goes_before_that_of_a_prometheus(self, store: Store) -> None:
        other = replace(counted(1, 0, 10), source="prometheus:main")
        more = replace(counted(2, 3, 1), source="prometheus:main")
        store.write_counters([counted(1, 10, 0), other, more])
        assert list(reversed(drawn(self.RULE, store).values))[:2] == [1.0, 0.75]

    @pytest.mark.parametrize(
        ("window_s", "width_s"), [(600, 60), (3_600, 120), (10_800, 360), (86_400, 3_600)]
    )
    def test_both_windows_are_drawn(self, store: Store, window_s: int, width_s: int) -> None:
        store.write_counters([counted(n, 3, 1) for n in range(1, 400)])
        chart = drawn(replace(self.RULE, window_ns=window_s * S), store)
        span_s = (chart.until_ns - chart.since_ns) // S
        assert span_s == len(chart.values) * width_s
        assert span_s >= 2 * window_s
        assert chart.values[-1] == 0.75


class TestPropagationLag:
    RULE = PropagationLag(
        name="lag", placement={"product": frozenset({"regional"})}, limit_ns=5 * S, node="r1"
    )

    def tell(self, store: Store, n: int, ago_s: int, lag_s: float | None) -> None:
        at = NOW - ago_s * S
        later = at + round((lag_s or 0) * S)
        said = [receipt(n, at_ns=later, received_at_ns=later)] if lag_s is not None else []
        store.write_messages([invalidation(n, written_at_ns=at, received_at_ns=at)], said)

    def test_by_minute_of_the_invalidation(self, store: Store) -> None:
        self.tell(store, 1, 10, 1.0)
        self.tell(store, 2, 70, 2.0)
        self.tell(store, 3, 75, 9.0)
        self.tell(store, 4, 200, 1.5)
        self.tell(store, 5, 300, None)
        self.tell(store, 6, 4_000, 60.0)
        chart = drawn(self.RULE, store, {"node": "r1"})
        assert (chart.until_ns, chart.limit) == (NOW - 5 * S, 5.0)
        said = list(reversed(chart.values))
        assert said[:4] == [1.0, 9.0, None, 1.5]
        assert said[4:] == [None] * 56, "silence is not a lag of zero"

    def test_minutes_that_were_not_read_whole_are_not_known(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("alerts.rules.propagation_lag.MOST_DRAWN", 100)
        for n in range(150):
            self.tell(store, n, 10 + 2 * n, 1.0)
        known = [value is not None for value in drawn(self.RULE, store).values]
        assert sum(known) == 4, "the newest hundred are of 208 s: the fifth minute is cut"


class TestBurnRate:
    OBJECTIVE = Objective(Measure.READS, Fraction("0.99"), Rolling(28 * 86_400))

    def burn(self, store: Store) -> BurnRate:
        wanted = Spec("fresh", self.OBJECTIVE, {"product": frozenset({"regional"})})
        kept = Objectives(store)
        kept.begin([wanted], NOW)
        kept.turn(NOW)

        def recent(now_ns: int, length_s: int | None, buckets: int) -> Any:
            return kept.recent("fresh", now_ns, length_s, buckets)

        pairs = fit(self.OBJECTIVE).pairs
        return BurnRate(
            name="burn", objective="fresh", pairs=pairs, standing=lambda _: None, recent=recent
        )

    def fill(self, store: Store) -> None:
        """Nine hours clean, of which an hour was not read, and 10 % bad for the last 24 minutes."""
        for ago in range(1, 9 * 60):
            if not 120 <= ago < 180:
                put(store, ago, *([fresh(90), stale(9, 10)] if ago <= 24 else [fresh(100)]))
        store.fold(NOW)

    def test_a_page_shows_its_longest_window(self, store: Store) -> None:
        store.write(Batch(nodes=[node("r2", state="gone")]))
        self.fill(store)
        chart = drawn(self.burn(store), store, {"severity": "page", "condition": "burning"})
        assert chart.title == "Burn rate of fresh, each bar 6 min"
        assert (chart.unit, chart.limit) == ("times", 6.0)
        assert 6 * 3_600 * S - 360 * S < chart.until_ns - chart.since_ns <= 6 * 3_600 * S
        assert chart.until_ns <= NOW
        known = [each for each in chart.values if each is not None]
        assert len(chart.values) - len(known) == pytest.approx(10, abs=1)
        assert {round(each, 3) for each in known[-3:-1]} == {10.0}
        assert set(known[:-6]) == {0.0}

    def test_a_budget_shows_its_whole_window(self, store: Store) -> None:
        store.write(Batch(nodes=[node("r2", state="gone")]))
        self.fill(store)
        chart = drawn(self.burn(store), store, {"severity": "ticket", "condition": "spent"})
        assert chart.title == "Burn rate of fresh, each bar 12 h"
        assert chart.limit == 1.0
        assert chart.values[0] is None
        assert chart.values[-1] is not None or chart.values[-2] is not None
