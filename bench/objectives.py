"""What keeping objectives up with a store costs a turn, beside making them anew of the same store.

    python -m bench.objectives [--objectives 10] [--nodes 10] [--hours 12]

Each objective is of the same keyspace at a maximum staleness of its own, so that what they read is
shared and what they count is not. Between turns a new minute comes, and late evidence for an old.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from fractions import Fraction

from freshness.model import Verdict
from freshness.objective import Measure, Objective, Rolling
from freshness.rollup import Reads, Rollup, RollupKey
from store.base import Batch, NodeRow
from store.objective_spec import Spec
from store.objectives import Objectives
from store.sqlite import SqliteStore

S = 10**9
MINUTE_S, HOUR_S, DAY_S = 60, 3_600, 86_400
END_S = 20_000 * DAY_S
TURNS = 11


def main() -> None:
    """Fill, keep up, and compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--objectives", type=int, default=10)
    parser.add_argument("--nodes", type=int, default=10)
    parser.add_argument("--hours", type=int, default=12)
    args = parser.parse_args()
    store = SqliteStore(":memory:")
    fill(store, args.nodes, args.hours)
    specs = [spec_of(number) for number in range(args.objectives)]
    anew_ms = took_ms(lambda: begun(store, specs))
    kept = begun(store, specs)
    turns, told = [], []
    for turn in range(TURNS):
        now_s = END_S + turn * MINUTE_S
        late_s = END_S - (turn + 1) * 3 * HOUR_S // 4
        store.write(Batch(rollups={key(start, 0): cell() for start in (now_s, late_s)}))
        turns.append(took_ms(lambda: kept.turn(now_s * S)))  # noqa: B023
        told.append(took_ms(lambda: kept.statuses(now_s * S)))  # noqa: B023
    print(f"{args.objectives} objectives on {args.nodes} nodes over {args.hours} h of minutes")
    turn_ms = statistics.median(turns)
    print(f"made anew {anew_ms:.0f} ms; a turn {turn_ms:.1f} ms, at most {max(turns):.1f} ms")
    print(f"all statuses after a turn {statistics.median(told):.1f} ms")
    print(f"a turn takes {turn_ms / anew_ms:.3f} of making anew")


def begun(store: SqliteStore, specs: list[Spec]) -> Objectives:
    """Made of all that there is."""
    made = Objectives(store)
    made.begin(specs, END_S * S)
    made.turn(END_S * S)
    return made


def spec_of(number: int) -> Spec:
    """99.9 % over 28 days."""
    objective = Objective(Measure.READS, Fraction("0.999"), Rolling(28 * DAY_S))
    places = {"product": frozenset({"edge"})}
    return Spec(f"o{number}", objective, places, max_staleness_ns=(number + 1) * S)


def fill(store: SqliteStore, nodes: int, hours: int) -> None:
    """The catalogue, and every minute of every node."""
    rows = [
        NodeRow("edge", f"n{n}", "eu", "http", "", "purge", S, "up", "", "", 1, 1)
        for n in range(nodes)
    ]
    starts = range(END_S - hours * HOUR_S, END_S, MINUTE_S)
    cells = {key(start, n): cell() for start in starts for n in range(nodes)}
    store.write(Batch(nodes=rows, rollups=cells))
    store.fold(END_S * S)


def key(start_s: int, node: int) -> RollupKey:
    """A minute of a node."""
    return RollupKey(start_s, "product", "edge", f"n{node}", "walk", S, "d")


def cell() -> Rollup:
    """Twenty reads, one of them stale by two to three seconds."""
    made = Rollup()
    made.add(Reads(Verdict.FRESH, 0, S // 10, n=19))
    made.add(Reads(Verdict.STALE, 2 * S, 3 * S))
    return made


def took_ms(ask: Callable[[], object]) -> float:
    """Milliseconds."""
    began = time.perf_counter()
    ask()
    return 1_000 * (time.perf_counter() - began)


if __name__ == "__main__":
    main()
