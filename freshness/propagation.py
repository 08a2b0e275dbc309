"""How one invalidation spread: what a node claims of it, and what probes of the node saw.

The two are never merged. A claim rests on stamps of the publisher's and the node's hosts; what was
observed rests on the wall clock of the one observer. An exporter samples and drops spans, so that
no word of a node is unknown; it is bad only where a sequence or a probe says so. Instants and
limits share one unit.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from fractions import Fraction
from math import ceil, inf
from typing import NamedTuple

from freshness.model import Read, Result
from freshness.visibility import Delay, visibility_delay


class Status(StrEnum):
    """What became of one invalidation at one node."""

    IN_TIME = "in-time"
    LATE = "late"
    MISSING = "missing"
    """Bad, and proven so: the sequence of the node went past it, or a probe saw the old version."""
    FAILED = "failed"
    UNKNOWN = "unknown"
    GONE = "gone"
    """The node is not listed any more, and said nothing before it went."""


class Why(StrEnum):
    """The reason of a status."""

    WITHIN_LIMIT = "within-limit"
    OVER_LIMIT = "over-limit"
    AROUND_LIMIT = "limit-between-bounds"
    NO_LIMIT = "no-limit"
    REPORTED = "reported-by-node"
    SEQUENCE_PASSED = "sequence-passed"
    STILL_BEHIND = "probe-still-behind"
    SEEN = "seen-by-probe"
    NOT_YET = "limit-not-reached"
    NO_WORD = "no-word"
    NOT_LISTED = "not-listed"
    CLOCKS_DISAGREE = "clocks-disagree"
    NOT_PROBED = "not-probed"
    NO_ORDER = "no-order"
    """The message names no key, or a version without an order: no probe can be held against it."""
    NOT_BOUNDED = "commit-not-bounded"
    """Nothing that the observer saw at the origin tells when the version committed."""


class Caveat(StrEnum):
    """What a lag must not be shown without."""

    TWO_CLOCKS = "two-clocks"
    """The stamps are of two hosts (or hosts unnamed): their difference holds the clocks' offset."""
    CLOCKS_DISAGREE = "clocks-disagree"
    """A receipt from before the write, or of another host from after its own arrival.

    Then the lag is no duration.
    """


class Message(NamedTuple):
    """What an invalidation is to a lag; `arrived_at` is the observer's, `written_at` its host's."""

    written_at: int
    arrived_at: int
    host: str = ""
    version: int | None = None


class Word(NamedTuple):
    """One receipt of one node; `at` is by the clock of `host`, `arrived_at` by the observer's."""

    outcome: str
    at: int
    arrived_at: int
    host: str = ""


class Claimed(NamedTuple):
    """A node's own account.

    `lag` is receipt less write, as stamped: negative with the caveat `clocks-disagree` alone.
    `at_most`, arrival less write, bounds what is not of one clock: None where the lag is exact.
    `delay` is what a quantile may use of it, if anything.
    """

    status: Status
    why: Why
    word: Word | None = None
    lag: int | None = None
    at_most: int | None = None
    caveat: Caveat | None = None
    delay: Delay | None = None


class Sight(NamedTuple):
    """Consecutive equal probes of one key at one place: stamps of the first and of the last.

    `ended_by` is what parted them from the next ones, empty where nothing has yet. Probes may run
    at the same time, so that sights of one place may overlap.
    """

    result: Result
    version: int | None
    first_start: int
    first_end: int
    last_start: int
    last_end: int
    linearizable: bool = False
    ended_by: str = ""

    @property
    def reads(self) -> tuple[Read, Read]:
        """The first and the last of them."""
        return Read(self.first_start, self.first_end), Read(self.last_start, self.last_end)


class Commit(NamedTuple):
    """L(v) and U(v) of the version; None is unbounded."""

    after: int | None = None
    before: int | None = None


class Observed(NamedTuple):
    """What probes saw. `behind_at` and `seen_by` are the two probes that the delay rests on."""

    status: Status
    why: Why
    delay: Delay | None = None
    behind_at: int | None = None
    seen_by: int | None = None


class Tally(NamedTuple):
    """Many accounts of one kind: how many of each status, and the delays that can be ranked."""

    counts: Mapping[Status, int]
    delays: Sequence[Delay]


