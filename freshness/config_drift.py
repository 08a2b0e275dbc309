"""Whether caches are what the catalogue says: one small function a kind, each on counted evidence.

Each gives a third answer where the evidence does not decide, and tells proof from a hint: a hint
rests on what usually is so (spans are exported, entries are met at random moments of their lives),
and says on what.
"""

from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from typing import Final, NamedTuple

from freshness.histogram import bucket_span
from freshness.ttl_drift import Drift, Fit, Lifetime
from freshness.ttl_sample import TtlCell

_NS: Final = 10**9
LEAST_ENTRIES: Final = 30
"""Entries looked at, below which the longest of their times to live says little."""
SHORT_SHARE: Final = 0.5
"""A longest time below this share of the documented one suggests that it is not documented."""
SMALLEST_CHANCE: Final = 1e-6
"""What is claimed at most: reads of one entry are not independent."""
LEAST_READS: Final = 200
LEAST_COPIES: Final = 50
LEAST_HEALED: Final = 5
LEAST_RECEIPTS: Final = 3
LEAST_HEARD: Final = 20
LEAST_CHECKS: Final = 5
MOST_EXAMPLES: Final = 5


class Kind(StrEnum):
    """What is documented and observed."""

    TTL = "ttl"
    MECHANISM = "mechanism"
    ADDRESSING = "addressing"
    SUBSCRIPTION = "subscription"
    OWNERSHIP = "ownership"


class Standing(StrEnum):
    """How the one stands to the other."""

    HOLDS = "holds"
    DRIFTS = "drifts"
    UNKNOWN = "unknown"


class Conformity(NamedTuple):
    """What came of one comparison: its named reason, the same in words, and the evidence.

    `is_proof` is false for a drift that the evidence only suggests. `figures` are counts, and
    durations in nanoseconds where their name ends so.
    """

    kind: Kind
    standing: Standing
    reason: str
    said: str
    is_proof: bool = False
    figures: Mapping[str, int] = {}
    examples: Sequence[str] = ()


class Lifetimes(NamedTuple):
    """The documented time to live, None where there is none, and whether copies come from caches.

    A copy that is filled from a cache may begin with what was left there.
    """

    documented_ns: int | None
    jitter_ns: int = 0
    is_filled_from_cache: bool = False


def compare_ttl(cell: TtlCell, said: Lifetimes) -> Conformity:
    """Times to live that entries had left, against the documented one and its jitter."""
    if said.documented_ns is None:
        return _unknown(Kind.TTL, "undocumented", "no time to live is documented", _ttl(cell, 0))
    most_ns = said.documented_ns + said.jitter_ns
    figures = _ttl(cell, most_ns)
    if cell.endless:
        words = f"{cell.endless} of {_entries(cell.n)} never expire"
        return _drifts(Kind.TTL, "never-expires", words, figures, (cell.endless_key,))
    if cell.longest_ns is None:
        return _unknown(Kind.TTL, "not-seen", "no entry told its time to live", figures)
    longest = Lifetime(cell.longest_ns / _NS, None)
    if Drift(longest, said.documented_ns / _NS, said.jitter_ns / _NS).fit is Fit.LONGER:
        words = f"an entry had {_s(cell.longest_ns)} left, of {_s(most_ns)} at most"
        return _drifts(Kind.TTL, "longer", words, figures, (cell.longest_key,))
    return _compare_reach(cell, said, figures)


def _compare_reach(cell: TtlCell, said: Lifetimes, figures: Mapping[str, int]) -> Conformity:
    """Nothing is too long; is everything too short?"""
    assert cell.longest_ns is not None
    assert said.documented_ns is not None
    least_ns = max(1, said.documented_ns - said.jitter_ns)
    watched_ns = (cell.last_ns or 0) - (cell.first_ns or 0)
    share, seen = cell.longest_ns / least_ns, _entries(cell.n)
    if cell.n < LEAST_ENTRIES:
        return _unknown(Kind.TTL, "too-few", f"only {seen} told their time to live", figures)
    if share > SHORT_SHARE:
        words = f"{seen} had {_s(cell.longest_ns)} left at most, as documented"
        return Conformity(Kind.TTL, Standing.HOLDS, "within", words, figures=figures)
    if said.is_filled_from_cache:
        words = "copies come from another cache, and may begin with what was left there"
        return _unknown(Kind.TTL, "inherited", words, figures)
    if watched_ns < 2 * least_ns:
        words = "watched for less than two documented lifetimes: entries may be of one age"
        return _unknown(Kind.TTL, "too-short-a-watch", words, figures)
    chance = max(share**cell.n, SMALLEST_CHANCE)
    words = (
        f"{seen} had {_s(cell.longest_ns)} left at most, of {_s(least_ns)} documented; met at "
        f"random moments of such lives, that would be a chance of {chance:.1g}"
    )
    return _suggests(Kind.TTL, "shorter", words, figures, (cell.longest_key,))


