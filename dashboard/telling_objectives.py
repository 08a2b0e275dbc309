"""Figures of objectives in words: nothing that is not known is said as a share."""

from fractions import Fraction
from math import ceil, floor

from dashboard.wording import SECOND_NS, count, duration, instant
from freshness.budget_coverage import Gap
from freshness.burn import Decision, Why
from freshness.counts import Counts
from freshness.forecast import Forecast, Outlook
from freshness.objective import Calendar, Measure, Occurrences, Timeslices
from store.objective_spec import Spec

GAPS = {
    Gap.STALE_WATERMARK: "measuring has stopped: nothing came in for too long",
    Gap.NOT_LISTED: "no node was listed in this window",
    Gap.LOW_COVERAGE: "less than 90 % of what was expected was measured",
    Gap.NO_EVENTS: "nothing was measured in this window",
}
MEASURES = {
    Measure.READS: "sampled reads that are fresh",
    Measure.RESIDENT: "entries that a sweep finds right",
    Measure.CLAIMED: "invalidations that a node acknowledges in time",
    Measure.OBSERVED: "invalidations that probes see at a node in time",
    Measure.STALE_TIME: "seconds in which copies are fresh",
}
WHYS = {
    Why.BOTH_EXCEED: "both windows burn faster than the threshold",
    Why.LONG_BELOW: "the long window does not exceed it",
    Why.SHORT_BELOW: "it burnt, and does not any more",
    Why.FEW_BAD: "both exceed, on too few bad events to say so",
    Why.UNSURE: "both exceed, but not surely: the lower confidence bound does not",
    Why.SPENT: "most of the window's budget is spent",
    Why.WITHIN: "within budget",
    Why.NO_DATA: "no data",
}


def share_words(share: Fraction | float, target: Fraction) -> str:
    """A share with enough digits to tell it from its target, rounded down."""
    digits = len(f"{float(1 - target):.10f}".rstrip("0").partition(".")[2])
    scale = 10 ** max(1, digits)
    shown = floor(Fraction(share) * 100 * scale) / scale
    return f"{shown:.{max(1, digits)}f}".rstrip("0").rstrip(".") + " %"


def target_words(target: Fraction) -> str:
    """As it was written: 99.9 %."""
    return f"{float(target * 100):.10f}".rstrip("0").rstrip(".") + " %"


def budget_words(remaining: Fraction) -> str:
    """What is left, signed; never more than there is: 12 %, −250 %."""
    percent = floor(remaining * 1_000) / 10
    text = f"{abs(percent):,.1f}".removesuffix(".0")
    return f"−{text} %" if percent < 0 else f"{text} %"


def spent_words(spent: Fraction) -> str:
    """What something took of the budget, rounded up in the last place."""
    percent = ceil(spent * 1_000) / 10
    return f"{percent:,.1f}".removesuffix(".0") + " %"


def rate_words(rate: Fraction | None) -> str:
    """A burn rate: 0.4 ×."""
    if rate is None:
        return "–"
    return "0 ×" if rate == 0 else "< 0.01 ×" if rate < Fraction(1, 100) else f"{float(rate):.3g} ×"


def length_words(seconds: int) -> str:
    """A window: 5 min, 6 h, 3 d."""
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds % size == 0 and seconds >= size:
            return f"{seconds // size} {unit}"
    return duration(seconds * SECOND_NS)


def forecast_words(forecast: Forecast, now_ns: int) -> str:
    """When the budget will be gone, if the recent past goes on."""
    if forecast.outlook is Outlook.EXHAUSTS and forecast.at_s is not None:
        ahead_ns = max(0, forecast.at_s * SECOND_NS - now_ns)
        return f"exhausted in {duration(ahead_ns // (60 * SECOND_NS) * 60 * SECOND_NS)}"
    words = {
        Outlook.EXHAUSTED: "exhausted",
        Outlook.NOT_BURNING: "lasts, at the recent rate",
    }
    return words.get(forecast.outlook, "not known")


def forecast_at(forecast: Forecast) -> str:
    """The instant itself; empty where there is none."""
    if forecast.at_s is None:
        return ""
    return instant(forecast.at_s * SECOND_NS, with_date=True)[:16] + " UTC"


def window_words(spec: Spec) -> str:
    """Over what: "28 d, rolling", "month of Europe/Berlin"."""
    window = spec.objective.window
    if isinstance(window, Calendar):
        return f"calendar {window.value}, {spec.time_zone}"
    return f"{length_words(window.length_s)}, rolling"


def budgeting_words(spec: Spec) -> str:
    """What its budget is spent on."""
    budgeting = spec.objective.budgeting
    slices = f"slices of {length_words(spec.objective.slice_s)}"
    if isinstance(budgeting, Occurrences):
        return "seconds of copies" if spec.measure is Measure.STALE_TIME else "events"
    if isinstance(budgeting, Timeslices):
        return f"{slices}, each good from {target_words(budgeting.goal)} on"
    return f"{slices}, each by its share"


def bad_words(measure: Measure, counts: Counts) -> str:
    """How much was bad, of how much that was judged."""
    if measure is Measure.STALE_TIME:
        return f"{_seconds(counts.bad_weight)} of {_seconds(counts.judged_weight)}"
    return f"{counts.bad:,} of {counts.judged:,}"


def undecided_words(measure: Measure, counts: Counts) -> str:
    """How much is neither proven good nor proven bad."""
    if measure is Measure.STALE_TIME:
        return _seconds(counts.judged_weight - counts.good_weight - counts.bad_weight)
    return f"{counts.indeterminate:,}"


def burnt_words(measure: Measure, counts: Counts) -> str:
    """What was bad in a window: 3 bad ones, 12 s."""
    if measure is Measure.STALE_TIME:
        return f"{_seconds(counts.bad_weight)} stale"
    return count(counts.bad, "bad one", "bad ones")


def unit_words(measure: Measure) -> str:
    """The head over amounts of what was bad."""
    return "Stale seconds" if measure is Measure.STALE_TIME else "Bad"


def _seconds(seconds: float) -> str:
    return f"{seconds:,.0f} s"


def promise_words(spec: Spec) -> str:
    """What is promised, in a line."""
    limit = spec.max_staleness_ns
    within = "each layer's maximum" if limit is None else duration(limit)
    places = ", ".join(
        f"{keyspace} on {' and '.join(sorted(layers))}"
        for keyspace, layers in spec.placement.items()
    )
    region = f", region {spec.region}" if spec.region else ""
    return f"{MEASURES[spec.measure]}, within {within}: {places}{region}"


def pair_words(decision: Decision) -> str:
    """The windows of a pair."""
    pair = decision.pair
    return f"{length_words(pair.long_s)} and {length_words(pair.short_s)}"
