"""Objectives kept up with a store say what one made anew of the same store says."""

import random
from fractions import Fraction
from typing import Any

import pytest

from freshness.budget_coverage import Gap
from freshness.counts import count_events
from freshness.forecast import Outlook
from freshness.model import Result, Verdict
from freshness.objective import Calendar, Measure, Objective, Rolling, Timeslices
from freshness.rollup import Reads, Rollup, RollupKey
from freshness.series import Place
from store.base import Batch, Store
from store.copy_times import CopyTimeKey
from store.objective_spec import Spec
from store.objectives import Objectives, Standing
from store.sqlite import SqliteStore
from tests.store.rows import CLOCK, node, read

S = 10**9
MINUTE, HOUR, DAY = 60, 3_600, 86_400
NOW = 20_000 * DAY + 9 * HOUR + MINUTE
"""The minute before is complete, and ends an hour: a window of whole days ends there, too."""
MS = 1_000_000


def spec(**changes: Any) -> Spec:
    """99 % of the reads of product on regional over a day."""
    made: dict[str, Any] = {
        "name": "product-fresh",
        "objective": Objective(Measure.READS, Fraction("0.99"), Rolling(DAY)),
        "placement": {"product": frozenset({"regional"})},
        "owners": {"product": "team-catalogue"},
    }
    return Spec(**{**made, **changes})


def cell(fresh: int = 0, stale: int = 0, indeterminate: int = 0, unknown: int = 0) -> Rollup:
    """Reads of a minute; what is stale is by 5 s."""
    made = Rollup()
    made.add(Reads(Verdict.FRESH, 0, 100 * MS, n=fresh))
    made.add(Reads(Verdict.STALE, 5 * S, 6 * S, n=stale))
    made.add(Reads(Verdict.INDETERMINATE, 0, None, n=indeterminate))
    made.add(Reads(Verdict.UNKNOWN, n=unknown))
    return made


def key(start_s: int, name: str = "r1", **changes: Any) -> RollupKey:
    made = RollupKey(start_s, "product", "regional", name, "walk", 2 * S, "d1")
    return made._replace(**changes)


def fill(store: Store, since_s: int, until_s: int, made: Rollup, name: str = "r1") -> None:
    """The same minute over and over, folded."""
    minutes = {key(start, name): made for start in range(since_s, until_s, MINUTE)}
    store.write(Batch(rollups=minutes))
    store.fold(until_s * S)


def listed(store: Store, *names: str, **changes: Any) -> None:
    rows = [node(name, **{"since_at_ns": 1, **changes}) for name in names]
    store.write(Batch(nodes=rows))


def anew(store: Store, wanted: Spec, now_s: int) -> Standing:
    made = Objectives(store)
    made.begin([wanted], now_s * S)
    made.turn(now_s * S)
    return told(made, now_s)


def told(objectives: Objectives, now_s: int, name: str = "product-fresh") -> Standing:
    found = objectives.status(name, now_s * S)
    assert found is not None
    assert found.status is not None
    return found


def test_the_figures_of_a_day(store: Store) -> None:
    listed(store, "r1")
    fill(store, NOW - 26 * HOUR, NOW, cell(fresh=10))
    late = {key(NOW - 2 * HOUR): cell(stale=500, indeterminate=100)}
    store.write(Batch(rollups=late))
    found = anew(store, spec(), NOW)
    assert found.status is not None
    assert found.at.watermark_s == NOW - MINUTE
    n = 24 * 60 * 10 + 600
    assert found.status.spent == Fraction(500, n) / Fraction(1, 100)
    assert found.status.remaining == 1 - found.status.spent
    sli = found.status.sli
    assert sli is not None
    assert (sli.good, sli.at_least) == (1 - Fraction(500, n), 1 - Fraction(600, n))
    assert found.status.coverage.share == 1
    assert found.status.is_whole
    assert found.status.forecast.outlook is Outlook.EXHAUSTED


def test_an_objective_at_another_maximum_counts_from_the_histograms(store: Store) -> None:
    listed(store, "r1")
    fill(store, NOW - HOUR, NOW, cell(fresh=5, stale=5))
    lax = anew(store, spec(max_staleness_ns=60 * S), NOW).status
    assert lax is not None
    assert lax.spent == 0