class Healing(StrEnum):
    """How a stale copy went away."""

    EXPIRY = "expiry"
    """Its time to live ended just then."""
    MESSAGE = "message"
    """The node applied a message about it just then."""
    OTHER = "other"
    UNKNOWN = "unknown"
    """It told no time to live, and no message is known."""


class Workings(NamedTuple):
    """How a layer was seen to work: receipts it sent, how its stale copies healed, its checks.

    `followed` counts event-triggered checks that showed a new version within the maximum staleness,
    `behind` those that did not after it.
    """

    is_by_time: bool
    receipts: int = 0
    healings: Mapping[Healing, int] = {}
    followed: int = 0
    behind: int = 0
    examples: Sequence[str] = ()


def compare_mechanism(seen: Workings) -> Conformity:
    """Whether changes reach a layer as documented: by its own time, or by messages."""
    by_expiry, by_message, *others = (seen.healings.get(way, 0) for way in Healing)
    figures = {
        "receipts": seen.receipts,
        "healed_by_expiry": by_expiry,
        "healed_by_message": by_message,
        "healed_otherwise": sum(others),
        "checks_followed": seen.followed,
        "checks_behind": seen.behind,
    }
    if seen.is_by_time:
        return _compare_by_time(seen, figures)
    follows = seen.followed >= LEAST_CHECKS and seen.followed > seen.behind
    if seen.receipts >= LEAST_RECEIPTS or by_message or follows:
        words = f"messages act here: {seen.receipts:,} receipts"
        words += f", {seen.followed:,} checks in time" if seen.followed else ""
        return Conformity(Kind.MECHANISM, Standing.HOLDS, "acts", words, figures=figures)
    if by_expiry < LEAST_HEALED:
        words = "neither receipts nor enough copies whose end is known"
        return _unknown(Kind.MECHANISM, "too-few", words, figures)
    words = f"{by_expiry} stale copies lived until their time ended, and no message did anything"
    return _suggests(Kind.MECHANISM, "heals-by-expiry", words, figures, seen.examples)


def _compare_by_time(seen: Workings, figures: Mapping[str, int]) -> Conformity:
    if seen.receipts >= LEAST_RECEIPTS:
        words = f"{seen.receipts} receipts came from a layer that is documented to take no message"
        return _drifts(Kind.MECHANISM, "takes-messages", words, figures, seen.examples)
    by_expiry = seen.healings.get(Healing.EXPIRY, 0)
    if by_expiry >= LEAST_HEALED:
        words = f"{by_expiry} stale copies ended with their time, as documented"
        return Conformity(Kind.MECHANISM, Standing.HOLDS, "expires", words, figures=figures)
    return _unknown(Kind.MECHANISM, "too-few", "too few copies were seen to end", figures)


class Copies(NamedTuple):
    """What sampled reads of a keyspace found on a layer, and keys that the origin has."""

    found: int
    missed: int
    unreadable: int
    at_origin: Sequence[str] = ()


def compare_addressing(seen: Copies) -> Conformity:
    """Whether a keyspace's keys, and its versions, are where the catalogue says."""
    reads, held = seen.found + seen.missed + seen.unreadable, seen.found + seen.unreadable
    figures = {"found": seen.found, "missed": seen.missed, "unreadable": seen.unreadable}
    if held >= LEAST_COPIES and seen.unreadable > seen.found:
        words = f"{seen.unreadable:,} of {held:,} copies carry nothing that can be read as declared"
        return _drifts(Kind.ADDRESSING, "unreadable", words, figures)
    if seen.found:
        words = f"{seen.found:,} of {reads:,} reads found a copy that can be read"
        return Conformity(Kind.ADDRESSING, Standing.HOLDS, "found", words, figures=figures)
    if reads < LEAST_READS or held:
        return _unknown(Kind.ADDRESSING, "too-few", f"only {reads:,} reads", figures)
    if not seen.at_origin:
        words = "the origin is not known to have any of the keys"
        return _unknown(Kind.ADDRESSING, "no-origin", words, figures)
    words = (
        f"none of {reads:,} reads found a copy of keys that the origin has: "
        "they stand elsewhere, or the layer holds none"
    )
    return _suggests(Kind.ADDRESSING, "all-missing", words, figures, seen.at_origin)


