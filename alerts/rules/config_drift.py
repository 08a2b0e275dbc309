"""Caches that are not what the catalogue says: their time to live, mechanism, addresses, words.

It rests on counted evidence. What that only suggests fires where the rule asks for hints; else it
is told in words, and the alert stays as it is.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from alerts.link import overview_link
from alerts.look import Condition, Look
from alerts.rules.base import NS_PER_S, Common, first_lines, in_seconds
from freshness.config_drift import Standing
from store.base import Store
from store.config_drift import DriftRow, read_config_drift


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigDrift(Common):
    """The rule, of a layer, or an alert for each. With `hints` what is only suggested fires too."""

    kind: ClassVar[str] = "config-drift"
    layer: str | None = None
    hints: bool = False
    window_ns: int = 3_600 * NS_PER_S

    def look(self, store: Store, now_ns: int) -> Sequence[Look]:
        """A look at each layer that is documented."""
        return self.judge(read_config_drift(store, now_ns, self.window_ns), now_ns)

    def judge(self, rows: Iterable[DriftRow], now_ns: int) -> Sequence[Look]:
        """What the comparisons of each layer say."""
        layers: defaultdict[str, list[DriftRow]] = defaultdict(list)
        for row in rows:
            if self.layer in (None, row.layer):
                layers[row.layer].append(row)
        return [self._judge(layer, own, now_ns) for layer, own in sorted(layers.items())]

    def in_words(self) -> str:
        """When it fires, in a sentence."""
        who = f"layer {self.layer}" if self.layer else "a layer"
        proven = "is proven to be, or looks like," if self.hints else "is proven to be"
        return (
            f"Fires when {who} {proven} another than the catalogue documents, by the last"
            f" {in_seconds(self.window_ns)}."
        )

    def _judge(self, layer: str, rows: Sequence[DriftRow], now_ns: int) -> Look:
        drifting = [row for row in rows if row.result.standing is Standing.DRIFTS]
        firing = [row for row in drifting if row.result.is_proof or self.hints]
        condition, summary = self._condition(layer, rows, drifting, firing)
        labels = {"layer": layer}
        return Look(
            labels=labels,
            condition=condition,
            summary=summary,
            value=float(len(firing)),
            evidence=first_lines([_line(row) for row in firing or drifting]),
            link=overview_link(labels, now_ns),
            figures={row.result.kind.value: row.result.reason for row in firing},
        )

    def _condition(
        self,
        layer: str,
        rows: Sequence[DriftRow],
        drifting: Sequence[DriftRow],
        firing: Sequence[DriftRow],
    ) -> tuple[Condition, str]:
        if firing:
            return Condition.HOLDS, f"{layer} is not as documented: {_said(firing[0])}"
        if drifting:
            return Condition.UNKNOWN, f"{layer} may not be as documented: {_said(drifting[0])}"
        held = [row for row in rows if row.result.standing is Standing.HOLDS]
        if not held:
            return Condition.UNKNOWN, f"too little was seen of {layer} to compare"
        return Condition.CLEAR, f"{len(held)} of {len(rows)} comparisons of {layer} hold"


def _said(row: DriftRow) -> str:
    return f"{row.result.kind} ({row.result.said})"


def _line(row: DriftRow) -> str:
    where = "/".join(part for part in (row.keyspace, row.layer, row.node) if part)
    examples = f", such as {', '.join(row.result.examples)}" if row.result.examples else ""
    proof = "" if row.result.is_proof else "; no proof"
    return f"{where}: documented is {row.documented}; {_said(row)}{examples}{proof}"