@pytest.mark.parametrize("measure", [Measure.READS, Measure.STALE_TIME])
def test_a_cold_node_keeps_no_promise_from_being_measured(store: Store, measure: Measure) -> None:
    listed(store, "r1", "cold")
    fill(store, NOW - HOUR, NOW, cell(fresh=9, stale=1))
    misses = Rollup()
    misses.add(Reads(Verdict.UNKNOWN, result=Result.MISS, n=10))
    fill(store, NOW - HOUR, NOW, misses, "cold")
    copies = {
        CopyTimeKey(start, "product", "regional", "r1"): count_events(good=9, bad=1)
        for start in range(NOW - HOUR, NOW, MINUTE)
    }
    store.write(Batch(copy_times=copies))
    wanted = spec(objective=Objective(measure, Fraction("0.8"), Rolling(DAY)))
    found = anew(store, wanted, NOW).status
    assert found is not None
    assert found.gap is None
    assert found.coverage.share == 1
    assert found.spent == Fraction(1, 2)


@pytest.mark.parametrize(
    "wanted",
    [
        pytest.param(
            spec(objective=Objective(Measure.READS, Fraction("0.9"), Rolling(4 * DAY))),
            id="occurrences over four days",
        ),
        pytest.param(
            spec(objective=Objective(Measure.READS, Fraction("0.9"), Rolling(28 * DAY))),
            id="occurrences over 28 days",
        ),
        pytest.param(
            spec(
                objective=Objective(
                    Measure.READS, Fraction("0.9"), Rolling(7 * DAY), Timeslices(Fraction("0.9")),
                    slice_s=HOUR,
                )
            ),
            id="slices of an hour",
        ),
        pytest.param(
            spec(
                objective=Objective(
                    Measure.READS, Fraction("0.9"), Rolling(DAY), Timeslices(Fraction("0.9")),
                    slice_s=5 * MINUTE,
                )
            ),
            id="slices of five minutes over a day",
        ),
        pytest.param(
            spec(
                objective=Objective(
                    Measure.READS, Fraction("0.9"), Calendar.WEEK, Timeslices(Fraction("0.9")),
                    slice_s=HOUR,
                ),
                time_zone="Europe/Berlin",
            ),
            id="a week of Berlin",
        ),
        pytest.param(spec(max_staleness_ns=3 * S), id="at another maximum staleness"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("seed", [1, 2])
def test_kept_up_is_as_made_anew(wanted: Spec, seed: int) -> None:
    dice = random.Random(seed)
    store = SqliteStore(":memory:")
    listed(store, "r1", "r2")
    now = NOW - 2 * DAY
    for name in ("r1", "r2"):
        fill(store, now - 4 * HOUR, now, cell(fresh=20, stale=1), name)
    kept = Objectives(store)
    kept.begin([wanted], now * S)
    kept.turn(now * S)
    for _ in range(10):
        step = dice.choice([MINUTE, 7 * MINUTE, HOUR, 5 * HOUR])
        late = {
            key((now - dice.randrange(4 * DAY)) // MINUTE * MINUTE, dice.choice(["r1", "r2"])): (
                cell(dice.randrange(9), dice.randrange(5), dice.randrange(3), dice.randrange(2))
            )
            for _ in range(20)
        }
        store.write(Batch(rollups=late))
        fill(store, now, now + step, cell(fresh=dice.randrange(3), stale=dice.randrange(2)))
        now += step
        kept.turn(now * S)
    for _ in range(200):  # all pieces of the past come by
        kept.turn(now * S)
    fresh = anew(store, wanted, now)
    assert told(kept, now).status == fresh.status
    assert told(kept, now).at == fresh.at


def test_a_dead_collector_is_no_data_and_never_a_share(store: Store) -> None:
    listed(store, "r1")
    fill(store, NOW - 26 * HOUR, NOW - HOUR, cell(fresh=10))
    found = anew(store, spec(), NOW).status
    assert found is not None
    assert (found.gap, found.sli, found.remaining) == (Gap.STALE_WATERMARK, None, None)


def test_a_kept_status_grows_stale_without_a_turn(store: Store) -> None:
    listed(store, "r1")
    fill(store, NOW - 26 * HOUR, NOW, cell(fresh=10))
    made = Objectives(store)
    made.begin([spec()], NOW * S)
    made.turn(NOW * S)
    for later, gap in ((0, None), (300, Gap.STALE_WATERMARK)):
        found = told(made, NOW + later).status
        assert found is not None
        assert found.gap is gap


def test_nodes_that_do_not_answer_lower_coverage(store: Store) -> None:
    listed(store, "r1", "r2")
    fill(store, NOW - 26 * HOUR, NOW, cell(fresh=10))
    fill(store, NOW - 26 * HOUR, NOW, cell(unknown=10), "r2")
    found = anew(store, spec(), NOW).status
    assert found is not None
    assert found.coverage.share == Fraction(1, 2)
    assert found.coverage.short == (Place("product", "regional", "r2"),)
    assert found.gap is Gap.LOW_COVERAGE


def test_a_node_that_never_answered_is_expected_since_it_was_listed(store: Store) -> None:
    listed(store, "r1")
    listed(store, "r2", since_at_ns=(NOW - DAY // 2) * S, state="unknown")
    fill(store, NOW - 26 * HOUR, NOW, cell(fresh=10))
    found = anew(store, spec(), NOW).status
    assert found is not None
    assert found.coverage.share is not None
    assert found.coverage.expected - found.coverage.observed == DAY // 2 // MINUTE - 1


def test_a_node_that_discovery_dropped_is_expected_until_then(store: Store) -> None:
    listed(store, "r1")
    listed(store, "r2", since_at_ns=(NOW - DAY // 2) * S, state="gone")
    fill(store, NOW - 26 * HOUR, NOW, cell(fresh=10))
    fill(store, NOW - 26 * HOUR, NOW - DAY // 2, cell(fresh=10), "r2")
    found = anew(store, spec(), NOW).status
    assert found is not None
    assert found.coverage.share == 1


def test_a_new_objective_speaks_for_what_there_is(store: Store) -> None:
    listed(store, "r1")
    fill(store, NOW - 2 * HOUR, NOW, cell(fresh=10))
    found = anew(store, spec(), NOW).status
    assert found is not None
    assert (found.is_whole, found.gap, found.spent) == (False, None, Fraction(0))


@pytest.mark.parametrize(
    ("changes", "share"),
    [
        pytest.param({}, Fraction(1, 2), id="all nodes"),
        pytest.param({"region": "us"}, Fraction(0), id="a region alone"),
        pytest.param({"placement": {"order": frozenset({"regional"})}}, None, id="other keys"),
    ],
)  # fmt: skip
def test_of_what_an_objective_is(
    store: Store, changes: dict[str, Any], share: Fraction | None
) -> None:
    listed(store, "r1")
    listed(store, "r2", region="us")
    fill(store, NOW - HOUR, NOW, cell(stale=10), "r1")
    fill(store, NOW - HOUR, NOW, cell(fresh=10), "r2")
    found = anew(store, spec(**changes), NOW).status
    assert found is not None
    assert (None if found.sli is None else 1 - found.sli.good) == share


def test_before_the_first_turn_nothing_is_said(store: Store) -> None:
    made = Objectives(store)
    made.begin([spec()], NOW * S)
    found = made.status("product-fresh", NOW * S)
    assert found is not None
    assert found.status is None
    assert made.status("other", NOW * S) is None
    assert made.attribution("product-fresh", NOW * S) is None
    assert made.history("product-fresh", NOW * S) == []


def test_who_spent_it(store: Store) -> None:
    listed(store, "r1", "r2")
    for name in ("r1", "r2"):
        fill(store, NOW - HOUR, NOW, cell(fresh=10), name)
    store.write(Batch(rollups={key(NOW - 600): cell(stale=3), key(NOW - 600, "r2"): cell(stale=1)}))
    offset = CLOCK.wall_offset_ns
    reads = [
        read(n, key=of, node=at, start_ns=(NOW - 600) * S - offset + n, stratum="walk")
        for n, (of, at) in enumerate([("42", "r1"), ("42", "r2"), ("7", "r1")])
    ]
    store.write(Batch(reads=reads))
    made = Objectives(store)
    made.begin([spec()], NOW * S)
    made.turn(NOW * S)
    blame = made.attribution("product-fresh", NOW * S)
    assert blame is not None
    assert [(place.node, int(part.bad)) for place, part in blame.by_node.worst] == [
        ("r1", 3),
        ("r2", 1),
    ]
    assert [(name.key, int(part.bad)) for name, part in blame.by_key.worst] == [("42", 2), ("7", 1)]
    assert blame.by_key.unattributed.share == Fraction(1, 4)
    assert blame.by_publisher is None
    status = told(made, NOW).status
    assert status is not None
    assert sum(part.spent for _, part in blame.by_node.worst) == status.spent


def test_days_of_a_window_add_up_to_what_it_spent(store: Store) -> None:
    listed(store, "r1")
    fill(store, NOW - 26 * HOUR, NOW - 5 * HOUR, cell(fresh=10, stale=1))
    fill(store, NOW - 3 * HOUR, NOW, cell(fresh=10))
    made = Objectives(store)
    made.begin([spec()], NOW * S)
    made.turn(NOW * S)
    buckets = made.history("product-fresh", NOW * S, 24)
    status = told(made, NOW).status
    assert status is not None
    assert sum(each.spent or 0 for each in buckets) == status.spent or status.spent is None
    assert {each.gap for each in buckets} >= {None, Gap.LOW_COVERAGE}
    assert [each.bad for each in buckets if each.gap] == [None] * sum(1 for e in buckets if e.gap)


def tallied(objectives: Objectives, now_s: int) -> tuple[float, float, float]:
    objectives.turn(now_s * S)
    return told(objectives, now_s).tally.told


def test_events_are_tallied_from_the_first_look_on(store: Store) -> None:
    listed(store, "r1")
    fill(store, NOW - 2 * HOUR, NOW, cell(fresh=10))
    objectives = Objectives(store)
    objectives.begin([spec()], NOW * S)
    assert tallied(objectives, NOW) == (0, 0, 0)
    fill(store, NOW, NOW + 3 * MINUTE, cell(fresh=7, stale=2, indeterminate=1))
    # The minute before `NOW` had not settled at the first look.
    assert tallied(objectives, NOW + 4 * MINUTE) == (10 + 21, 6, 40)
    late = {key(NOW + 2 * MINUTE): cell(fresh=5)}
    store.write(Batch(rollups=late))
    assert tallied(objectives, NOW + 4 * MINUTE) == (36, 6, 45)


def test_an_hour_that_becomes_old_is_tallied_once(store: Store) -> None:
    listed(store, "r1")
    fill(store, NOW - HOUR, NOW, cell(fresh=10))
    wanted = spec(
        objective=Objective(Measure.READS, Fraction("0.9"), Rolling(4 * DAY)), minutes_s=HOUR
    )
    objectives = Objectives(store)
    objectives.begin([wanted], NOW * S)
    objectives.turn(NOW * S)
    until_s = NOW + 3 * HOUR
    for start_s in range(NOW, until_s, 5 * MINUTE):
        fill(store, start_s, start_s + 5 * MINUTE, cell(fresh=4, stale=1))
        objectives.turn((start_s + 5 * MINUTE) * S)
    n = 3 * HOUR // MINUTE
    assert tallied(objectives, until_s + MINUTE) == (10 + 4 * n, n, 10 + 5 * n)


@pytest.mark.parametrize(
    ("minutes_s", "length_s", "width_s"),
    [
        pytest.param(2 * DAY, 3 * HOUR, 3 * MINUTE, id="minutes"),
        pytest.param(2 * DAY, None, 24 * MINUTE, id="all of its window by minutes"),
        pytest.param(6 * HOUR, 3 * HOUR, 3 * MINUTE, id="what is still kept by the minute"),
        pytest.param(6 * HOUR, 12 * HOUR, HOUR, id="part of it is kept by the hour alone"),
    ],
)
def test_the_newest_past_is_as_narrow_as_it_is_known(
    store: Store, minutes_s: int, length_s: int | None, width_s: int
) -> None:
    listed(store, "r1")
    fill(store, NOW - 26 * HOUR, NOW, cell(fresh=10))
    store.write(Batch(rollups={key(NOW - 20 * MINUTE): cell(stale=10)}))
    store.fold(NOW * S)
    made = Objectives(store)
    made.begin([spec(minutes_s=minutes_s)], NOW * S)
    made.turn(NOW * S)
    found = made.recent("product-fresh", NOW * S, length_s)
    assert len(found) <= 60
    assert {each.window.length_s for each in found[:-1]} == {width_s}
    assert found[-1].window.until_s == NOW - MINUTE
    burnt = [each for each in found if each.rate]
    assert [each.window.since_s <= NOW - 20 * MINUTE < each.window.until_s for each in burnt] == [
        True
    ]
    assert sum(each.counts.bad for each in found) == 10
    assert made.recent("nothing", NOW * S) == []
