"""How other keys fare at a node that went silent: what did not reach it, and what did."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from freshness.causes import Neighbours
from freshness.model import Result
from freshness.propagation import Commit, bound_commit
from freshness.sequence import Sent
from store.base import FindingRow, NodeRow
from store.lives import of_one_identity
from store.messages import Told
from store.sights import Sightings

MOST_NEIGHBOURS: Final = 40
"""Keys of messages that the node missed whose copies tell whether it is filled."""
MOST_FILLED: Final = 60
"""Keys of any message that are looked at for a fill meanwhile."""


class Quiet(NamedTuple):
    """A node that was silent when a finding of its was last read stale, at `stale_at`.

    `last` is the newest message that it acknowledged, `around` all that were sent around then.
    """

    row: FindingRow
    node: NodeRow | None
    last: Sent
    stale_at: int
    around: Sequence[Told]


def look_around(quiet: Quiet, sightings: Sightings) -> Neighbours:
    """The fates of the keys whose messages came after its last word, and the fills since then."""
    row, missed = quiet.row, _missed(quiet)
    fates = [
        _has(quiet, key, version, sightings)
        for key, version in sorted(missed.items())[:MOST_NEIGHBOURS]
    ]
    since = _fell_silent(quiet)
    asked = sorted({key for told in quiet.around for key in _keys(told, row)})[:MOST_FILLED]
    filled = [key for key in asked if since and _was_filled(quiet, key, since, sightings)]
    return Neighbours(fates.count(False), fates.count(True), len(filled))


def _missed(quiet: Quiet) -> dict[str, int]:
    """The first version of each key that the node did not hear of."""
    missed: dict[str, int] = {}
    for told in quiet.around:
        version = told.invalidation.version
        if quiet.last.written_at < told.invalidation.written_at_ns and version is not None:
            for key in _keys(told, quiet.row):
                missed[key] = min(missed.get(key, version), version)
    return missed


def _keys(told: Told, row: FindingRow) -> Sequence[str]:
    """The other keys of a message."""
    sent = told.invalidation
    is_like = sent.scope == "key" and sent.keyspace == row.keyspace
    return [key for key in sent.keys if key != row.key] if is_like else []


def _has(quiet: Quiet, key: str, version: int, sightings: Sightings) -> bool | None:
    """Whether the node had a version that it did not hear of; None where no read tells."""
    row = quiet.row
    seen = sightings.of(row.keyspace, key, row.opened_at_ns)
    sights = () if seen is None else seen.nodes.get((row.layer, row.node), ())
    shown = [s for s in sights if s.version is not None and s.first_start <= quiet.stale_at]
    newer = [s for s in shown if s.version is not None and s.version >= version]
    if newer:
        # A slow read may have met the version only after the copy was read stale.
        return True if any(s.first_end <= quiet.stale_at for s in newer) else None
    commit = Commit() if seen is None else bound_commit(version, seen.origin)
    is_read = any(commit.before is not None and s.last_start > commit.before for s in shown)
    return False if is_read else None


def _fell_silent(quiet: Quiet) -> int | None:
    """By when a message was overdue at the node that others of its layer had acknowledged."""
    row = quiet.row
    arrivals = (
        receipt.received_at_ns
        for told in quiet.around
        if told.invalidation.written_at_ns > quiet.last.written_at
        for receipt in told.receipts
        if receipt.layer == row.layer and receipt.node != row.node
    )
    heard_at = min(arrivals, default=None)
    return None if heard_at is None else heard_at + row.max_staleness_ns


def _was_filled(quiet: Quiet, key: str, since: int, sightings: Sightings) -> bool:
    """Whether one and the same node held nothing of a key after an instant, and then a copy."""
    row = quiet.row
    seen = sightings.of(row.keyspace, key, row.opened_at_ns)
    sights = () if seen is None else seen.nodes.get((row.layer, row.node), ())
    # Of many behind one address one may lack what another holds.
    reads = [
        (sight.result, read)
        for sight in of_one_identity(sights, quiet.node)
        for read in sight.reads
        if read.end <= quiet.stale_at
    ]
    missed = min(
        (read.end for result, read in reads if result is Result.MISS and read.start >= since),
        default=None,
    )
    return missed is not None and any(
        result is Result.VALUE and read.start >= missed for result, read in reads
    )
