"""Views of the seeded hour, and of what has no data."""

import pytest

from dashboard.address import Address
from dashboard.queries.evidence import evidence_of
from dashboard.queries.heat import Sight
from dashboard.queries.history import history, picker
from dashboard.queries.names import keyspaces, layers
from dashboard.queries.overview import OverviewView, overview
from freshness.model import Verdict
from freshness.rollup import Reads, Rollup, RollupKey
from store.base import Batch, NodeRow
from store.sqlite import SqliteStore
from tests.dashboard.seed import DEAD, HOUR, KEYSPACE, NODES, SECOND, STALE_KEY, new_finding, seed

NOW = 1_800_000_000_000_000_000
MINUTE = 60 * SECOND


@pytest.fixture(scope="module")
def store() -> SqliteStore:
    made = SqliteStore(":memory:")
    seed(made, NOW)
    return made


@pytest.fixture(scope="module")
def view(store: SqliteStore) -> OverviewView:
    return overview(store, Address(), NOW)


def test_a_dead_node_is_unknown_and_never_fresh(view: OverviewView) -> None:
    lane = next(at for at, lane in enumerate(view.heat.lanes) if lane.node == DEAD)
    newest = max(view.heat.squares, key=lambda square: (square.lane == lane, square.start_ns))
    assert newest.sight is Sight.UNKNOWN
    assert view.heat.lanes[lane].state == "unknown"
    assert [each.why for each in view.coverage.silent] == ["connection refused"]


def test_a_minute_without_reads_has_no_square(view: OverviewView) -> None:
    lane = next(at for at, lane in enumerate(view.heat.lanes) if lane.node == "shop-eu-1")
    squares = [square for square in view.heat.squares if square.lane == lane]
    other = [square for square in view.heat.squares if square.lane == 0]
    assert len(other) - len(squares) == 3


def test_freshness_counts_clusters_once_for_all_strata(view: OverviewView) -> None:
    (fresh,) = view.fresh
    assert fresh.keyspace == KEYSPACE
    assert fresh.clusters <= 60 * len(NODES)
    assert fresh.indicator is not None
    assert fresh.indicator.at_least < fresh.indicator.at_most < 1.0
    assert fresh.indicator.sampling.low < fresh.indicator.good < fresh.indicator.sampling.high
    assert fresh.unknown_share is not None
    assert fresh.unknown_share > 0.0


def test_findings_are_parted_into_open_and_healed(view: OverviewView) -> None:
    assert {row.node for row in view.findings.open} == {"edge-eu-2", "shop-us-1"}
    assert {row.state for row in view.findings.healed} == {"healed"}


def test_filters_leave_one_layer(store: SqliteStore) -> None:
    edge = overview(store, Address(layer="edge"), NOW)
    assert {lane.layer for lane in edge.heat.lanes} == {"edge"}
    assert {row.layer for row in edge.findings.open} == {"edge"}
    assert edge.coverage.nodes_listed == 3


def test_a_node_whose_keys_are_all_stale_hides_no_other() -> None:
    store = SqliteStore(":memory:")
    seed(store, NOW)
    for n in range(60):
        store.write(new_finding(NOW, f"sku-{n}", f"f-{n}"))
    found = overview(store, Address(), NOW).findings
    assert {row.node for row in found.open} == {"edge-eu-2", "shop-us-1", "redis-us"}
    assert (len(found.open), found.folded, found.more_open) == (2 + 5, {"redis-us": 55}, False)
    assert len(overview(store, Address(layer="edge"), NOW).findings.open) == 1
    of_node = overview(store, Address(node="redis-us"), NOW).findings
    assert (len(of_node.open), of_node.folded) == (50, {"redis-us": 10})


def test_a_day_is_read_from_hours_and_the_newest_minutes(store: SqliteStore) -> None:
    day, hour = (overview(store, Address().at(NOW - hours * HOUR, NOW), NOW) for hours in (24, 1))
    assert day.coverage.reads >= hour.coverage.reads
    assert day.heat.width_ns == HOUR


def test_a_new_server_is_shown_and_expected_from_its_first_data_on(store: SqliteStore) -> None:
    later = overview(store, Address(range="24h"), NOW)
    assert later.window.since_ns == later.coverage.counted_from_ns - MINUTE
    assert later.coverage.counted_from_ns == NOW - HOUR
    assert later.coverage.seen.minutes.expected == 60 * len(NODES)
    asked = overview(store, Address().at(NOW - 24 * HOUR, NOW), NOW)
    assert asked.window.since_ns == NOW - 24 * HOUR
    assert asked.coverage.seen.minutes.expected == 60 * len(NODES)


