"""What the messages about one key, and the words of one node, say of a copy; rows in, facts out."""

from collections.abc import Sequence

from freshness.causes import Heard
from freshness.propagation import Commit
from store.base import FindingRow
from store.messages import InvalidationRow, Told
from store.streams import NodeName


def find_successor(of_key: Sequence[Told], row: FindingRow) -> Told | None:
    """The message of the least version above the copy's."""
    held = row.held.version
    newer = [
        (told.invalidation.version, told.invalidation.received_at_ns, told.invalidation.id, told)
        for told in of_key
        if told.invalidation.version is not None
        and held is not None
        and told.invalidation.version > held
    ]
    return min(newer, key=lambda each: each[:3])[3] if newer else None


def words_of(of_key: Sequence[Told], name: NodeName) -> Sequence[Heard]:
    """The node's words on messages about the key, by its own clock."""
    words = [
        Heard(
            told.invalidation.id,
            told.invalidation.version,
            each.outcome,
            each.at_ns,
            each.received_at_ns,
        )
        for told in of_key
        for each in told.receipts
        if (each.layer, each.node) == name
    ]
    return sorted(words, key=lambda word: (word.at, word.arrived_at, word.message))


def find_speech(
    around: Sequence[Told], name: NodeName, commit: Commit, stale_at: int
) -> int | None:
    """The arrival of a word of the node on any message, between the commit and the last read."""
    spoken = (
        each.received_at_ns
        for told in around
        for each in told.receipts
        if (each.layer, each.node) == name
        and commit.before is not None
        and commit.before < each.at_ns <= each.received_at_ns < stale_at
    )
    return min(spoken, default=None)


def find_passing(around: Sequence[Told], sent: InvalidationRow, name: NodeName) -> int | None:
    """When the node's first word on a later message of the same publisher and stream arrived."""
    if sent.sequence is None or not sent.publisher:
        return None
    later = [
        each.received_at_ns
        for told in around
        if (told.invalidation.publisher, told.invalidation.stream) == (sent.publisher, sent.stream)
        and (told.invalidation.sequence or 0) > sent.sequence
        and told.invalidation.written_at_ns > sent.written_at_ns
        for each in told.receipts
        if (each.layer, each.node) == name
    ]
    return min(later, default=None)


def as_of(around: Sequence[Told], at_ns: int) -> list[Told]:
    """What was known at an instant: of what came later, nobody could say that it was missing."""
    return [
        Told(told.invalidation, [each for each in told.receipts if each.received_at_ns <= at_ns])
        for told in around
        if told.invalidation.received_at_ns <= at_ns
    ]


def is_quiet(around: Sequence[Told], name: NodeName, at_ns: int, window_ns: int) -> bool:
    """Whether the node has acknowledged nothing of what was written in a window up to an instant.

    That is soon seen, and what sequences prove of its silence is not.
    """
    return not any(
        (each.layer, each.node) == name and each.received_at_ns <= at_ns
        for told in around
        if told.invalidation.written_at_ns > at_ns - window_ns
        for each in told.receipts
    )
