"""A store with a day of roll-ups, and objectives that are kept, broken and not measured."""

from fractions import Fraction

from freshness.model import Verdict
from freshness.objective import Calendar, Measure, Objective, Rolling
from freshness.rollup import Reads, Rollup, RollupKey
from store.base import Batch, NodeRow, Store
from store.objective_spec import Spec
from store.objectives import Objectives

S = 10**9
MINUTE, HOUR, DAY = 60, 3_600, 86_400
EDGE = {"product": frozenset({"edge"})}
SPECS = (
    Spec(
        "product-fresh",
        Objective(Measure.READS, Fraction("0.99"), Rolling(DAY)),
        EDGE,
        owners={"product": "team-catalogue"},
        description="Shoppers see a price at most 2 s old",
    ),
    Spec(
        "product-strict",
        Objective(Measure.READS, Fraction("0.9999"), Rolling(28 * DAY)),
        EDGE,
        owners={"product": "team-catalogue"},
    ),
    Spec(
        "order-fresh",
        Objective(Measure.READS, Fraction("0.999"), Calendar.DAY),
        {"order": frozenset({"edge"})},
        time_zone="Europe/Berlin",
    ),
)


def seed_objectives(store: Store, now_ns: int) -> Objectives:
    """Measured at `now_ns`: product stands well but for an incident, order stopped an hour ago."""
    now_s = now_ns // S // MINUTE * MINUTE
    nodes = [_node(name, (now_s - 2 * DAY) * S) for name in ("e1", "e2")]
    cells = {
        RollupKey(start, keyspace, "edge", node, "walk", 2 * S, "d"): _cell(stale)
        for keyspace, until_s in (("product", now_s), ("order", now_s - HOUR))
        for node in ("e1", "e2")
        for start in range(now_s - 26 * HOUR, until_s, MINUTE)
        for stale in [8 * (node == "e1" and 0 < now_s - start - 5 * HOUR < 20 * MINUTE)]
    }
    store.write(Batch(nodes=nodes, rollups=cells))
    store.fold(now_ns)
    objectives = Objectives(store)
    objectives.begin(SPECS, now_ns)
    objectives.turn(now_ns)
    return objectives


def _cell(stale: int) -> Rollup:
    made = Rollup()
    made.add(Reads(Verdict.FRESH, 0, S, n=20 - stale))
    made.add(Reads(Verdict.STALE, 5 * S, 6 * S, n=stale))
    return made


def _node(name: str, since_at_ns: int) -> NodeRow:
    return NodeRow(
        "edge", name, "eu", "http", "127.0.0.1:80", "purge", 2 * S, "up", "", "", since_at_ns, None
    )
