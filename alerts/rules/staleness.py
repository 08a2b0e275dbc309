"""Staleness over a layer's documented maximum: one alert for each of its nodes.

It rests on proof alone: confirmed findings that are open, and shares of reads proven stale. What
the reads could not say freezes the alert.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from alerts.chart import BARS, MINUTE_NS, Chart, freeze, last_minutes
from alerts.link import key_link, overview_link
from alerts.look import Condition, Look
from alerts.rules.base import (
    NS_PER_S,
    Common,
    first_lines,
    in_seconds,
    listed_nodes,
)
from freshness.model import Value
from freshness.rollup import Rollup, RollupKey
from freshness.spark import fill_grid
from store.base import FindingRow, NodeRow, Store

LEAST_COVERAGE: Final = 0.9
"""The share of reads that must have come to something for "nothing is stale" to mean anything."""
MOST_FINDINGS: Final = 2_000


@dataclass(frozen=True, slots=True)
class NodeFacts:
    """One node, its open confirmed findings, and all reads of the window as one cell."""

    node: NodeRow
    findings: Sequence[FindingRow]
    reads: Rollup
    is_whole: bool = True
    """Whether all open findings were read: those that were not may be of this node."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Staleness(Common):
    """The rule. `share` is of reads in the window; None leaves it to confirmed findings alone."""

    kind: ClassVar[str] = "staleness"
    layer: str
    node: str | None = None
    keyspace: str | None = None
    window_ns: int = 2 * MINUTE_NS
    share: float | None = None

    def look(self, store: Store, now_ns: int) -> Sequence[Look]:
        """A look at each node of the layer that discovery lists."""
        found, is_whole = _open_findings(store, self.keyspace)
        # The minute in which the window begins counts whole.
        since_ns = (now_ns - self.window_ns) // MINUTE_NS * MINUTE_NS
        cells = store.rollups("minute", since_ns, now_ns + 1, self.keyspace, self.layer)
        looks = []
        for node in listed_nodes(store.nodes(), self.layer, self.node):
            name = (node.layer, node.node)
            own = [row for row in found if (row.layer, row.node) == name]
            reads = sum((cell for key, cell in cells if key.node == node.node), Rollup())
            looks.append(self.judge(NodeFacts(node, own, reads, is_whole), now_ns))
        return looks

    def judge(self, facts: NodeFacts, now_ns: int) -> Look:
        """What the facts of one node say."""
        node, findings = facts.node, facts.findings
        condition, summary = self._condition(facts)
        labels = {"layer": node.layer, "node": node.node}
        worst = max(findings, key=lambda row: row.lower_ns, default=None)
        return Look(
            labels=labels | ({"keyspace": self.keyspace} if self.keyspace else {}),
            condition=condition,
            summary=summary,
            value=worst.lower_ns / NS_PER_S if worst else None,
            evidence=first_lines([_line(row) for row in findings]),
            link=_link(labels, worst, now_ns),
            is_inhibited=node.state != "up",
            figures=_figures(facts, worst),
            cause=_cause(findings),
            finding=worst.id if worst else "",
        )

    def chart(self, store: Store, labels: Mapping[str, str], now_ns: int) -> Chart | None:
        """The largest staleness that reads of each minute proved at the node, over an hour."""
        layer, node = labels.get("layer"), labels.get("node")
        since_ns = last_minutes(now_ns)
        cells = store.rollups("minute", since_ns, now_ns + 1, self.keyspace, layer, node)
        values = fill_grid(_proven_by_minute(cells), since_ns // NS_PER_S, 60, BARS)
        limits = [row.max_staleness_ns for row in listed_nodes(store.nodes(), layer, node)]
        return freeze(
            f"Largest proven staleness at {layer}/{node}, by minute",
            "seconds",
            (since_ns, now_ns),
            values,
            limits[0] / NS_PER_S if limits else None,
        )

    def in_words(self) -> str:
        """When it fires, in a sentence."""
        where = (
            f"node {self.node} of layer {self.layer}" if self.node else f"a node of {self.layer}"
        )
        of = f" of keyspace {self.keyspace}" if self.keyspace else ""
        share = (
            f", or more than {self.share:.3%} of the reads in {in_seconds(self.window_ns)}"
            " are proven stale"
            if self.share is not None
            else ""
        )
        return (
            f"Fires when {where} holds a copy{of} that is proven and confirmed staler than the"
            f" layer's maximum{share}."
        )

    def _condition(self, facts: NodeFacts) -> tuple[Condition, str]:
        node, cell = facts.node, facts.reads
        name = f"{node.layer}/{node.node}"
        if node.state != "up":
            return Condition.UNKNOWN, f"{name} cannot be asked: {node.why or 'no answer yet'}"
        said = cell.judged.n + cell.misses
        asked = said + cell.unknown.n
        if not said:
            return (
                Condition.UNKNOWN,
                f"{name} was not read in the last {in_seconds(self.window_ns)}",
            )
        limit = in_seconds(node.max_staleness_ns)
        if facts.findings:
            copies = "1 copy" if len(facts.findings) == 1 else f"{len(facts.findings)} copies"
            return Condition.HOLDS, f"{name} holds {copies} proven staler than {limit}"
        if self.share is not None and cell.stale.n > self.share * cell.judged.n:
            share = cell.stale.n / cell.judged.n
            return Condition.HOLDS, f"{share:.2%} of the reads of {name} are staler than {limit}"
        if not facts.is_whole:
            return Condition.UNKNOWN, "more findings are open than were read"
        if said < LEAST_COVERAGE * asked:
            return Condition.UNKNOWN, f"only {said} of {asked} reads of {name} came to anything"
        return Condition.CLEAR, f"no copy of {name} is proven staler than {limit}"


def _proven_by_minute(
    cells: Iterable[tuple[RollupKey, Rollup]],
) -> Iterator[tuple[int, float]]:
    """Minutes by their Unix second, of which reads say something.

    Seconds of the largest lower bound, to the width of a bucket of the histogram, rounded down;
    "nothing is stale" needs as much coverage as it needs of the rule.
    """
    minutes: dict[int, Rollup] = {}
    for key, cell in cells:
        minutes[key.start_s] = minutes.get(key.start_s, Rollup()) + cell
    for start_s, cell in minutes.items():
        said = cell.judged.n + cell.misses
        most = cell.s_lo.quantile(1.0)
        proven_s = most.low_ns / NS_PER_S if most else 0.0
        if proven_s or (said and said >= LEAST_COVERAGE * (said + cell.unknown.n)):
            yield start_s, proven_s


def _open_findings(store: Store, keyspace: str | None) -> tuple[list[FindingRow], bool]:
    """Confirmed findings that are open, newest first, and whether these are all."""
    rows: list[FindingRow] = []
    cursor: str | None = None
    while len(rows) < MOST_FINDINGS:
        page = store.findings(open_only=True, keyspace=keyspace, limit=500, cursor=cursor)
        rows += [row for row in page.items if row.state == "confirmed"]
        cursor = page.next
        if cursor is None:
            return rows, True
    return rows, False


def _line(row: FindingRow) -> str:
    upper = "" if row.upper_ns is None else f" and at most {in_seconds(row.upper_ns)}"
    return (
        f"{row.keyspace}/{row.key} at {row.node}: holds {_named(row.held)}, the origin has"
        f" {_named(row.latest)}; stale for at least {in_seconds(row.lower_ns)}{upper}"
        f" ({row.cause}; finding {row.id})"
    )


def _named(value: Value) -> str:
    if value.version is not None:
        return f"version {value.version}" + (" (absent)" if value.absent else "")
    return "no such row" if value.absent else f"digest {(value.projection or '')[:12]}"


def _link(labels: dict[str, str], worst: FindingRow | None, now_ns: int) -> str:
    if worst is None:
        return overview_link(labels, now_ns)
    return key_link(worst.keyspace, worst.key, now_ns)


def _figures(facts: NodeFacts, worst: FindingRow | None) -> dict[str, str]:
    cell = facts.reads
    figures = {"maximum staleness": in_seconds(facts.node.max_staleness_ns)}
    if worst is not None:
        figures["proven staleness"] = f"at least {in_seconds(worst.lower_ns)}"
        figures["stale copies"] = str(len(facts.findings))
    if cell.judged.n:
        figures["reads proven stale"] = f"{cell.stale.n} of {cell.judged.n}"
    return figures


def _cause(findings: Sequence[FindingRow]) -> str:
    """The causes that were decided, most frequent first."""
    causes = [row.cause for row in findings if row.cause != "undecided"]
    return ", ".join(sorted(set(causes), key=lambda cause: (-causes.count(cause), cause)))
