"""Strata of reads: by what way a key came to be read, and which of them the share (R) is made of.

(R) is the share of reads within their maximum staleness, each weighted by the traffic of its key
where that is known. The strata of `REPRESENTATIVE` enter it, and no others: each of their keys is
drawn with a probability that is known beforehand and has nothing to do with how fresh it is. They
are pooled, not averaged. A read of key k weighs w = t/pi, up to one factor for all keys: t is the
key's share of traffic, and pi the probability that a round reads k by *any* of them (`weigh` in
`freshness.traffic`). So it does not matter which of them read it, and the Hajek ratio over all
their reads estimates the share for any mix of them. Where no traffic is known each weight is 1.

Never in (R): keys that are read *because of* what is known of them. Recently changed keys, keys
with an open finding and event-triggered checks are staler than others; pinned keys are a choice;
canaries are nobody's traffic; swept entries are weighted by what a node holds, which is (E).
"""

from typing import Final

from freshness.rollup import SAMPLED

WALK: Final = SAMPLED
"""A systematic walk over the listed keys, which visits each equally often."""
RANDOM: Final = "random"
"""Simple random draws without replacement from the listed keys."""
HOT: Final = "hot"
"""Draws in proportion to traffic."""
PINNED: Final = "pinned"
"""Keys that are in every round."""
RECENT: Final = "recent"
"""Keys that changed of late."""
RECHECK: Final = "recheck"
"""Copies that are in doubt."""
CANARY: Final = "canary"
"""Keys that Stalewatch has written itself."""

REPRESENTATIVE: Final = frozenset({WALK, RANDOM, HOT})


def is_representative(stratum: str) -> bool:
    """Whether the reads of a stratum make up the share (R)."""
    return stratum in REPRESENTATIVE
