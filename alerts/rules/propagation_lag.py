"""Propagation lag over its limit, at a quantile or for any single invalidation.

It rests on what nodes claim by their receipts. What is missing is bad where the node's sequence
proves it; else it is unknown, and too much of that freezes the alert: exporters drop spans.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, NamedTuple

from alerts.chart import BARS, MINUTE_NS, Chart, freeze, last_minutes
from alerts.link import invalidation_link, overview_link
from alerts.look import Condition, Look
from alerts.rules.base import NS_PER_S, Common, first_lines, in_seconds, listed_nodes
from alerts.rules.messages import newest_told
from freshness.propagation import (
    Caveat,
    Claimed,
    Message,
    Status,
    Why,
    Word,
    delay_quantile,
    judge_claim,
)
from freshness.spark import fill_grid
from freshness.visibility import Delay
from store.base import NodeRow, Store
from store.messages import ReceiptRow, Told
from store.streams import Streams

LEAST_COVERAGE: Final = 0.9
MOST_DRAWN: Final = 1_000
"""Messages of one chart; minutes that were not read whole are not known."""
MOST_PAIRS: Final = 6_000
"""(Message, node) pairs of one chart, where nodes are many."""
_BAD: Final = (Status.LATE, Status.MISSING, Status.FAILED)


class Account(NamedTuple):
    """What one node claims of one invalidation."""

    invalidation: str
    node: NodeRow
    claimed: Claimed


@dataclass(frozen=True, slots=True, kw_only=True)
class PropagationLag(Common):
    """The rule, of the layer, node and keyspace that it names.

    `quantile` None is any single invalidation. `recovery_ns` is where it counts as clear again.
    `placement` has the layers of each keyspace: whom a word is expected of.
    """

    kind: ClassVar[str] = "propagation-lag"
    limit_ns: int
    placement: dict[str, frozenset[str]]
    layer: str | None = None
    node: str | None = None
    keyspace: str | None = None
    quantile: float | None = None
    recovery_ns: int | None = None
    window_ns: int = 300 * NS_PER_S

    def look(self, store: Store, now_ns: int) -> Sequence[Look]:
        """One look at all that it names together."""
        # Of what is younger than the limit nothing can be late yet: where messages are many, the
        # newest would be the quick ones alone.
        since_ns, until_ns = now_ns - self.window_ns, now_ns - self.limit_ns
        told, _ = newest_told(store, since_ns, until_ns, self.keyspace)
        return [self.judge(listed_nodes(store.nodes(), self.layer, self.node), told, now_ns)]

    def judge(self, nodes: Sequence[NodeRow], told: Iterable[Told], now_ns: int) -> Look:
        """What the accounts of these nodes say of these invalidations."""
        accounts = list(self._accounts(nodes, told, now_ns))
        condition, summary, lag = self._condition(accounts)
        bad = sorted(
            (each for each in accounts if each.claimed.status in _BAD), key=_lower, reverse=True
        )
        scope = {"keyspace": self.keyspace, "layer": self.layer, "node": self.node}
        labels = {name: value for name, value in scope.items() if value is not None}
        link = overview_link(labels, now_ns)
        return Look(
            labels=labels,
            condition=condition,
            summary=summary,
            value=None if lag is None else lag.lower / NS_PER_S,
            evidence=first_lines([_line(each) for each in bad]),
            link=invalidation_link(bad[0].invalidation, now_ns) if bad else link,
            is_inhibited=bool(nodes) and not any(row.state == "up" for row in nodes),
            figures=self._figures(accounts, len(bad), lag),
        )

    def chart(self, store: Store, labels: Mapping[str, str], now_ns: int) -> Chart | None:  # noqa: ARG002
        """The proven lag of the invalidations of each minute, over an hour."""
        until_ns = now_ns - self.limit_ns
        since_ns = last_minutes(until_ns)
        nodes = listed_nodes(store.nodes(), self.layer, self.node)
        most = min(MOST_DRAWN, MOST_PAIRS // max(1, len(nodes)))
        told, is_all = newest_told(store, since_ns, until_ns, self.keyspace, most)
        minutes = {
            each.invalidation.id: each.invalidation.received_at_ns // MINUTE_NS for each in told
        }
        begun = -1 if is_all else min(minutes.values(), default=-1)
        by_minute: defaultdict[int, list[Account]] = defaultdict(list)
        for account in self._accounts(nodes, told, now_ns):
            by_minute[minutes[account.invalidation]].append(account)
        cells = [
            (minute * 60, proven_ns / NS_PER_S)
            for minute, found in by_minute.items()
            if minute > begun and (proven_ns := self._proven_ns(found)) is not None
        ]
        which = self._which()
        return freeze(
            f"{which[0].upper()}{which[1:]}, proven by minute of the invalidation",
            "seconds",
            (since_ns, until_ns),
            fill_grid(cells, since_ns // NS_PER_S, 60, BARS),
            self.limit_ns / NS_PER_S,
        )

    def in_words(self) -> str:
        """When it fires, in a sentence."""
        parts = [("node", self.node), ("layer", self.layer), ("keyspace", self.keyspace)]
        of = ", ".join(f"{word} {name}" for word, name in parts if name) or "any layer"
        return (
            f"Fires when {self._which()} over {in_seconds(self.window_ns)} is proven above"
            f" {in_seconds(self.limit_ns)}, for {of}."
        )

    def _which(self) -> str:
        if self.quantile is None:
            return "the longest lag"
        return f"the {self.quantile * 100:g}th percentile of lag"

    def _accounts(
        self, nodes: Sequence[NodeRow], told: Iterable[Told], now_ns: int
    ) -> Iterator[Account]:
        """Of every node that may hold what an invalidation is about; what is too early waits."""
        messages = list(told)
        streams = Streams(messages, now_ns, nodes)
        for each in messages:
            layers = self.placement.get(each.invalidation.keyspace, frozenset())
            row = each.invalidation
            message = Message(row.written_at_ns, row.received_at_ns, row.host, row.version)
            for node in nodes:
                if node.layer not in layers:
                    continue
                words = _words(each.receipts, node)
                is_passed = streams.has_lost(row, (node.layer, node.node))
                claimed = judge_claim(message, words, self.limit_ns, now_ns, is_passed=is_passed)
                if claimed.why is not Why.NOT_YET:
                    yield Account(row.id, node, claimed)

    def _condition(self, accounts: Sequence[Account]) -> tuple[Condition, str, Delay | None]:
        proven, lag = self._lags(accounts)
        if proven is None or lag is None:
            return Condition.UNKNOWN, "no receipt in the window to tell a lag by", None
        known = [each for each in accounts if each.claimed.delay is not None]
        limit, which = in_seconds(self.limit_ns), self._which()
        if proven.lower > self.limit_ns:
            text = f"{which} is at least {in_seconds(proven.lower)}, above {limit}"
            return Condition.HOLDS, text, proven
        if len(known) < LEAST_COVERAGE * len(accounts):
            text = f"only {len(known)} of {len(accounts)} receipts came"
            return Condition.UNKNOWN, text, lag
        if lag.upper is None or lag.upper > self.limit_ns:
            return Condition.UNKNOWN, f"{which} may be above {limit} or not", lag
        text = f"{which} is at most {in_seconds(lag.upper)}"
        has_eased = self.recovery_ns is not None and lag.upper > self.recovery_ns
        return Condition.EASED if has_eased else Condition.CLEAR, text, lag

    def _lags(self, accounts: Sequence[Account]) -> tuple[Delay | None, Delay | None]:
        """What is proven, who is silent counted as quick, and what those who spoke say."""
        known = [each.claimed.delay for each in accounts if each.claimed.delay is not None]
        if not known:
            return None, None
        q = 1.0 if self.quantile is None else self.quantile
        silent = [Delay(0, None)] * (len(accounts) - len(known))
        return delay_quantile([*known, *silent], q), delay_quantile(known, q)

    def _proven_ns(self, accounts: Sequence[Account]) -> int | None:
        """The proven lag; None where too many are silent for "none is proven" to mean anything."""
        proven, _ = self._lags(accounts)
        if proven is None:
            return None
        known = sum(each.claimed.delay is not None for each in accounts)
        return proven.lower if proven.lower or known >= LEAST_COVERAGE * len(accounts) else None

    def _figures(self, accounts: Sequence[Account], bad: int, lag: Delay | None) -> dict[str, str]:
        figures = {"limit": in_seconds(self.limit_ns)}
        if lag is not None:
            figures[self._which()] = f"at least {in_seconds(lag.lower)}"
            figures["late, failed or missing"] = f"{bad} of {len(accounts)} receipts"
        return figures


def _words(receipts: Iterable[ReceiptRow], node: NodeRow) -> list[Word]:
    return [
        Word(row.outcome, row.at_ns, row.received_at_ns, row.host)
        for row in receipts
        if (row.layer, row.node) == (node.layer, node.node)
    ]


def _lower(account: Account) -> int:
    delay = account.claimed.delay
    return 0 if delay is None else delay.lower


def _line(account: Account) -> str:
    claimed, node = account.claimed, account.node
    caveat = " (by the clocks of two hosts)" if claimed.caveat is Caveat.TWO_CLOCKS else ""
    return (
        f"invalidation {account.invalidation} at {node.layer}/{node.node}: {claimed.status},"
        f" at least {in_seconds(_lower(account))} after the write{caveat}"
    )
