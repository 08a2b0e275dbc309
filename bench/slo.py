"""Every figure of many objectives over 28 days of roll-ups, beside Prometheus with the same data.

    python -m bench.slo [--objectives 50] [--nodes 30] [--days 28] [--no-prometheus]

Each objective is of 30 nodes: hours, and minutes for the last six hours. Asked for is the whole
status of each (indicator with its pair and interval, budget, burn rates of four pairs of windows,
coverage, nines, the last week, forecast), then what each node had of the budget, then what a late
delta costs. Prometheus gets the same counts as counters, backfilled into one block, and is asked
for the budget and for each burn rate alone, in two ways: by `increase`, as burn-rate rules ask, and
by the difference of two samples, which must give the same ratios as ours.
"""

import argparse
import json
import random
import statistics
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from itertools import cycle
from typing import Final

from freshness.counts import Counts, count_events
from freshness.objective import Measure, Objective, Rolling
from freshness.series import Place
from freshness.status import At, BudgetStatus, ErrorBudget
from freshness.track import Track
from freshness.window import Window
from tests.servers.prometheus import PrometheusServer

HOUR_S, DAY_S, MINUTES_S = 3_600, 86_400, 6 * 3_600
TARGET: Final = Fraction("0.999")
TURNS: Final = 7
SPANS: Final = ("5m", "30m", "1h", "2h", "6h", "1d", "3d")


class Backfilled(PrometheusServer):
    """Prometheus on blocks made of OpenMetrics lines, kept for as long as they reach back."""

    def __init__(self, lines: Iterator[str]) -> None:
        super().__init__()
        self._lines = lines

    def prepare(self) -> None:
        """Write the blocks, as `promtool` makes them."""
        super().prepare()
        text = self.folder / "counters.txt"
        with text.open("w") as file:
            file.writelines(self._lines)
        make = ["promtool", "tsdb", "create-blocks-from", "--max-block-duration=744h"]
        made = [*make, "openmetrics", str(text), str(self.folder / "data")]
        subprocess.run(made, check=True, capture_output=True)
        text.unlink()

    def command(self) -> Sequence[str]:
        """With a retention that spares what was backfilled."""
        return [*super().command(), "--storage.tsdb.retention.time=1y"]


def main() -> None:
    """Build, ask and compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--objectives", type=int, default=50)
    parser.add_argument("--nodes", type=int, default=30)
    parser.add_argument("--days", type=int, default=28)
    parser.add_argument("--no-prometheus", action="store_true")
    args = parser.parse_args()
    end_s = int(time.time()) // HOUR_S * HOUR_S
    data = Data(args.objectives, args.nodes, args.days, end_s)
    began = time.perf_counter()
    budgets = [data.budget(number) for number in range(args.objectives)]
    cells = sum(len(each.starts) for each in budgets[0].track.places.values()) * len(budgets)
    print(f"{cells:,} cells of {args.objectives} objectives on {args.nodes} nodes over")
    print(f"{args.days} days, made series in {time.perf_counter() - began:.1f} s")
    measure(budgets, end_s)
    if not args.no_prometheus:
        beside(budgets, data)


class Data:
    """Counts that are the same each time they are asked for."""

    def __init__(self, objectives: int, nodes: int, days: int, end_s: int) -> None:
        self.objectives, self.nodes, self.days, self.end_s = objectives, nodes, days, end_s
        self.since_s = end_s - days * DAY_S
        minutes_s = end_s - MINUTES_S
        hours = [(start, 60) for start in range(self.since_s, minutes_s, HOUR_S)]
        self.cells = [*hours, *((start, 1) for start in range(minutes_s, end_s, 60))]

    def series(self, objective: int, node: int) -> dict[int, Counts]:
        """Twenty reads a minute, of which now and then some are stale."""
        dice = random.Random(objective * 1_000 + node)
        return {start: _cell(dice, minutes) for start, minutes in self.cells}

    def budget(self, number: int) -> ErrorBudget:
        """One objective, with a week's budget of each."""
        made = Objective(Measure.READS, TARGET, Rolling(self.days * DAY_S))
        series = {_place(number, node): self.series(number, node) for node in range(self.nodes)}
        listing = {place: [Window(self.since_s, self.end_s + DAY_S)] for place in series}
        return ErrorBudget(made, Track(made, series, HOUR_S), listing)

    def lines(self) -> Iterator[str]:
        """The same as OpenMetrics: counters sampled at the end of each cell."""
        for metric in ("reads", "stale"):
            yield f"# TYPE {metric} counter\n"
            for objective in range(self.objectives):
                for node in range(self.nodes):
                    yield from self._counter(metric, objective, node)
        yield "# EOF\n"

    def _counter(self, metric: str, objective: int, node: int) -> Iterator[str]:
        name = f'{metric}_total{{objective="{objective}",node="{node}"}}'
        total = 0
        yield f"{name} 0 {self.since_s}\n"
        for (start, minutes), cell in zip(
            self.cells, self.series(objective, node).values(), strict=True
        ):
            total += cell.bad if metric == "stale" else cell.judged
            yield f"{name} {total} {start + 60 * minutes}\n"