_RANK = {"applied": 0, "superseded": 1, "duplicate": 2, "failed": 3}


def choose_word(words: Iterable[Word]) -> Word | None:
    """The word that counts: the first applied, else the best there is, whatever came when.

    A node that had something newer (superseded) is as well served. A duplicate alone tells of an
    earlier receipt whose span is missing. A failure counts where nothing else was said.
    """
    return min(words, key=lambda word: (_RANK.get(word.outcome, 3), *word[1:]), default=None)


def judge_claim(
    message: Message,
    words: Iterable[Word],
    limit: int | None,
    now: int,
    *,
    is_listed: bool = True,
    is_passed: bool = False,
    observed: Observed | None = None,
) -> Claimed:
    """A node's account of one message. `is_passed`: its sequence proves that it never came."""
    word = choose_word(words)
    age = max(0, now - message.arrived_at)
    if word is None:
        status, why = _judge_silence(age, limit, is_listed, is_passed, observed)
        owed = Delay(age, None, is_censored=True) if status is Status.MISSING else None
        return Claimed(status, why, delay=owed)
    lag = word.at - message.written_at
    caveat = _caveat(message, word, lag)
    at_most = None if caveat is None else word.arrived_at - message.written_at
    if _RANK.get(word.outcome, 3) == _RANK["failed"]:
        owed = Delay(age, None, is_censored=True)
        return Claimed(Status.FAILED, Why.REPORTED, word, lag, at_most, caveat, owed)
    delay = Delay(lag, lag)
    if caveat is Caveat.CLOCKS_DISAGREE:
        delay = Delay(0, at_most if at_most is not None and at_most >= 0 else None)
    status, why = _judge_delay(delay, limit)
    if status is Status.UNKNOWN and caveat is Caveat.CLOCKS_DISAGREE:
        why = Why.CLOCKS_DISAGREE
    return Claimed(status, why, word, lag, at_most, caveat, delay)


def bound_commit(version: int, origin: Iterable[Sight]) -> Commit:
    """When a version committed, by what the observer saw at the origin; late reads only tighten.

    Reads that contradict one another (a restore, a reused number) bound nothing.
    """
    after = before = None
    for sight in origin:
        if sight.version is None:
            continue
        if sight.version >= version:
            before = sight.first_end if before is None else min(before, sight.first_end)
        elif sight.linearizable:
            after = sight.last_start if after is None else max(after, sight.last_start)
    if after is not None and before is not None and after > before:
        return Commit()
    return Commit(after, before)


def judge_sights(
    version: int | None,
    commit: Commit,
    sights: Sequence[Sight],
    limit: int | None,
    *,
    is_listed: bool = True,
) -> Observed:
    """What probes of one key at one node say of one version."""
    if version is None:
        return Observed(Status.UNKNOWN, Why.NO_ORDER)
    seen_by = _first_without_old(version, commit, sights)
    behind_at = _last_behind(version, sights, seen_by)
    delay = visibility_delay(behind_at, seen_by, commit.after, commit.before)
    if seen_by is not None:
        status, why = _judge_delay(delay, limit)
        if status is Status.UNKNOWN and delay.upper is None and why is Why.AROUND_LIMIT:
            # Anything from nothing on says nothing, and is not ranked.
            told = delay if delay.lower else None
            return Observed(status, Why.NOT_BOUNDED, told, behind_at, seen_by)
        return Observed(status, why, delay, behind_at, seen_by)
    if limit is not None and delay.lower > limit:
        return Observed(Status.MISSING, Why.STILL_BEHIND, delay, behind_at)
    if not is_listed:
        return Observed(Status.GONE, Why.NOT_LISTED)
    return Observed(Status.UNKNOWN, _why_unseen(behind_at, commit, limit), None, behind_at)


def worst_of(accounts: Iterable[Observed]) -> Observed:
    """A message of several keys: it is there when the last of them is."""
    each = list(accounts)
    if not each:
        return Observed(Status.UNKNOWN, Why.NO_ORDER)
    worst = min(each, key=lambda account: (_BADNESS.index(account.status), account.why))
    delays = [account.delay for account in each if account.delay is not None]
    return worst._replace(delay=_latest(delays) if len(delays) == len(each) else worst.delay)


