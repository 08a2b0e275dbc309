"""What cannot be seen, in plain words."""

from dashboard.wording import count, duration, small_percent
from freshness.blind_spots import Blind, BlindSpot


def blind_words(spot: BlindSpot) -> str:
    """One reason as a sentence that ends what "of this layer" begins."""
    said = _SAID[spot.kind]
    return said.format(
        length=duration(spot.length_ns),
        half=duration(spot.length_ns // 2),
        share=small_percent(spot.share),
        nodes=count(spot.number, "node does", "nodes do"),
        number=f"{spot.number:,}",
    )


_SAID = {
    Blind.NO_READS: "No copy was judged: whatever went wrong here went unseen.",
    Blind.SLOW_WALK: (
        "An invalidation that is lost before anybody tells us of it is only found by the walk: "
        "after {half} on average, {length} at worst, and not if it heals before that."
    ),
    Blind.UNKNOWN_WALK: (
        "How long a walk over all keys takes is not known: a random loss may wait long."
    ),
    Blind.NO_MESSAGES: (
        "No invalidation came in this window, so that no copy was checked for the sake of one."
    ),
    Blind.POOL: (
        "It is a pool: many caches answer as one, so there are no event checks, and one bad cache "
        "among good ones is only met by chance."
    ),
    Blind.NO_CHECKS: "Invalidations came, and no copy was read again for any of them.",
    Blind.LOST_CHECKS: (
        "{share} of the event checks came too late or had no answer: those copies went unchecked."
    ),
    Blind.SAMPLED_CHECKS: (
        "More invalidations came than the nodes may be read for: {share} were left out by lot."
    ),
    Blind.NO_SWEEP: (
        "No sweep ever went through all entries: copies of keys that no list names are not seen."
    ),
    Blind.OLD_SWEEP: (
        "The last sweep is {length} old: copies of keys that no list names went unseen since."
    ),
    Blind.NO_LIFETIMES: (
        "Copies tell neither a time to live nor an age, so that many causes stay undecided."
    ),
    Blind.SILENT_NODES: "{nodes} not answer: what is held there is unknown, not fresh.",
    Blind.SILENT_MINUTES: "In {share} of its node-minutes no copy was judged.",
    Blind.FEW_SAMPLES: (
        "A rarer fault than the sample supports may go unseen: {number} more clean samples "
        "support the next nine."
    ),
}