def measure(budgets: Sequence[ErrorBudget], end_s: int) -> None:
    """Print what our own figures take."""
    at = At(end_s, end_s)
    print(f"all {len(budgets)} statuses      {median_ms(lambda: statuses(budgets, end_s)):8.1f} ms")
    burns_ms = median_ms(lambda: [each.burns(at) for each in budgets])
    print(f"their burn rates alone {burns_ms:6.1f} ms")
    nodes_ms = median_ms(lambda: [each.attribution(at) for each in budgets])
    print(f"their budgets by node  {nodes_ms:6.1f} ms ({len(budgets[0].track.places)} nodes each)")
    track = budgets[0].track
    place = next(iter(track.places))
    for what, start_s in (
        ("newest minute", end_s - 60),
        ("hour of 20 days ago", end_s - 20 * DAY_S),
    ):
        cell = track.places[place].cell(start_s)
        more = cell._replace(bad=cell.bad + 1, bad_weight=cell.bad_weight + 1)
        turns = cycle((more, cell))
        late_ms = median_ms(lambda: track.put(place, start_s, next(turns)))  # noqa: B023
        print(f"late evidence for the {what}: {late_ms:.3f} ms")
        track.put(place, start_s, cell)


def statuses(budgets: Sequence[ErrorBudget], end_s: int) -> list[BudgetStatus]:
    """All figures of all objectives."""
    at, week = At(end_s, end_s), {"week": Window(end_s - 7 * DAY_S, end_s)}
    return [each.status(at, week) for each in budgets]


def beside(budgets: Sequence[ErrorBudget], data: Data) -> None:
    """Print what Prometheus takes for the budget and the burn rates of the same data, in turn."""
    asked = (f"{data.days}d", *SPANS)
    with Backfilled(data.lines()) as server:

        def ask(query: Callable[[str], str]) -> list[dict[int, float]]:
            return [_ask(server.url, query(span), data.end_s) for span in asked]

        worst = max(
            _disagreement(budgets, theirs, span, data)
            for theirs, span in zip(ask(_by_difference), asked, strict=True)
        )
        print(f"Prometheus on the same data; the largest disagreement of a ratio is {worst:.1e}")
        for name, query in (("increase", _by_increase), ("difference", _by_difference)):
            ours_ms, theirs_ms = in_turn(
                lambda: statuses(budgets, data.end_s),
                lambda: ask(query),  # noqa: B023
            )
            print(f"by {name}: {len(asked)} ratios of each objective in {theirs_ms:.1f} ms, all of")
            print(
                f"our statuses beside it in {ours_ms:.1f} ms: {theirs_ms / ours_ms:.1f} times that"
            )


def median_ms(ask: Callable[[], object]) -> float:
    """The median of some turns, in milliseconds."""
    return statistics.median(_took_ms(ask) for _ in range(TURNS))


def in_turn(one: Callable[[], object], other: Callable[[], object]) -> tuple[float, float]:
    """The medians of both, each asked after the other."""
    took = [(_took_ms(one), _took_ms(other)) for _ in range(TURNS)]
    ones, others = zip(*took, strict=True)
    return statistics.median(ones), statistics.median(others)


def _took_ms(ask: Callable[[], object]) -> float:
    began = time.perf_counter()
    ask()
    return 1_000 * (time.perf_counter() - began)


def _by_increase(span: str) -> str:
    return _ratio(f"increase(stale_total[{span}])", f"increase(reads_total[{span}])")


def _by_difference(span: str) -> str:
    bad, n = (f"({name} - {name} offset {span})" for name in ("stale_total", "reads_total"))
    return _ratio(bad, n)


def _ratio(bad: str, n: str) -> str:
    return f"sum by (objective) ({bad}) / sum by (objective) ({n})"


def _ask(url: str, query: str, at_s: int) -> dict[int, float]:
    asked = urllib.parse.urlencode({"query": query, "time": at_s})
    with urllib.request.urlopen(f"{url}/api/v1/query?{asked}", timeout=120) as answer:
        found = json.load(answer)["data"]["result"]
    return {int(each["metric"]["objective"]): float(each["value"][1]) for each in found}


def _disagreement(
    budgets: Sequence[ErrorBudget], theirs: dict[int, float], span: str, data: Data
) -> float:
    length_s = int(span[:-1]) * {"m": 60, "h": HOUR_S, "d": DAY_S}[span[-1]]
    window = Window(data.end_s - length_s, data.end_s)
    each = [budget.track.events.window(window) for budget in budgets]
    ours = [counts.bad_weight / counts.judged_weight for counts in each]
    return max(abs(share - theirs[number]) for number, share in enumerate(ours))


def _cell(dice: random.Random, minutes: int) -> Counts:
    n = 20 * minutes
    bad = dice.randrange(n // 10 + 2) if dice.random() < 0.02 else 0
    return count_events(good=n - bad, bad=bad, clusters=minutes)


def _place(objective: int, node: int) -> Place:
    return Place(f"k{objective}", "edge", f"n{node}")


if __name__ == "__main__":
    main()
