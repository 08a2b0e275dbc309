"""What is stored of the clock of a node: stamps of its receipts, and when its copies claim filled.

A receipt is stamped by the host that speaks for the node, before it arrives here. The number v of a
version exists once v - 1 has committed, so a receipt on v is stamped after the last read of the
leader that still showed less than v - 1, even where a message precedes its own commit.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from freshness.clock_skew import (
    LONG_AGO,
    Skew,
    Stamp,
    claim_from_age,
    claim_from_ttl,
    find_shift,
    may_be_off,
    skew_around,
)
from freshness.fill import Fill, from_absence
from freshness.model import Result
from freshness.propagation import Sight, bound_commit
from store.base import NodeRow, ReadRow, Store
from store.lives import of_one_identity
from store.messages import InvalidationRow, ReceiptRow, Told
from store.sights import Sightings

MOST_DATED: Final = 8
"""Messages before an instant, and as many after it, whose versions are looked for at the origin."""
MOST_COPIES: Final = 20
MOST_READS: Final = 500
NEAR_NS: Final = 30 * 10**9
"""How far from an instant copies are read whose fills are to be shifted alike."""
WHOLE_S: Final = 1.0
"""Times to live are told in whole seconds by some, and rounded either way."""


class Lifetimes(NamedTuple):
    """How the nodes of a layer tell when a copy was filled: by its age, or by what remains of it.

    `is_own_age`: an age is always that of the node's own copy. `ttl_s` is the documented lifetime.
    """

    is_own_age: bool = False
    ttl_s: float | None = None
    jitter_s: float = 0.0

    def claim(self, read: ReadRow, at: int) -> Fill | None:
        """When the copy of a read that began at an instant claims to have been filled."""
        end = at + read.end_ns - read.start_ns
        by_age = None
        if read.age_s is not None and self.is_own_age:
            by_age = claim_from_age(at, end, read.age_s)
        if by_age is not None:
            return by_age
        if read.ttl_s is not None and self.ttl_s is not None:
            return claim_from_ttl(at, end, read.ttl_s, self.ttl_s, WHOLE_S + self.jitter_s)
        return None


class Clocks:
    """Bounds the clocks of nodes by what one store holds at an instant."""

    def __init__(self, store: Store, now_ns: int) -> None:
        self._store = store
        # Its own: the keys that it looks up are not to use up those of whoever asks.
        self._sightings = Sightings(store, now_ns)

    def skew_of(
        self,
        node: NodeRow,
        around: Sequence[Told],
        at: int,
        lifetimes: Lifetimes,
        keyspace: str,
        is_asked: bool = True,
    ) -> Skew | None:
        """The clock of a node around an instant, and by how much its lifetimes are shifted then.

        `around` are messages of the minutes around it. None where nothing bounds the clock, or more
        than one host speaks for the node, or nobody says which; and where it is not asked for a
        clock that is right, for one that cannot be off.
        """
        own = self._own(node, around, at)
        arrived = [Stamp(each.at_ns, each.received_at_ns) for each, _ in own]
        if not is_asked and not may_be_off(arrived):
            # Most clocks: their dates at the origin need not be looked for.
            return None
        skew = skew_around(self._stamps(own, around, at), at)
        if skew is None or not skew.is_off:
            return skew
        return skew._replace(shift=find_shift(self._copies(node, at, lifetimes, keyspace)))

    def _own(
        self, node: NodeRow, around: Sequence[Told], at: int
    ) -> list[tuple[ReceiptRow, InvalidationRow]]:
        """What the one host that speaks for a node said, each with its message."""
        own = [
            (each, told.invalidation)
            for told in around
            for each in told.receipts
            if (each.layer, each.node) == (node.layer, node.node)
        ]
        host = _host_around([each for each, _ in own], at)
        if not host or node.is_pool:
            return []
        return [(each, sent) for each, sent in own if each.host == host]

    def _stamps(
        self,
        own: Sequence[tuple[ReceiptRow, InvalidationRow]],
        around: Sequence[Told],
        at: int,
    ) -> list[Stamp]:
        dated = self._dated(own, around, at)
        return [Stamp(each.at_ns, each.received_at_ns, dated.get(sent.id)) for each, sent in own]

    def _dated(
        self, own: Sequence[tuple[ReceiptRow, InvalidationRow]], around: Sequence[Told], at: int
    ) -> dict[str, int]:
        """By id of a message, an instant that its number cannot precede."""
        gaps = dict(_gaps(around))
        before = {sent.id: sent for each, sent in own if each.received_at_ns <= at}
        after = {sent.id: sent for each, sent in own if each.received_at_ns > at}
        chosen: dict[str, InvalidationRow] = {}
        for side in (before, after):
            # The sooner a version followed the one before, the more the bound says.
            soonest = sorted((id for id in side if id in gaps), key=lambda id: (gaps[id], id))
            chosen.update((id, side[id]) for id in soonest[:MOST_DATED])
        found = {id: self._earliest(sent) for id, sent in chosen.items()}
        return {id: earliest for id, earliest in found.items() if earliest is not None}

    def _earliest(self, sent: InvalidationRow) -> int | None:
        """No earlier than this was the version before committed, if versions count up here."""
        assert sent.version is not None
        seen = self._sightings.of(sent.keyspace, sent.keys[0], sent.received_at_ns)
        former = sent.version - 1
        if seen is None or not any(sight.version == former for sight in seen.origin):
            return None
        return bound_commit(former, seen.origin).after

    def _copies(
        self, node: NodeRow, at: int, lifetimes: Lifetimes, keyspace: str
    ) -> Iterator[tuple[Fill, Fill]]:
        """Copies read at a node near an instant, one a key: when filled as claimed, as proven."""
        reads = self._store.reads(
            keyspace, since_ns=at - NEAR_NS, until_ns=at + NEAR_NS, limit=MOST_READS
        )
        by_key: dict[str, tuple[Fill, Fill]] = {}
        for read, began in reads:
            is_own = (read.layer, read.node) == (node.layer, node.node)
            if not is_own or read.result is not Result.VALUE or read.key in by_key:
                continue
            claimed = lifetimes.claim(read, began)
            if claimed is not None and len(by_key) < MOST_COPIES:
                by_key[read.key] = claimed, self._proven(node, read, began, at)
        yield from by_key.values()

    def _proven(self, node: NodeRow, read: ReadRow, began: int, at: int) -> Fill:
        """When reads of the node show that a copy was filled: after one that did not show it."""
        end = began + read.end_ns - read.start_ns
        seen = self._sightings.of(read.keyspace, read.key, at)
        sights: Sequence[Sight] = ()
        if seen is not None:
            sights = of_one_identity(seen.nodes.get((node.layer, node.node), ()), node)
        held = None if read.value is None else read.value.version
        proven = None if held is None else from_absence(sights, held, began, end)
        return proven or Fill(LONG_AGO, end)


def _host_around(receipts: Sequence[ReceiptRow], at: int) -> str:
    """Who spoke last before an instant and first after it; empty where two did, or nobody named."""
    heard = [each for each in receipts if each.received_at_ns <= at]
    later = [each for each in receipts if each.received_at_ns > at]
    before = max(heard, key=_arrival, default=None)
    after = min(later, key=_arrival, default=None)
    if before is None or after is None or before.host != after.host:
        return ""
    return before.host


def _arrival(receipt: ReceiptRow) -> tuple[int, int, str]:
    return receipt.received_at_ns, receipt.at_ns, receipt.host


def _gaps(around: Sequence[Told]) -> Iterator[tuple[str, int]]:
    """Messages that follow one of the version before, by id: how long after it they arrived."""
    of_key: defaultdict[tuple[str, str], dict[int, InvalidationRow]] = defaultdict(dict)
    for told in around:
        sent = told.invalidation
        if sent.scope == "key" and sent.version is not None and len(sent.keys) == 1:
            of_key[sent.keyspace, sent.keys[0]][sent.version] = sent
    for versions in of_key.values():
        for one, other in pairwise(sorted(versions)):
            if other == one + 1:
                sent = versions[other]
                yield sent.id, sent.received_at_ns - versions[one].received_at_ns
