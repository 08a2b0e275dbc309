"""An error budget that burns too fast, or is spent: what an objective says of its windows.

The decisions are those of `freshness.burn`. No data freezes the alert; too few samples are told in
words, and neither fire an alert nor clear one.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import ClassVar

from alerts.chart import BARS, Chart, freeze
from alerts.link import overview_link
from alerts.look import Condition, Look
from alerts.rules.base import NS_PER_S, Common, in_seconds, share_in_words
from freshness.burn import Burn, Decision, Severity, Why, WindowPair
from freshness.status import BudgetStatus
from store.base import Store
from store.objective_history import Bucket

Standings = Callable[[int], BudgetStatus | None]
"""How the objective stands at an instant; None where it was not looked at yet."""
Recent = Callable[[int, int | None, int], Sequence[Bucket]]
"""(now, seconds up to its watermark or None for its window, most buckets) → its newest past."""


def not_kept(_: int, __: int | None, ___: int) -> Sequence[Bucket]:
    """The past of an objective that nobody keeps."""
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BurnRate(Common):
    """The rule, of one objective: an alert a severity, and one for a budget that is spent.

    `pairs` are those by which it is watched, `spent_limit` the share of the budget from which its
    slow failure is told.
    """

    kind: ClassVar[str] = "burn-rate"
    objective: str
    pairs: Sequence[WindowPair]
    standing: Standings = field(compare=False)
    recent: Recent = field(compare=False, default=not_kept)
    spent_limit: Fraction = Fraction(3, 4)
    severities: Sequence[Severity] = (Severity.PAGE, Severity.TICKET)
    tells_spent: bool = True

    def look(self, store: Store, now_ns: int) -> Sequence[Look]:  # noqa: ARG002
        """A look at each severity that has pairs of windows, and one at the whole budget."""
        return self.judge(self.standing(now_ns), now_ns)

    def judge(self, status: BudgetStatus | None, now_ns: int) -> Sequence[Look]:
        """What the windows of a status say."""
        burns = () if status is None else status.burns
        looks = [
            self._burning(severity, [each for each in burns if each.pair.severity is severity])
            for severity in self._watched()
        ]
        looks += [self._spent(status)] if self.tells_spent else []
        figures = {} if status is None else _figures(status)
        return [
            Look(
                labels={"objective": self.objective, **labels},
                condition=condition,
                summary=f"{self.objective}: {summary}",
                value=value,
                evidence=evidence,
                link=overview_link({}, now_ns),
                figures=figures,
            )
            for labels, condition, summary, value, evidence in looks
        ]

    def chart(self, store: Store, labels: Mapping[str, str], now_ns: int) -> Chart | None:  # noqa: ARG002
        """How fast the budget burnt: over the longest windows of a severity, or its whole window.

        The limit is the lowest one of these windows, or the rate at which the budget just lasts.
        """
        severity, is_burning = labels.get("severity"), labels.get("condition") == "burning"
        pairs = [each for each in self.pairs if is_burning and each.severity.value == severity]
        longest_s = max((each.long_s for each in pairs), default=None)
        buckets = self.recent(now_ns, longest_s, BARS)
        if not buckets:
            return None
        return freeze(
            f"Burn rate of {self.objective}, each bar {in_seconds(_width_s(buckets) * NS_PER_S)}",
            "times",
            (buckets[0].window.since_s * NS_PER_S, buckets[-1].window.until_s * NS_PER_S),
            [None if each.rate is None else float(each.rate) for each in buckets],
            min((float(each.threshold) for each in pairs), default=1.0),
        )

    def in_words(self) -> str:
        """When it fires, in a sentence."""
        pairs = [
            f"{float(each.threshold):g} times as fast as it may over {_windows(each)}"
            for each in self.pairs
            if each.severity in self.severities
        ]
        spent = f"{share_in_words(float(self.spent_limit))} of it is spent"
        ways = [
            f"is spent {', or '.join(pairs)}" if pairs else "",
            ("or " if pairs else "is such that ") + spent if self.tells_spent else "",
        ]
        return f"Fires when the error budget of {self.objective} {' '.join(filter(None, ways))}."

    def _watched(self) -> list[Severity]:
        there = {each.severity for each in self.pairs}
        return [severity for severity in self.severities if severity in there]

    def _burning(self, severity: Severity, burns: Sequence[Decision]) -> "_Seen":
        labels = {"severity": severity.value, "condition": "burning"}
        rates = [each.long.rate for each in burns if each.long.rate is not None]
        value = float(max(rates)) if rates else None
        lines = [_line(each) for each in burns]
        firing = [each for each in burns if each.is_firing]
        if firing:
            return labels, Condition.HOLDS, _line(firing[0]), value, lines
        frozen = [each for each in burns if each.is_frozen]
        if frozen or not burns:
            why = frozen[0].gap if frozen else None
            return labels, Condition.UNKNOWN, f"no data: {why or 'not measured yet'}", value, lines
        few = [each for each in burns if each.is_insufficient]
        if few:
            return labels, Condition.EASED, _line(few[0]), value, lines
        return labels, Condition.CLEAR, "its budget is not burning too fast", value, lines

    def _spent(self, status: BudgetStatus | None) -> "_Seen":
        labels = {"severity": Severity.TICKET.value, "condition": "spent"}
        if status is None or status.spent is None:
            why = status.gap if status is not None and status.gap else "not measured yet"
            return labels, Condition.UNKNOWN, f"no data: {why}", None, []
        spent = float(status.spent)
        said = f"{share_in_words(spent)} of its budget is spent"
        condition = _SPENT[status.slow_failure]
        if condition is Condition.EASED:
            said += f", told by too few samples: {status.counts.bad} bad"
        return labels, condition, said, spent, [said]


_Seen = tuple[dict[str, str], Condition, str, float | None, list[str]]
_SPENT = {
    Why.SPENT: Condition.HOLDS,
    Why.FEW_BAD: Condition.EASED,
    Why.WITHIN: Condition.CLEAR,
    Why.NO_DATA: Condition.UNKNOWN,
}


def _width_s(buckets: Sequence[Bucket]) -> int:
    return max(each.window.length_s for each in buckets)


def _line(each: Decision) -> str:
    rates = f"{_rate(each.long)} and {_rate(each.short)}"
    limit = f"{float(each.pair.threshold):g} is the limit"
    return f"burn rates over {_windows(each.pair)} are {rates}, {limit}: {each.why}"


def _rate(burn: Burn) -> str:
    return "unknown" if burn.rate is None else f"{float(burn.rate):.3g}"


def _windows(pair: WindowPair) -> str:
    return f"{in_seconds(pair.long_s * NS_PER_S)} and {in_seconds(pair.short_s * NS_PER_S)}"


def _figures(status: BudgetStatus) -> dict[str, str]:
    """Figures of the whole window; signed, as the budget is."""
    figures = {"target": share_in_words(float(status.objective.target))}
    if status.spent is not None and status.remaining is not None:
        figures["budget spent"] = share_in_words(float(status.spent))
        figures["budget remaining"] = share_in_words(float(status.remaining))
    share = status.coverage.share
    if share is not None:
        figures["coverage"] = share_in_words(float(share))
    return figures