def tally(accounts: Iterable[Claimed | Observed]) -> Tally:
    """Count accounts of one kind; never of both."""
    each = list(accounts)
    counts = Counter(account.status for account in each)
    delays = [account.delay for account in each if account.delay is not None]
    return Tally({status: counts[status] for status in Status}, delays)


def delay_quantile(delays: Sequence[Delay], q: float) -> Delay | None:
    """Where the value of rank ceil(q n) lies; None where there is none.

    The rank of the lower bounds is below it and that of the upper bounds is not: what is missing
    counts as at least its age, without an upper bound.
    """
    if not delays:
        return None
    rank = max(1, ceil(Fraction(str(q)) * len(delays)))
    lower = sorted(delay.lower for delay in delays)[rank - 1]
    upper = sorted(inf if delay.upper is None else delay.upper for delay in delays)[rank - 1]
    is_open = upper == inf
    return Delay(lower, None if is_open else int(upper), is_censored=is_open)


_BADNESS = (
    Status.MISSING, Status.FAILED, Status.LATE, Status.UNKNOWN, Status.GONE, Status.IN_TIME
)  # fmt: skip


def _judge_silence(
    age: int, limit: int | None, is_listed: bool, is_passed: bool, observed: Observed | None
) -> tuple[Status, Why]:
    seen = observed.status if observed is not None else Status.UNKNOWN
    if seen in (Status.MISSING, Status.LATE):
        return Status.MISSING, Why.STILL_BEHIND
    if observed is not None and observed.seen_by is not None:
        return Status.UNKNOWN, Why.SEEN
    if is_passed:
        return Status.MISSING, Why.SEQUENCE_PASSED
    if not is_listed:
        return Status.GONE, Why.NOT_LISTED
    is_early = limit is not None and age <= limit
    return Status.UNKNOWN, Why.NOT_YET if is_early else Why.NO_WORD


def _caveat(message: Message, word: Word, lag: int) -> Caveat | None:
    if lag < 0:
        return Caveat.CLOCKS_DISAGREE
    if message.host and message.host == word.host:
        return None
    return Caveat.CLOCKS_DISAGREE if word.at > word.arrived_at else Caveat.TWO_CLOCKS


def _judge_delay(delay: Delay, limit: int | None) -> tuple[Status, Why]:
    if limit is None:
        return Status.UNKNOWN, Why.NO_LIMIT
    if delay.lower > limit:
        return Status.LATE, Why.OVER_LIMIT
    if delay.upper is not None and delay.upper <= limit:
        return Status.IN_TIME, Why.WITHIN_LIMIT
    return Status.UNKNOWN, Why.AROUND_LIMIT


def _first_without_old(version: int, commit: Commit, sights: Sequence[Sight]) -> int | None:
    """The end of the first probe that saw the version or, once it had committed, no copy at all."""
    ends = [s.first_end for s in sights if s.version is not None and s.version >= version]
    if commit.before is not None:
        for sight in sights:
            if sight.result is Result.MISS and sight.last_start >= commit.before:
                is_whole = sight.first_start >= commit.before
                ends.append(sight.first_end if is_whole else sight.last_end)
    return min(ends, default=None)


def _last_behind(version: int, sights: Sequence[Sight], seen_by: int | None) -> int | None:
    """The start of the last probe that saw less, before the version was seen."""
    starts = [
        start
        for sight in sights
        if sight.version is not None and sight.version < version
        for start in (sight.first_start, sight.last_start)
        if seen_by is None or start < seen_by
    ]
    return max(starts, default=None)


def _why_unseen(behind_at: int | None, commit: Commit, limit: int | None) -> Why:
    if behind_at is None or (commit.before is not None and behind_at < commit.before):
        return Why.NOT_PROBED
    if commit.before is None:
        return Why.NOT_BOUNDED
    return Why.NO_LIMIT if limit is None else Why.NOT_YET


def _latest(delays: Sequence[Delay]) -> Delay:
    uppers = [delay.upper for delay in delays if delay.upper is not None]
    upper = max(uppers) if len(uppers) == len(delays) else None
    is_censored = any(delay.is_censored for delay in delays)
    return Delay(max(delay.lower for delay in delays), upper, is_censored)