def test_a_server_of_one_minute_gets_ten_minutes_to_be_seen_in() -> None:
    new = SqliteStore(":memory:")
    row = NodeRow("edge", "e1", "", "http", "", "", SECOND, "up", "", "", NOW - MINUTE, NOW)
    new.write(Batch(nodes=[row]))
    seen = overview(new, Address(), NOW)
    assert seen.window.until_ns - seen.window.since_ns == 10 * MINUTE
    assert seen.coverage.seen.minutes.expected == 1
    found = history(new, Address(page="key", keyspace=KEYSPACE, key="k"), NOW)
    assert found.window == seen.window


def test_older_counts_keep_the_whole_window_though_every_node_is_new() -> None:
    old = SqliteStore(":memory:")
    row = NodeRow("edge", "e1", "", "http", "", "", SECOND, "up", "", "", NOW - MINUTE, NOW)
    cell = Rollup()
    cell.add(Reads(Verdict.FRESH, 0, SECOND, n=1))
    key = RollupKey((NOW - 3 * HOUR) // SECOND // 60 * 60, KEYSPACE, "edge", "e1", "recent", 1, "d")
    old.write(Batch(nodes=[row], rollups={key: cell}))
    old.fold(NOW)
    seen = overview(old, Address(), NOW)
    assert seen.coverage.counted_from_ns == seen.window.since_ns == NOW - HOUR


def test_a_window_lists_the_findings_that_overlap_it(store: SqliteStore) -> None:
    # sku-1031 was stale from 640 s to 575 s before now, the open ones opened later.
    inside = Address().at(NOW - 620 * SECOND, NOW - 600 * SECOND)
    found = overview(store, inside, NOW).findings
    assert [row.key for row in (*found.open, *found.healed)] == ["sku-1031"]
    before = Address().at(NOW - 800 * SECOND, NOW - 700 * SECOND)
    nothing = overview(store, before, NOW).findings
    assert [*nothing.open, *nothing.healed] == []
    later = Address().at(NOW - 60 * SECOND, NOW - 50 * SECOND)
    assert [row.key for row in overview(store, later, NOW).findings.open] == [STALE_KEY]


def test_an_empty_store_knows_nothing() -> None:
    empty = overview(SqliteStore(":memory:"), Address(), NOW)
    assert empty.fresh == []
    assert empty.heat.squares == []
    assert empty.coverage.unknown_share is None
    assert empty.coverage.reads == 0


def test_the_origin_is_the_first_lane_and_stale_stretches_lie_in_bands(store: SqliteStore) -> None:
    found = history(store, Address(page="key", keyspace=KEYSPACE, key=STALE_KEY), NOW)
    assert found.lanes[0].layer == ""
    assert {found.lanes[each.lane].node for each in found.stale} == {"redis-eu", "edge-eu-2"}
    for stretch in found.stale:
        bands = [band for band in found.bands if band.lane == stretch.lane]
        assert any(b.first_at_ns <= stretch.first_at_ns <= b.last_at_ns for b in bands)


def test_an_opened_read_is_listed_however_old(store: SqliteStore) -> None:
    address = Address(page="key", keyspace=KEYSPACE, key=STALE_KEY, read=1)
    found = history(store, address, NOW)
    assert found.reads[-1].row.id == 1


def test_evidence_lies_relative_to_its_read(store: SqliteStore) -> None:
    row = next(row for row, _ in store.reads(KEYSPACE, STALE_KEY) if row.verdict is Verdict.STALE)
    marks = evidence_of(row).marks
    assert [mark.kind for mark in marks] == ["origin", "origin", "superseded", "cache"]
    superseded = marks[2]
    assert superseded.to_s == pytest.approx(-row.bounds.lower / 1e9)
    assert marks[1].to_s == pytest.approx(superseded.to_s)
    assert marks[3].from_s == 0.0


def test_keys_with_open_findings_come_first(store: SqliteStore) -> None:
    found = picker(store, Address(page="key", search="sku-"), keyspaces(store, Address(), NOW))
    assert found.keys[0] == STALE_KEY
    assert len(found.keys) == len(set(found.keys))
    assert layers(store) == ["edge", "in-process", "regional"]
