"""The open findings of one node: a copy proven stale, its evidence, its cause, and its healing."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from collectors.base import Reply
from collectors.journal import Journal, NodeSettings
from freshness.cause import Cause, Diagnosis, Neighbours, diagnose
from freshness.fill import Fill, from_age, from_ttl
from freshness.findings import Case, State, next_case, open_case
from freshness.ledger import Ledger
from freshness.model import Judgement, Reading, Value
from freshness.runs import RunBook
from freshness.transcript import evidence_lines, read_line
from store.base import FindingRow

TTL_RESOLUTION_S = 0.002


@dataclass(slots=True)
class _Open:
    """An open case with what its row needs."""

    id: str
    case: Case
    latest: Value
    opened_at_ns: int
    opened_by: Reply | None
    proof: list[str]
    diagnosis: Diagnosis
    fill: Fill | None
    superseded_before: int | None = None
    confirmed_at_ns: int | None = None


@dataclass(slots=True)
class FindingBook:
    """Findings of one node and keyspace. `changed` names the keys that changed of late.

    Behind a balancer (`is_pool`) nothing is said of a node as a whole: many answer as one.
    """

    settings: NodeSettings
    ledger: Ledger
    journal: Journal
    runs: RunBook
    changed: Callable[[], Sequence[str]]
    is_pool: bool = False
    _open: dict[str, _Open] = field(default_factory=dict)

    def __contains__(self, key: str) -> bool:
        return key in self._open

    @property
    def keys(self) -> Sequence[str]:
        """Keys with an open finding."""
        return list(self._open)

    def id_of(self, key: str) -> str | None:
        """The id of the open finding of a key."""
        found = self._open.get(key)
        return found.id if found is not None else None

    def open(self, key: str, reading: Reading, judgement: Judgement, reply: Reply) -> str:
        """Open a finding on a read that is proven stale; its id."""
        assert reading.value is not None
        fill = self._fill(reading, reply)
        id = self._id(key, reply)
        self._open[key] = found = _Open(
            id=id,
            case=open_case(reading.value, judgement),
            latest=self.ledger.latest(key) or reading.value,
            opened_at_ns=self.journal.wall_ns(reply.end_ns),
            opened_by=reply,
            proof=self.evidence(key, f"{id}-1", reading, reply),
            diagnosis=self._diagnose(key, reading.value, fill),
            fill=fill,
            superseded_before=self.ledger.superseded_within(key, reading.value)[1],
        )
        self._put(key, found, reply.end_ns)
        return id

    def resume(self, key: str, row: FindingRow) -> None:
        """Take up a finding that an earlier process left open."""
        self._open[key] = _Open(
            id=row.id,
            case=Case(State(row.state), row.held, row.lower_ns, row.upper_ns),
            latest=row.latest,
            opened_at_ns=row.opened_at_ns,
            opened_by=None,
            proof=row.evidence.splitlines(),
            diagnosis=Diagnosis(Cause(row.cause), row.because, [Cause(c) for c in row.ruled_out]),
            fill=None,
            confirmed_at_ns=row.confirmed_at_ns,
        )

    def move(self, key: str, reading: Reading, judgement: Judgement | None, reply: Reply) -> None:
        """Let one more read of the key confirm its finding, or heal it."""
        found = self._open[key]
        if reply is found.opened_by:
            return
        before, cause = found.case, found.diagnosis
        found.case, _ = next_case(before, reading, judgement)
        if found.case.is_open and found.case is not before:
            self._note_still_stale(key, found, reading, reply)
        if found.case.state != before.state or found.diagnosis != cause or not found.case.is_open:
            self._put(key, found, reply.end_ns)

    def leave(self, keys: Iterable[str], stamp: int) -> None:
        """The node or these keys are no longer watched: that is no healing."""
        for key in self._open.keys() & set(keys):
            found = self._open[key]
            found.case = replace(found.case, state=State.GONE)
            self._put(key, found, stamp)

    def begin_epoch(self) -> None:
        """The clock began anew: earlier stamps do not stand beside later ones."""
        for found in self._open.values():
            found.opened_by = found.superseded_before = found.fill = None

    def put_all(self, stamp: int) -> None:
        """Write every open finding again, with the staleness proven by now."""
        for key, found in list(self._open.items()):
            self._put(key, found, stamp)

    def evidence(
        self, key: str, id: str, reading: Reading, reply: Reply, before: Sequence[str] = ()
    ) -> list[str]:
        """The lines that reproduce the verdict on a read, after those of `before`."""
        assert reading.value is not None
        name, node = self.journal.name(key), self.settings.name
        span = reply.start_ns, reply.end_ns
        read = read_line(id, name, node, reading.value, *span, self.ledger.order)
        lines = evidence_lines(name, self.ledger.evidence(key))
        return list(dict.fromkeys((*before, *lines, read)))

    def _note_still_stale(self, key: str, found: _Open, reading: Reading, reply: Reply) -> None:
        assert reading.value is not None
        found.fill = self._fill(reading, reply) or found.fill
        diagnosis = self._diagnose(key, reading.value, found.fill)
        if diagnosis.cause is not Cause.UNDECIDED or found.opened_by is not None:
            # After a restart there is less to decide on; what was decided before it stands.
            found.diagnosis = diagnosis
        found.latest = self.ledger.latest(key) or found.latest
        if found.confirmed_at_ns is None:
            found.confirmed_at_ns = self.journal.wall_ns(reply.end_ns)
            # Stamps of an earlier process do not stand beside ours.
            before = found.proof if found.opened_by is not None else ()
            found.proof = self.evidence(key, f"{found.id}-2", reading, reply, before)

    def _diagnose(self, key: str, held: Value, fill: Fill | None) -> Diagnosis:
        after, before = self.ledger.superseded_within(key, held)
        return diagnose(fill, after, before, self._neighbours(key, before))

    def _neighbours(self, key: str, before: int | None) -> Neighbours:
        """How the node's copies stand of the other keys that changed since this one did.

        A node may have been cut off before this key changed: where all that changed since an
        earlier open finding is behind, that is one outage.
        """
        outages = {found.superseded_before for found in self._open.values()} | {before}
        since = sorted((at for at in outages if at is not None), reverse=True)
        own = self._count_neighbours(key, before or 0)
        counts = (self._count_neighbours(key, at) for at in since if before and at <= before)
        return next((count for count in counts if count.is_outage), own)

    def _count_neighbours(self, key: str, since: int) -> Neighbours:
        behind = current = 0
        for other in () if self.is_pool else self.changed():
            origin, copy = self.ledger.book.get(other), self.runs.get(other)
            if other == key or origin is None or copy is None or copy.value is None:
                continue
            if origin.first_end < since or copy.last_start < origin.first_end:
                continue
            is_current = copy.value == origin.value
            current += is_current
            behind += not is_current
        return Neighbours(behind, current)

    def _fill(self, reading: Reading, reply: Reply) -> Fill | None:
        # An age comes first: the TTL that an HTTP cache tells is derived from whole seconds.
        node, span = self.settings, (reply.start_ns, reply.end_ns)
        if reading.age_s is not None:
            return from_age(*span, reading.age_s, node.ages_own_copies)
        if reading.ttl_s is not None and node.ttl_s is not None:
            slack_s = TTL_RESOLUTION_S + node.ttl_jitter_s
            return from_ttl(*span, reading.ttl_s, node.ttl_s, slack_s)
        return None

    def _id(self, key: str, reply: Reply) -> str:
        """Deterministic, so that a finding written twice is one finding."""
        node, clock = self.settings, self.journal.clock.id
        parts = (self.journal.keyspace, key, node.layer, node.name, clock, str(reply.start_ns))
        text = "\x00".join(parts).encode("utf-8", "surrogatepass")
        return hashlib.blake2b(text, digest_size=6).hexdigest()

    def _put(self, key: str, found: _Open, stamp: int) -> None:
        case, node = found.case, self.settings
        if not case.is_open:
            self._open.pop(key, None)
        self.journal.put_finding(
            FindingRow(
                id=found.id,
                keyspace=self.journal.keyspace,
                key=self.journal.name(key),
                layer=node.layer,
                node=node.name,
                region=node.region,
                state=case.state.value,
                held=case.held,
                latest=found.latest,
                max_staleness_ns=node.max_staleness_ns,
                lower_ns=case.lower,
                upper_ns=case.upper,
                opened_at_ns=found.opened_at_ns,
                confirmed_at_ns=found.confirmed_at_ns,
                healed_at_ns=None if case.is_open else self.journal.wall_ns(stamp),
                cause=found.diagnosis.cause.value,
                because=found.diagnosis.because,
                ruled_out=[cause.value for cause in found.diagnosis.ruled_out],
                evidence="\n".join(found.proof),
            )
        )
