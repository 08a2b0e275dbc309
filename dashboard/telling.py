"""How the spread of an invalidation is said: statuses, reasons and caveats as words and tones."""

from typing import Final

from dashboard.wording import duration, interval
from freshness.propagation import Caveat, Claimed, Status, Why
from freshness.visibility import Delay

STATUSES: Final = {
    Status.IN_TIME: ("in time", "good"),
    Status.LATE: ("late", "bad"),
    Status.MISSING: ("missing", "bad"),
    Status.FAILED: ("failed", "bad"),
    Status.UNKNOWN: ("unknown", "unknown"),
    Status.GONE: ("gone", "unknown"),
}
"""Words and tone of each status; what is not proven bad is never red."""

WHYS: Final = {
    Why.WITHIN_LIMIT: "within the layer's maximum staleness",
    Why.OVER_LIMIT: "over the layer's maximum staleness",
    Why.AROUND_LIMIT: "the maximum staleness lies between the bounds",
    Why.NO_LIMIT: "no maximum staleness is known for this layer",
    Why.REPORTED: "the node says that it failed",
    Why.SEQUENCE_PASSED: "the node went past its number in the sequence without it",
    Why.STILL_BEHIND: "a probe still saw an older version after the maximum staleness",
    Why.SEEN: "no receipt came, but a probe saw the version",
    Why.NOT_YET: "the maximum staleness has not passed yet",
    Why.NO_WORD: "no receipt came; exporters drop spans, so this alone proves nothing",
    Why.NOT_LISTED: "discovery no longer lists the node",
    Why.CLOCKS_DISAGREE: "the stamps contradict each other, so they give no duration",
    Why.NOT_PROBED: "no probe looked at these keys since the write",
    Why.NO_ORDER: "it names no key, or a version without an order: probes cannot decide",
    Why.NOT_BOUNDED: "nothing seen at the origin tells when the version committed",
}

CAVEATS: Final = {
    Caveat.TWO_CLOCKS: "two clocks: the lag holds their offset",
    Caveat.CLOCKS_DISAGREE: "clocks disagree: this is no duration",
}


def claimed_lag(claimed: Claimed) -> str:
    """The lag that a node claims, in words; "not known" where nothing gives one."""
    if claimed.word is None or claimed.lag is None:
        return "not known" if claimed.delay is None else delay_words(claimed.delay)
    if claimed.caveat is Caveat.CLOCKS_DISAGREE:
        return "not known"
    return duration(claimed.lag)


def delay_words(delay: Delay | None) -> str:
    """Bounds of a delay: "1.2 s to 1.4 s", "at least 15 min"; "not known" where there are none."""
    return "not known" if delay is None else interval(delay.lower, delay.upper)
