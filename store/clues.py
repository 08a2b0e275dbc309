"""The clues of a finding, gathered from any store: probes, receipts, sequences, other layers.

Read only. All instants are wall time of the observer, which is one clock as far as it was not set;
what a node's own host stamped orders that node's words alone. What is missing stays unknown.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from freshness.causes import Clues, Neighbours, Reports, Ring, Source
from freshness.clock_skew import Skew
from freshness.fill import Fill, from_absence, from_age, from_ttl
from freshness.model import Read, Verdict
from freshness.propagation import Commit, Message, Word, bound_commit, judge_claim
from freshness.sequence import Silence
from freshness.ttl_drift import Drift, lifetime_of
from store.base import FindingRow, ReadRow, Store
from store.clocks import Clocks, Lifetimes
from store.lives import find_life, of_one_identity
from store.messages import InvalidationRow, Told
from store.neighbours import Quiet, look_around
from store.reports import as_of, find_passing, find_speech, find_successor, is_quiet, words_of
from store.sights import Seen, Sightings
from store.sources import standing_of
from store.spread import TAKES_NONE
from store.streams import GRACE_NS, NodeName, Streams

TTL_RESOLUTION_S: Final = 0.002
AROUND_NS: Final = 120 * 10**9
"""How far before a finding, and twice that after it, messages are read that sequences rest on."""
MOST_MESSAGES: Final = 600
MOST_OF_KEY: Final = 50
FROZEN_NS: Final = GRACE_NS
"""How far others must have advanced before a node that was read stale counts as silent."""
_PAGE: Final = 300


@dataclass(frozen=True, slots=True)
class Declared:
    """What a config says of one layer.

    `fills_from` names the layers, or replicas, that its nodes are filled from. `owners` says which
    nodes should hold a key of a keyspace, None where no ring is known; `is_everywhere` is whether
    each node may hold each key. `speaks_itself`: one clock stamps both its receipts and its ages.
    """

    ttl_s: float | None = None
    ttl_jitter_s: float = 0.0
    ages_own_copies: bool = False
    fills_from: Sequence[str] = ()
    is_replica: bool = False
    owners: Callable[[str, str], Collection[str]] | None = None
    is_everywhere: bool = True
    speaks_itself: bool = False

    @property
    def lifetimes(self) -> Lifetimes:
        """How its nodes tell when a copy was filled."""
        return Lifetimes(self.ages_own_copies, self.ttl_s, self.ttl_jitter_s)


UNDECLARED: Final = Declared(is_everywhere=False)


class Gatherer:
    """Gathers the clues of findings at one instant; what findings share is read once."""

    def __init__(self, store: Store, now_ns: int, declared: Mapping[str, Declared]) -> None:
        self._store = store
        self._now_ns = now_ns
        self._declared = declared
        self._sightings = Sightings(store, now_ns)
        self._clocks = Clocks(store, now_ns)
        self._nodes = {(row.layer, row.node): row for row in store.nodes()}
        self._tolds: dict[int, Sequence[Told]] = {}

    def gather(self, row: FindingRow) -> Clues:
        """Everything that the store knows of one finding."""
        name = row.layer, row.node
        node, declared = self._nodes.get(name), self._declared.get(row.layer, UNDECLARED)
        seen = self._sightings.of(row.keyspace, row.key, row.opened_at_ns)
        version = row.held.version
        if seen is None or version is None:
            return Clues(node=row.node, held=row.held, latest=row.latest, unix_offset=0)
        proofs = self._proofs(row)
        stale_at = max((at for _, at in proofs), default=row.opened_at_ns)
        sights = seen.nodes.get(name, ())
        commit = bound_commit(version + 1, seen.origin)
        opened = [each for each in sights if each.first_start <= row.opened_at_ns]
        first = self._first_proof(row, proofs)
        life = find_life(opened, node, version, first.start)
        own = of_one_identity(sights, node)
        fill = self._fill(proofs, declared) or from_absence(own, version, *first)
        reports = self._reports(row, commit, stale_at)
        return Clues(
            node=row.node,
            held=row.held,
            latest=row.latest,
            takes_messages=None if node is None else node.mechanism != TAKES_NONE,
            fill=fill,
            commit=commit,
            stale_at=stale_at,
            limit=row.max_staleness_ns,
            around=self._around(row, reports, stale_at),
            life=life,
            reports=reports,
            sources=self._sources(row, seen, fill, declared),
            ring=_ring(row, declared),
            ttl=_drift(proofs, declared),
            skew=self._skew(row, declared),
            unix_offset=0,
        )

    def _proofs(self, row: FindingRow) -> list[tuple[ReadRow, int]]:
        """The reads of the copy that were proven stale, newest first, each with its wall time."""
        reads = self._store.reads(finding=row.id, limit=MOST_OF_KEY)
        return [
            (read, at)
            for read, at in reads
            if read.verdict is Verdict.STALE and read.value == row.held
        ]

    def _first_proof(self, row: FindingRow, proofs: Sequence[tuple[ReadRow, int]]) -> Read:
        """The read that the finding was opened on; where that is unknown, the instant it was."""
        opening = self._store.reads(
            finding=row.id, until_ns=row.opened_at_ns + 1, limit=MOST_OF_KEY
        )
        spans = (
            Read(at, at + read.end_ns - read.start_ns)
            for read, at in [*opening, *proofs]
            if read.verdict is Verdict.STALE and read.value == row.held
        )
        return min(spans, default=Read(row.opened_at_ns, row.opened_at_ns))

    def _fill(self, proofs: Sequence[tuple[ReadRow, int]], declared: Declared) -> Fill | None:
        """What the newest read that tells an age, or else a TTL, says of when it was filled."""
        for read, at in proofs:
            span = at, at + read.end_ns - read.start_ns
            if read.age_s is not None:
                return from_age(*span, read.age_s, declared.ages_own_copies)
            if read.ttl_s is not None and declared.ttl_s is not None:
                slack_s = TTL_RESOLUTION_S + declared.ttl_jitter_s
                return from_ttl(*span, read.ttl_s, declared.ttl_s, slack_s)
        return None

    def _reports(self, row: FindingRow, commit: Commit, stale_at: int) -> Reports | None:
        around = self._read_around(row.opened_at_ns)
        if not around:
            return None
        of_key, name = self._of_key(row), (row.layer, row.node)
        reports = Reports(
            words=words_of(of_key, name),
            spoke_at=find_speech(around, name, commit, stale_at),
        )
        sent = find_successor(of_key, row)
        if sent is None:
            return reports
        silence = self._silence(sent.invalidation, around, row, stale_at)
        return self._with_message(replace(reports, silence=silence), sent, around, row)

    def _silence(
        self, sent: InvalidationRow, around: Sequence[Told], row: FindingRow, stale_at: int
    ) -> Silence | None:
        """How the node stood in the sequence of the message when it was last read stale."""
        then = min(stale_at, self._window(row.opened_at_ns)[1])
        name, stream = (row.layer, row.node), (sent.publisher, sent.stream)
        if not is_quiet(around, name, then, FROZEN_NS):
            return None
        for each in self._streams(as_of(around, then), then).silent([name], FROZEN_NS):
            if each.stream == stream and (each.layer, each.silence.node) == name:
                return each.silence
        return None

    def _streams(self, around: Sequence[Told], now_ns: int) -> Streams:
        return Streams(around, now_ns, self._nodes.values())

    def _of_key(self, row: FindingRow) -> Sequence[Told]:
        """The messages about the key itself, however many there are of others."""
        since_ns, until_ns = self._window(row.opened_at_ns)
        page = self._store.invalidations(since_ns, until_ns, row.keyspace, row.key, MOST_OF_KEY)
        return [told for told in page.items if told.invalidation.scope == "key"]

    def _with_message(
        self, reports: Reports, sent: Told, around: Sequence[Told], row: FindingRow
    ) -> Reports:
        """What is known of the message of the successor itself."""
        told, name = sent.invalidation, (row.layer, row.node)
        own = [each for each in sent.receipts if (each.layer, each.node) == name]
        claimed = judge_claim(
            Message(told.written_at_ns, told.received_at_ns, told.host, told.version),
            [Word(each.outcome, each.at_ns, each.received_at_ns, each.host) for each in own],
            row.max_staleness_ns,
            self._now_ns,
        )
        last = None if reports.silence is None else reports.silence.last
        return replace(
            reports,
            claimed=claimed,
            is_lost=not own and self._streams(around, self._now_ns).has_lost(told, name),
            passed_at=find_passing(around, told, name) if not own else None,
            sent_after_silence=last is not None and last.written_at < told.written_at_ns,
            told=sorted({each.node for each in sent.receipts if each.layer == row.layer}),
        )

    def _skew(self, row: FindingRow, declared: Declared) -> Skew | None:
        """The clock of the node as the finding opened; a right one is that of who speaks for it."""
        node = self._nodes.get((row.layer, row.node))
        around = self._read_around(row.opened_at_ns)
        if node is None or not around:
            return None
        is_own = declared.speaks_itself
        skew = self._clocks.skew_of(
            node, around, row.opened_at_ns, declared.lifetimes, row.keyspace, is_own
        )
        return skew if skew is not None and (skew.is_off or is_own) else None

    def _around(self, row: FindingRow, reports: Reports | None, stale_at: int) -> Neighbours:
        """How other keys fare at a silent node."""
        silence = None if reports is None else reports.silence
        if silence is None or silence.last is None:
            return Neighbours(0, 0)
        node, around = self._nodes.get((row.layer, row.node)), self._read_around(row.opened_at_ns)
        return look_around(Quiet(row, node, silence.last, stale_at, around), self._sightings)

    def _sources(
        self, row: FindingRow, seen: Seen, fill: Fill | None, declared: Declared
    ) -> Sequence[Source]:
        sources = []
        for name in declared.fills_from:
            is_replica = self._declared.get(name, UNDECLARED).is_replica
            held = row.held.version
            if name in self._declared and fill is not None and held is not None:
                places = self._likely(name, row.region)
                copies = [seen.nodes.get(place, ()) for place in places]
                sources.append(Source(name, is_replica, standing_of(copies, held, fill)))
        return sources

    def _likely(self, layer: str, region: str) -> Sequence[NodeName]:
        """The nodes of a layer that may have served the fill: those of the region, if any."""
        rows = [node for (at, _), node in self._nodes.items() if at == layer]
        near = [node for node in rows if node.region == region]
        return [(node.layer, node.node) for node in near or rows]

    def _read_around(self, at_ns: int) -> Sequence[Told]:
        """Messages received around an instant; findings of the same minutes share them."""
        since_ns, until_ns = self._window(at_ns)
        if since_ns not in self._tolds:
            tolds: list[Told] = []
            cursor: str | None = None
            while len(tolds) < MOST_MESSAGES:
                page = self._store.invalidations(since_ns, until_ns, limit=_PAGE, cursor=cursor)
                tolds += page.items
                cursor = page.next
                if cursor is None:
                    break
            self._tolds[since_ns] = tolds
        return self._tolds[since_ns]

    def _window(self, at_ns: int) -> tuple[int, int]:
        slot = at_ns // AROUND_NS
        return (slot - 1) * AROUND_NS, min(self._now_ns + 1, (slot + 3) * AROUND_NS)


def _drift(proofs: Sequence[tuple[ReadRow, int]], declared: Declared) -> Drift | None:
    """The lifetime that the newest read which tells a TTL proves."""
    for read, at in proofs:
        if read.ttl_s is not None and declared.ttl_s is not None:
            span = at, at + read.end_ns - read.start_ns
            lifetime = lifetime_of(*span, read.ttl_s, None, TTL_RESOLUTION_S)
            return lifetime and Drift(lifetime, declared.ttl_s, declared.ttl_jitter_s)
    return None


def _ring(row: FindingRow, declared: Declared) -> Ring | None:
    if declared.owners is not None:
        return Ring(sorted(declared.owners(row.keyspace, row.key)))
    return Ring(None) if declared.is_everywhere else None
