"""From bounds to a verdict: stale if lower > max, fresh if upper <= max, else indeterminate."""

from freshness.model import Bounds, Judgement, Reason, Verdict


def decide(bounds: Bounds, doubt: Reason | None, max_staleness: int) -> Judgement:
    """The verdict that the bounds allow.

    `doubt` names what widened the bounds; it is the reason where they decide nothing. It never
    stops a proof: bounds that are wider for a doubt are still bounds.
    """
    if bounds.lower > max_staleness:
        return Judgement(Verdict.STALE, Reason.SUPERSEDED, bounds)
    if bounds.upper is not None and bounds.upper <= max_staleness:
        return Judgement(Verdict.FRESH, Reason.CURRENT, bounds)
    if doubt is not None:
        return Judgement(Verdict.INDETERMINATE, doubt, bounds)
    if bounds.upper is None and bounds.lower == 0:
        return Judgement(Verdict.INDETERMINATE, Reason.NO_EVIDENCE, bounds)
    return Judgement(Verdict.INDETERMINATE, Reason.BETWEEN, bounds)
