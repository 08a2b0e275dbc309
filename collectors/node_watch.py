"""One cache node as one keyspace watches it: its reads are judged, counted and kept as runs.

It knows nothing of the other nodes, so that one that is down or slow costs them nothing.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from collectors.base import Cache, Reply
from collectors.copy_seconds import CopySeconds
from collectors.doubtful import Doubtful, DoubtfulReads
from collectors.finding_book import FindingBook
from collectors.journal import Journal, NodeSettings
from collectors.placement import Share
from collectors.sample import Sample
from collectors.ttl_sampling import TtlSampling
from freshness.ledger import Judged, Ledger, Look
from freshness.model import MISS, Judgement, Reading, Result, Verdict
from freshness.rollup import Reads
from freshness.runs import RunBook
from freshness.strata import RECHECK, is_representative
from store.base import NodeRow, ReadRow

MARGIN_NS = 2_000_000
"""How far past the maximum staleness a suspect is read again, so that a proof is no near miss."""
KNOWN_IDENTITIES = 64
NodeState = Literal["up", "unknown", "gone"]


@dataclass(slots=True)
class NodeWatch:
    """The state of one node under watch.

    `recheck` has a key read again at a stamp; `noted` is told layer, node and nanoseconds of reads.
    `share` are the keys that the node is expected to hold, and None is all: no other is read.
    """

    settings: NodeSettings
    cache: Cache
    ledger: Ledger
    journal: Journal
    runs: RunBook
    findings: FindingBook
    recheck: Callable[["NodeWatch", str, int], None]
    noted: Callable[[str, str, int], None]
    share: Share | None = None
    state: NodeState = "unknown"
    why: str = "not probed yet"
    identity: str = ""
    since_at_ns: int = 0
    answered_at_ns: int | None = None
    is_busy: bool = False
    _doubtful: DoubtfulReads = field(default_factory=DoubtfulReads)
    _identities: deque[str] = field(default_factory=lambda: deque(maxlen=KNOWN_IDENTITIES))
    _identity_since: int = -1
    _ttls: TtlSampling = field(init=False)
    _seconds: CopySeconds = field(init=False)

    def __post_init__(self) -> None:
        self._ttls = TtlSampling(self.settings, self.journal)
        self._seconds = CopySeconds(self.settings, self.journal)

    def holds(self, key: str) -> bool:
        """Whether the node is expected to hold a copy of the key, where anybody does."""
        return self.share is None or key in self.share

    def own(self, look: Look) -> Look:
        """The look at those of its keys that the node is expected to hold."""
        if self.share is None:
            return look
        return look.only(at for at, key in enumerate(look.keys) if key in self.share)

    async def probe(self, look: Look, sample: Sample) -> None:
        """Read the keys of a look, judge and count them. A node still busy is read as unknown.

        The keys of the look are those of the sample.
        """
        if self.share is not None:
            at = [n for n, key in enumerate(look.keys) if key in self.share]
            look, sample = look.only(at), sample.only(at)
        if not look.keys:
            return
        if self.is_busy:
            self._count_unanswered(look, sample)
            return
        self.is_busy = True
        try:
            reply = await self.cache.read(look.keys)
            self._take(look, reply, sample)
            if is_representative(sample.stratum):
                self._ttls.note(look.keys, reply)
        finally:
            self.is_busy = False

    async def inspect(self, look: Look) -> None:
        """Read suspected keys again, with all that the node can tell of them."""
        look = self.own(look)
        if look.keys:
            self._take(look, await self.cache.inspect(look.keys), Sample(RECHECK, look.keys))

    def is_ttl_due(self, stamp: int) -> bool:
        """Whether it is time to see how long a few entries have to live."""
        return self.state == "up" and not self.is_busy and self._ttls.is_due(stamp)

    async def sample_ttls(self, keys: Sequence[str], stamp: int) -> None:
        """See how long a few entries have to live: nothing is judged by it."""
        own = keys if self.share is None else [key for key in keys if self.holds(key)]
        await self._ttls.inspect(self.cache, own, stamp)

    async def glance(self, keys: Sequence[str]) -> Reply | None:
        """Read keys without a word of the origin beside them: kept as runs, judged by nobody.

        None where the node was dropped, or the clock began anew, while the reply was under way.
        """
        epoch = self.ledger.epoch
        reply = await self.cache.read(keys)
        if self.state == "gone" or epoch != self.ledger.epoch:
            return None
        if reply.was_asked:
            self._note_reply(keys, reply)
            self.forget_moved(keys, reply.end_ns)
        return reply

    def count(self, stratum: str, start: int, reads: Reads) -> None:
        """Count reads that began at a stamp."""
        if reads.n:
            node = self.settings
            self.journal.count(node.layer, node.name, stratum, node.max_staleness_ns, start, reads)

    def settle(self, look: Look) -> None:
        """Judge doubtful reads of a look's keys anew, on what is known by now."""
        for key, read, judgement in self._doubtful.settle(look, self.ledger):
            self._settle(key, read, judgement)

    def close(self, why: str) -> None:
        """End every open run: the node restarted or is gone, or the clock began anew."""
        self._seconds.part()
        for key, run in self.runs.close(why):
            self.journal.put_run(self.settings.layer, self.settings.name, key, run)

    def begin_epoch(self, ledger: Ledger) -> None:
        """The clock began anew: judge by another ledger, and by no stamp from before."""
        self.close("clock")
        self.ledger = self.findings.ledger = ledger
        self.findings.begin_epoch()
        self._doubtful.clear()
        self._identity_since = -1

    def forget(self, keys: Iterable[str], stamp: int) -> None:
        """Let go of keys that are no longer watched."""
        keys = list(keys)
        self.findings.leave(keys, stamp)
        self._doubtful.forget(keys)
        self._seconds.forget(keys)
        for key in keys:
            run = self.runs.forget(key, "gone")
            if run is not None:
                self.journal.put_run(self.settings.layer, self.settings.name, key, run)

    @property
    def known(self) -> Iterable[str]:
        """The keys of which anything is kept."""
        return {*(key for key, _ in self.runs.items()), *self.findings.keys}

    def forget_moved(self, keys: Iterable[str], stamp: int) -> None:
        """Let go of those that are expected elsewhere by now: no client reads them here."""
        if self.share is None:
            return
        moved = [key for key in keys if key not in self.share]
        if moved:
            self.forget(moved, stamp)

    def leave(self, stamp: int) -> None:
        """The node is no longer listed by discovery, which pages nobody and heals nothing."""
        self.close("gone")
        self.findings.leave(self.findings.keys, stamp)
        self._set_state("gone", "no longer listed by discovery", stamp)

    def put_row(self) -> None:
        """Write how the node stands."""
        node = self.settings
        self.journal.put_node(
            NodeRow(
                layer=node.layer,
                node=node.name,
                region=node.region,
                kind=node.kind,
                address=node.address,
                mechanism=node.mechanism,
                max_staleness_ns=node.max_staleness_ns,
                state=self.state,
                why=self.why,
                identity=self.identity,
                since_at_ns=self.since_at_ns,
                answered_at_ns=self.answered_at_ns,
                hears_all=self.share is None,
                is_pool=self.findings.is_pool,
            )
        )

    def _take(self, look: Look, reply: Reply, sample: Sample) -> None:
        if self.state == "gone" or look.epoch != self.ledger.epoch:
            # The node was dropped, or the clock began anew, while the reply was under way.
            return
        if not reply.was_asked:
            self._count_unanswered(look, sample)
            return
        self._note_reply(look.keys, reply)
        asked = look.keys
        if self.share is not None:
            # A key that moved away while the reply was under way is read here by nobody.
            held = [n for n, key in enumerate(look.keys) if key in self.share]
            look, sample = look.only(held), sample.only(held)
            reply = replace(reply, readings=[reply.readings[n] for n in held])
        judged = self.ledger.judge_batch(
            look, reply.readings, reply.start_ns, reply.end_ns, self.settings.max_staleness_ns
        )
        self._seconds.take(look, reply, judged, sample, self.ledger, self.runs.max_gap)
        self._count_calm(reply, judged, sample)
        for at in self._positions_apart(look, judged):
            reading, judgement = reply.readings[at], judged.at(at)
            if judgement is None:
                self._count_without(at, reply, sample)
            elif at in judged.apart or not _is_fresh(judged.shared):
                self._take_judged(at, judgement, reply, sample)
            if look.keys[at] in self.findings:
                seen = MISS if reading.filled else reading
                self.findings.move(look.keys[at], seen, judgement, reply)
        self.forget_moved(asked, reply.end_ns)

    def _positions_apart(self, look: Look, judged: Judged) -> Iterable[int]:
        """Where more is to be done than to count: all of a batch, or what differs in it."""
        if judged.shared is not None and not _is_fresh(judged.shared):
            return range(len(look.keys))
        open_keys = self.findings.keys
        found = (at for at, key in enumerate(look.keys) if key in self.findings)
        return sorted({*judged.apart, *judged.without, *(found if open_keys else ())})

    def _note_reply(self, keys: Sequence[str], reply: Reply) -> None:
        """Keep what a reply says of its keys, and of the node."""
        span = reply.start_ns, reply.end_ns
        self.noted(self.settings.layer, self.settings.name, reply.end_ns - reply.start_ns)
        self._note_answer(reply)
        changes = self.runs.observe(keys, reply.readings, *span)
        self._seconds.note(changes)
        for change in changes:
            for run in (change.ended, change.begun):
                if run is not None:
                    self.journal.put_run(self.settings.layer, self.settings.name, change.key, run)

    def _count_calm(self, reply: Reply, judged: Judged, sample: Sample) -> None:
        """Count copies that equal the leader's word at once, where that certifies them."""
        if judged.shared is None or not _is_fresh(judged.shared):
            return
        reads = sample.spread(_reads(judged.shared, 1), {*judged.apart, *judged.without})
        positives = reads._replace(n=judged.calm - judged.negatives)
        self.count(sample.stratum, reply.start_ns, positives)
        negatives = reads._replace(negative=True, n=judged.negatives)
        self.count(sample.stratum, reply.start_ns, negatives)

    def _take_judged(self, at: int, judgement: Judgement, reply: Reply, sample: Sample) -> None:
        key, reading = sample.keys[at], reply.readings[at]
        reads = _reads(judgement, 1, reading, sample.weight(at))
        self.count(sample.stratum, reply.start_ns, reads)
        if judgement.verdict is not Verdict.FRESH:
            self._keep(at, judgement, reply, sample)
        if key not in self.findings and self._is_behind(key, reading):
            wait = max(0, self.settings.max_staleness_ns - judgement.bounds.lower)
            self.recheck(self, key, reply.end_ns + wait + MARGIN_NS)

    def _keep(self, at: int, judgement: Judgement, reply: Reply, sample: Sample) -> None:
        """Keep a read that is not fresh as a row with its evidence; open a finding on a proof."""
        key, reading = sample.keys[at], reply.readings[at]
        row = self._read_row(key, reading, judgement, reply, sample.stratum)
        if judgement.verdict is Verdict.STALE:
            id = self.findings.id_of(key)
            if id is None:
                id = self.findings.open(key, reading, judgement, reply)
                self.recheck(self, key, reply.end_ns)
            row = replace(row, finding=id)
        else:
            self._doubtful.add(key, Doubtful(row, reading, judgement, sample.weight(at)))
        self.journal.put_read(row)

    def _count_unanswered(self, look: Look, sample: Sample) -> None:
        self.count(sample.stratum, look.end, sample.spread(_UNANSWERED))
        self._seconds.fail(sample, look.end)

    def _count_without(self, at: int, reply: Reply, sample: Sample) -> None:
        # What our own read has just put there was a miss.
        reading = reply.readings[at]
        result = Result.MISS if reading.filled else reading.result
        reads = _UNANSWERED._replace(result=result, weight=sample.weight(at))
        self.count(sample.stratum, reply.start_ns, reads)

    def _settle(self, key: str, read: Doubtful, judgement: Judgement) -> None:
        row = read.row
        before = _reads(read.judgement, -1, read.reading, read.weight)
        self.count(row.stratum, row.start_ns, before)
        self.count(row.stratum, row.start_ns, _reads(judgement, 1, read.reading, read.weight))
        self._seconds.settle(key, row.start_ns, row.end_ns, judgement)
        if judgement.verdict is Verdict.FRESH:
            self.journal.clear_read(row.id)
            return
        verdict, reason, bounds = judgement
        lines = self.findings.evidence(key, str(row.id), read.reading, row.start_ns, row.end_ns)
        evidence = "\n".join(lines)
        self.journal.put_read(
            replace(row, verdict=verdict, reason=reason, bounds=bounds, evidence=evidence)
        )
        if judgement.verdict is Verdict.STALE and key not in self.findings:
            # The proof came late; whether the copy is still there, another read tells.
            self.recheck(self, key, row.end_ns)

    def _is_behind(self, key: str, reading: Reading) -> bool:
        latest = self.ledger.latest(key)
        if latest is None or reading.value is None:
            return False
        held, newest = reading.value.version, latest.version
        return held is not None and newest is not None and held < newest

    def _read_row(
        self, key: str, reading: Reading, judgement: Judgement, reply: Reply, stratum: str
    ) -> ReadRow:
        id = self.journal.next_read_id()
        return ReadRow(
            id=id,
            keyspace=self.journal.keyspace,
            key=self.journal.name(key),
            layer=self.settings.layer,
            node=self.settings.name,
            clock=self.journal.clock.id,
            start_ns=reply.start_ns,
            end_ns=reply.end_ns,
            result=reading.result,
            value=reading.value,
            why=reading.why,
            stratum=stratum,
            verdict=judgement.verdict,
            reason=judgement.reason,
            max_staleness_ns=self.settings.max_staleness_ns,
            bounds=judgement.bounds,
            ttl_s=reading.ttl_s,
            age_s=reading.age_s,
            filled=reading.filled,
            evidence="\n".join(
                self.findings.evidence(key, str(id), reading, reply.start_ns, reply.end_ns)
            ),
        )

    def _note_answer(self, reply: Reply) -> None:
        if reply.why:
            self._set_state("unknown", reply.why, reply.end_ns)
            return
        self.answered_at_ns = self.journal.wall_ns(reply.end_ns)
        is_new = reply.identity not in ("", self.identity)
        if is_new and reply.start_ns > self._identity_since:
            self._note_identity(reply)
        self._set_state("up", "", reply.end_ns, is_new)

    def _note_identity(self, reply: Reply) -> None:
        """Another one answers: the node restarted, unless it answered before that."""
        if reply.identity in self._identities:
            # Who answered before answers again: a balancer stands in front, and nobody restarted.
            self.findings.is_pool = True
        if self.identity and not self.findings.is_pool:
            self.close("restart")
        self._identities.append(reply.identity)
        self.identity, self._identity_since = reply.identity, reply.end_ns

    def _set_state(self, state: NodeState, why: str, stamp: int, is_new: bool = False) -> None:
        if not is_new and (state, why) == (self.state, self.why):
            return
        self.state, self.why = state, why
        self.since_at_ns = self.journal.wall_ns(stamp)
        self.put_row()


_UNANSWERED = Reads(Verdict.UNKNOWN, result=Result.UNKNOWN)


def _is_fresh(judgement: Judgement | None) -> bool:
    return judgement is not None and judgement.verdict is Verdict.FRESH


def _reads(
    judgement: Judgement, n: int, reading: Reading | None = None, weight: float = 1.0
) -> Reads:
    """`n` reads that were judged alike, as they are counted."""
    verdict, _, bounds = judgement
    is_negative = reading is not None and reading.value is not None and reading.value.absent
    return Reads(verdict, bounds.lower, bounds.upper, negative=is_negative, weight=weight, n=n)
