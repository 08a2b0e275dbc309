"""When something was not measured in the week, and how invalidations lagged in it."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Final

from freshness.propagation import Tally, delay_quantile
from reports.ask import NS_PER_S, Ask
from reports.document import GapLine, LagFigure, LagLine
from reports.measured import Measured
from store.base import Store
from store.propagation import LagFigures, figure_lag, read_lag

MOST_GAPS: Final = 200
MEDIAN, HIGH, HIGHEST, LONGEST = 0.5, 0.95, 0.99, 1.0


def gap_lines(store: Store, measured: Sequence[Measured], ask: Ask) -> list[GapLine]:
    """Objectives without data and sources that could not be heard, by time. Raises StoreError."""
    gaps = [
        GapLine(f"objective {one.spec.name}", window.since_s, window.until_s, why.value)
        for one in measured
        for window, why in one.gaps()
    ]
    gaps += _unheard(store, ask)
    return sorted(gaps, key=lambda gap: (gap.since_s, gap.about))[:MOST_GAPS]


def lag_lines(store: Store, measured: Sequence[Measured], ask: Ask) -> tuple[list[LagLine], bool]:
    """By layer, what is claimed and what was observed apart; whether all messages were read.

    Of one owner, those of its keyspaces. Raises StoreError.
    """
    lag = read_lag(store, ask.since_ns, ask.until_ns)
    spreads = lag.spreads
    if ask.subscription.owner:
        keyspaces = {name for one in measured for name in one.spec.placement}
        spreads = [each for each in spreads if each.invalidation.keyspace in keyspaces]
    lines = [line for figures in figure_lag(spreads, "layer") for line in _lags(figures)]
    return lines, lag.is_all


def unmeasured(measured: Sequence[Measured]) -> Fraction:
    """The share of the (objective, second) pairs of the week that is in a gap."""
    whole = sum(one.week.length_s for one in measured)
    lost = sum(window.length_s for one in measured for window, _ in one.gaps())
    return Fraction(lost, whole) if whole else Fraction(0)


def _unheard(store: Store, ask: Ask) -> Iterator[GapLine]:
    for row in store.gaps(ask.since_ns, ask.until_ns, None, MOST_GAPS):
        until_ns = ask.until_ns if row.until_ns is None else min(row.until_ns, ask.until_ns)
        since_s = max(row.since_ns, ask.since_ns) // NS_PER_S
        yield GapLine(f"source {row.source}", since_s, -(-until_ns // NS_PER_S), row.why)


def _lags(figures: LagFigures) -> Iterator[LagLine]:
    if figures.claimed.delays:
        yield _line(figures, "claimed", figures.claimed)
    if figures.observed.delays:
        yield _line(figures, "observed", figures.observed)


def _line(figures: LagFigures, side: str, tally: Tally) -> LagLine:
    def at(q: float) -> LagFigure | None:
        found = delay_quantile(tally.delays, q)
        return None if found is None else LagFigure(found.lower, found.upper)

    return LagLine(
        layer=figures.place.layer,
        side="claimed" if side == "claimed" else "observed",
        pairs=len(tally.delays),
        p50=at(MEDIAN),
        p95=at(HIGH),
        p99=at(HIGHEST),
        longest=at(LONGEST),
        limit_ns=figures.limit_ns,
    )
