"""Sequences of one publisher and stream: what a node provably never heard, and who went silent.

A message is named by its number and the instant it was written, by the publisher's own clock: so a
number that a restarted publisher uses again is another message, and evidence may come in any order.
Only messages whose publication is known are looked for: what a trace sampler dropped whole is no
gap.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import pairwise
from typing import NamedTuple

REORDERED = 64
"""How far a sequence may fall back, among messages written close together, and go on after."""
LEAST_PER_GAP = 10
"""Acknowledgements for each gap below which spans look sampled, and a gap is no proof."""
LEAST_MISSED = 3


class Sent(NamedTuple):
    """One message of one (publisher, stream)."""

    written_at: int
    sequence: int


class Gap(NamedTuple):
    """Messages in a row, of one epoch, that a node never acknowledged between two that it did.

    `is_proof` is false where so many are missing that the spans look sampled.
    """

    epoch: int
    first: int
    last: int
    messages: tuple[Sent, ...]
    is_proof: bool


class Silence(NamedTuple):
    """A node that acknowledges nothing while others do.

    `last` is the newest message it acknowledged; None is no word ever, which may be a node that
    exports no spans. `missed` is how many others acknowledged since.
    """

    node: str
    last: Sent | None
    missed: int

    @property
    def is_deaf(self) -> bool:
        """Whether it used to hear."""
        return self.last is not None


def number_epochs(messages: Iterable[Sent], grace: int) -> dict[Sent, int]:
    """The epoch of each message, from 0: a sequence that begins anew opens one.

    Commits that race swap numbers; so what was written within `grace` of the highest number, is
    not far below it and was not used yet stays in its epoch.
    """
    epochs: dict[Sent, int] = {}
    epoch, used = 0, set[int]()
    highest: Sent | None = None
    for message in sorted(set(messages)):
        if highest is not None and _begins_anew(message, highest, used, grace):
            epoch, highest, used = epoch + 1, None, set()
        used.add(message.sequence)
        if highest is None or message.sequence > highest.sequence:
            highest = message
        epochs[message] = epoch
    return epochs


def find_gaps(
    messages: Collection[Sent], acknowledged: Mapping[Sent, int], now: int, grace: int
) -> list[Gap]:
    """What one node never acknowledged, though it acknowledged what came before and after.

    `acknowledged` gives the arrival of each word. What came after counts once it is older than
    `grace`: a word that is merely late overtakes nobody's.
    """
    by_epoch: dict[int, list[Sent]] = {}
    for message, epoch in number_epochs({*messages, *acknowledged}, grace).items():
        by_epoch.setdefault(epoch, []).append(message)
    rows = [
        (epoch, row)
        for epoch, members in by_epoch.items()
        for row in _missing_rows(members, acknowledged, now - grace)
    ]
    is_proof = len(rows) * LEAST_PER_GAP <= len(acknowledged)
    return [
        Gap(epoch, row[0].sequence, row[-1].sequence, tuple(row), is_proof) for epoch, row in rows
    ]


def find_lost(
    messages: Collection[Sent], acknowledged: Mapping[Sent, int], now: int, grace: int
) -> set[Sent]:
    """The messages that one node provably never heard."""
    gaps = find_gaps(messages, acknowledged, now, grace)
    return {message for gap in gaps if gap.is_proof for message in gap.messages}


def find_silent(
    acknowledged: Mapping[str, Mapping[Sent, int]], now: int, window: int
) -> list[Silence]:
    """Nodes of one layer that are frozen while others advance.

    `acknowledged` names every node that should hear the stream. Others have advanced where they
    acknowledged several messages, over at least `window`, after the node's last one.
    """
    silent = []
    for node, own in sorted(acknowledged.items()):
        last = max(own, default=None)
        others = {
            message
            for name, words in acknowledged.items()
            if name != node
            for message, at in words.items()
            if at <= now and message not in own and (last is None or message > last)
        }
        if len(others) >= LEAST_MISSED and _span(others, last) >= window:
            silent.append(Silence(node, last, len(others)))
    return silent


def _begins_anew(message: Sent, highest: Sent, used: Collection[int], grace: int) -> bool:
    if message.sequence in used:
        return True
    is_behind = message.sequence < highest.sequence
    is_far = highest.sequence - message.sequence > REORDERED
    return is_behind and (is_far or message.written_at - highest.written_at > grace)


def _missing_rows(
    members: Iterable[Sent], acknowledged: Mapping[Sent, int], settled_by: int
) -> Iterator[list[Sent]]:
    """Runs of unacknowledged messages between two acknowledged ones, by sequence."""
    ordered = sorted(members, key=lambda message: message.sequence)
    known = [at for at, message in enumerate(ordered) if message in acknowledged]
    settled = [at for at in known if acknowledged[ordered[at]] <= settled_by]
    for before, after in pairwise(known):
        if after - before > 1 and settled and after <= settled[-1]:
            latest = max(ordered[at].written_at for at in settled if at >= after)
            row = [each for each in ordered[before + 1 : after] if each.written_at <= latest]
            if row:
                yield row


def _span(others: Collection[Sent], last: Sent | None) -> int:
    begun = min(others) if last is None else last
    return max(others).written_at - begun.written_at