class Hearing(NamedTuple):
    """Receipts of a node, and of each other one of its layer; its checks, as in `Workings`."""

    own: int
    others: Sequence[int]
    was_there: bool = True
    """Whether the node answered throughout."""
    followed: int = 0
    behind: int = 0


def compare_subscription(seen: Hearing) -> Conformity:
    """Whether a node of a layer that takes messages hears them."""
    most = max(seen.others, default=0)
    figures = {
        "receipts": seen.own,
        "receipts_of_others": most,
        "checks_followed": seen.followed,
        "checks_behind": seen.behind,
    }
    if seen.own:
        words = f"it acknowledged {seen.own:,} messages"
        return Conformity(Kind.SUBSCRIPTION, Standing.HOLDS, "acknowledges", words, figures=figures)
    if most < LEAST_HEARD:
        words = "too few messages were acknowledged by the other nodes"
        return _unknown(Kind.SUBSCRIPTION, "too-few", words, figures)
    if not seen.was_there:
        return _unknown(Kind.SUBSCRIPTION, "not-there", "it did not answer throughout", figures)
    if seen.followed >= LEAST_CHECKS and seen.followed > seen.behind:
        words = "no receipt, but its copies follow: it may hear, and export no spans"
        return _unknown(Kind.SUBSCRIPTION, "follows-unheard", words, figures)
    words = f"no receipt, while another node acknowledged {most:,} messages"
    if seen.behind >= LEAST_CHECKS and not seen.followed:
        words += f", and each of {seen.behind} checks found it behind"
    return _suggests(Kind.SUBSCRIPTION, "no-receipts", words, figures)


class Placed(NamedTuple):
    """A key that was met at a node, by its copy or by a receipt."""

    key: str
    node: str
    is_receipt: bool


def compare_ownership(
    met: Collection[Placed], owners: Mapping[str, Collection[str]] | None
) -> Conformity:
    """Whether keys are met at the nodes that own them; `owners` is None where no ring is known."""
    if owners is None:
        words = "each node may hold each key"
        return _unknown(Kind.OWNERSHIP, "everywhere", words, {})
    known = [each for each in met if each.key in owners]
    astray = [each for each in known if each.node not in owners[each.key]]
    receipts = sum(each.is_receipt for each in astray)
    figures = {"met": len(known), "receipts": receipts, "copies": len(astray) - receipts}
    if astray:
        words = f"{len(astray):,} of {len(known):,} keys were met at a node that does not own them"
        places = [f"{each.key} at {each.node}" for each in sorted(astray)]
        return _drifts(Kind.OWNERSHIP, "astray", words, figures, places)
    if len(known) < LEAST_ENTRIES:
        return _unknown(Kind.OWNERSHIP, "too-few", f"only {len(known)} keys were met", figures)
    words = f"{len(known):,} keys were met at their owners alone"
    return Conformity(Kind.OWNERSHIP, Standing.HOLDS, "at-owners", words, figures=figures)


def _ttl(cell: TtlCell, most_ns: int) -> dict[str, int]:
    """`outside` counts buckets that lie beyond as a whole, so that it is no more than there are."""
    buckets = cell.remaining.buckets.items()
    scale = cell.remaining.scale
    beyond = sum(n for at, n in buckets if most_ns and bucket_span(at, scale).low_ns >= most_ns)
    figures = {"entries": cell.n, "never_expiring": cell.endless}
    if cell.longest_ns is not None:
        figures["longest_ns"] = cell.longest_ns
    is_beyond = bool(most_ns) and (cell.longest_ns or 0) > most_ns
    return {**figures, "outside": cell.endless + max(beyond, int(is_beyond))}


def _entries(n: int) -> str:
    return f"{n:,} entr{'y' if n == 1 else 'ies'}"


def _s(ns: int) -> str:
    seconds = ns / _NS
    return f"{seconds:,.0f} s" if seconds >= 100 else f"{seconds:.3g} s"


def _unknown(kind: Kind, reason: str, said: str, figures: Mapping[str, int]) -> Conformity:
    return Conformity(kind, Standing.UNKNOWN, reason, said, figures=figures)


def _drifts(
    kind: Kind,
    reason: str,
    said: str,
    figures: Mapping[str, int],
    examples: Sequence[str] = (),
) -> Conformity:
    """Proven to be another thing than documented."""
    shown = tuple(examples[:MOST_EXAMPLES])
    return Conformity(kind, Standing.DRIFTS, reason, said, True, figures, shown)


def _suggests(
    kind: Kind,
    reason: str,
    said: str,
    figures: Mapping[str, int],
    examples: Sequence[str] = (),
) -> Conformity:
    """The same, where the evidence suggests it."""
    return _drifts(kind, reason, said, figures, examples)._replace(is_proof=False)
