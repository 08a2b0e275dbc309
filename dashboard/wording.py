"""How figures are said: durations, shares, counts, instants and versions as short words.

Shares round down, so that nothing is called whole that is not; instants are UTC.
"""

from datetime import UTC, datetime

from freshness.model import Reason, Value
from freshness.words import duration, interval, percent, small_percent

__all__ = ["duration", "interval", "percent", "small_percent"]
SECOND_NS = 1_000_000_000

REASONS = {
    Reason.SUPERSEDED: "a newer version had committed longer ago than the maximum staleness",
    Reason.CURRENT: "the value was current within the maximum staleness",
    Reason.BETWEEN: "the maximum staleness lies between the bounds",
    Reason.NO_EVIDENCE: "no evidence bounds the staleness from above",
    Reason.AHEAD: "the cache is ahead of every origin read: the write may be in flight",
    Reason.PHANTOM: "the origin, asked after the read, still did not have this version",
    Reason.CONTRADICTION: "two pieces of evidence contradict each other",
    Reason.EPOCH: "version numbers were reused; this one may be of either life",
    Reason.MISMATCH: "the digest differs from the origin's, and digests have no order",
    Reason.TORN: "the version is the origin's, the projection is not",
    Reason.INCOMPARABLE: "value and evidence share neither version nor projection",
    Reason.UNREADABLE: "the value carries no readable version",
    Reason.NO_ANSWER: "the node gave no readable answer",
    Reason.MISSING: "the cache held nothing",
}


def behind(lower: int, upper: int | None) -> str:
    """Versions behind: "2", "1 to 3", "at least 1"."""
    if upper is None:
        return f"at least {lower}"
    return str(lower) if lower == upper else f"{lower} to {upper}"


def count(number: float, one: str, many: str | None = None) -> str:
    """A number and its noun: "1 key", "12,400 reads"."""
    noun = one if number == 1 else many or f"{one}s"
    return f"{number:,.0f} {noun}"


def version(value: Value | None) -> str:
    """A value as people name it: "v12", "absent", the first of a digest."""
    if value is None:
        return "nothing"
    gone = " (absent)" if value.absent else ""
    if value.version is not None:
        return f"v{value.version}{gone}"
    if value.projection is not None:
        return shortened(value.projection, 10) + gone
    return "absent"


def cause(name: str) -> str:
    """A cause class as people say it: "refill race", "wrong TTL"."""
    return name.replace("-", " ").replace("ttl", "TTL")


def shortened(text: str, length: int) -> str:
    """Text of at most so many characters, an ellipsis included."""
    return text if len(text) <= length else text[: length - 1] + "…"


def instant(at_ns: int, *, with_date: bool = False) -> str:
    """Unix nanoseconds as UTC, to the second."""
    return moment(at_ns).strftime("%Y-%m-%d %H:%M:%S" if with_date else "%H:%M:%S")


def iso(at_ns: int) -> str:
    """Unix nanoseconds as UTC for a chart or an address, to the millisecond."""
    return moment(at_ns).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at_ns // 1_000_000 % 1_000:03d}"


def moment(at_ns: int) -> datetime:
    """Unix nanoseconds as a datetime in UTC."""
    return datetime.fromtimestamp(at_ns / SECOND_NS, UTC)


def ago(at_ns: int, now_ns: int) -> str:
    """How long ago an instant is, in words."""
    past = now_ns - at_ns
    return "just now" if past < SECOND_NS else f"{duration(past - past % SECOND_NS)} ago"
