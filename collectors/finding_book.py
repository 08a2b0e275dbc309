"""The open findings of one node: a copy proven stale, its evidence, its cause, and its healing."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from collectors.base import Reply
from collectors.journal import Journal, NodeSettings
from collectors.outage import Surroundings
from freshness.causes import Cause, Clues, Diagnosis, Neighbours, diagnose
from freshness.fill import Fill, from_age, from_ttl
from freshness.findings import Case, State, next_case, open_case
from freshness.ledger import Ledger
from freshness.model import Judgement, Reading, Value
from freshness.propagation import Commit
from freshness.transcript import evidence_lines, read_line
from store.base import FindingRow

TTL_RESOLUTION_S = 0.002
ALONE = Neighbours(behind=0, current=0)
TAKES_NONE = "ttl"
"""The mechanism of a layer that takes no invalidations."""


@dataclass(slots=True)
class _Open:
    """An open case with what its row needs."""

    id: str
    case: Case
    latest: Value
    opened_at_ns: int
    moved_at: int
    """The end of the last read that moved it: a read sent before that is no second look."""
    is_ours: bool
    """Whether its proof was stamped by the clock that runs now."""
    proof: list[str]
    diagnosis: Diagnosis
    fill: Fill | None
    superseded_before: int | None = None
    confirmed_at_ns: int | None = None
    is_stored: bool = False


@dataclass(slots=True)
class FindingBook:
    """Findings of one node and keyspace.

    Behind a balancer (`is_pool`) nothing is said of a node as a whole: many answer as one.
    """

    settings: NodeSettings
    ledger: Ledger
    journal: Journal
    surroundings: Surroundings
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

    def bounds_of(self, key: str) -> tuple[int, int | None] | None:
        """The longest staleness proven of an open finding, or None where there is no such."""
        found = self._open.get(key)
        return (found.case.lower, found.case.upper) if found is not None else None

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
            moved_at=reply.end_ns,
            is_ours=True,
            proof=self.evidence(key, f"{id}-1", reading, reply.start_ns, reply.end_ns),
            diagnosis=self._diagnose(key, reading.value, fill),
            fill=fill,
            superseded_before=self.ledger.superseded_within(key, reading.value)[1],
        )
        self.surroundings.note(found.superseded_before)
        self._put(key, found, reply.end_ns)
        return id

    def resume(self, key: str, row: FindingRow) -> None:
        """Take up a finding that an earlier process left open."""
        self._open[key] = _Open(
            id=row.id,
            case=Case(State(row.state), row.held, row.lower_ns, row.upper_ns),
            latest=row.latest,
            opened_at_ns=row.opened_at_ns,
            moved_at=0,
            is_ours=False,
            proof=row.evidence.splitlines(),
            diagnosis=_told(row),
            fill=None,
            confirmed_at_ns=row.confirmed_at_ns,
        )

    def move(self, key: str, reading: Reading, judgement: Judgement | None, reply: Reply) -> None:
        """Let one more read of the key confirm its finding, or heal it."""
        found = self._open[key]
        if reply.start_ns < found.moved_at:
            return
        before, cause = found.case, found.diagnosis
        found.case, _ = next_case(before, reading, judgement, self.ledger.latest(key))
        if found.case is before:
            return
        found.moved_at, found.is_stored = reply.end_ns, False
        if found.case.is_open:
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
            found.is_ours, found.moved_at = False, 0
            found.superseded_before = found.fill = None
        self.surroundings.clear()

    def put_all(self, stamp: int, most: int | None = None) -> None:
        """Write open findings again where more staleness has been proven since."""
        for key, found in list(islice(self._open.items(), most)):
            if not found.is_stored:
                self._put(key, found, stamp)

    def evidence(
        self,
        key: str,
        id: str,
        reading: Reading,
        start: int,
        end: int,
        before: Sequence[str] = (),
    ) -> list[str]:
        """The lines that reproduce the verdict on a read, after those of `before`."""
        assert reading.value is not None
        name, node = self.journal.name(key), self.settings.name
        read = read_line(id, name, node, reading.value, start, end, self.ledger.order)
        lines = evidence_lines(name, self.ledger.evidence(key))
        return list(dict.fromkeys((*before, *lines, read)))

    def _note_still_stale(self, key: str, found: _Open, reading: Reading, reply: Reply) -> None:
        assert reading.value is not None
        found.fill = self._fill(reading, reply) or found.fill
        diagnosis = self._diagnose(key, reading.value, found.fill)
        if diagnosis.cause is not Cause.UNDECIDED or found.is_ours:
            # After a restart there is less to decide on; what was decided before it stands.
            found.diagnosis = diagnosis
        found.latest = self.ledger.latest(key) or found.latest
        if found.confirmed_at_ns is None:
            found.confirmed_at_ns = self.journal.wall_ns(reply.end_ns)
            # Stamps of an earlier process do not stand beside ours.
            before = found.proof if found.is_ours else ()
            span = reply.start_ns, reply.end_ns
            found.proof = self.evidence(key, f"{found.id}-2", reading, *span, before)

    def _diagnose(self, key: str, held: Value, fill: Fill | None) -> Diagnosis:
        commit = Commit(*self.ledger.superseded_within(key, held))
        is_one = not self.is_pool
        neighbours = self.surroundings.neighbours
        return diagnose(
            Clues(
                node=self.settings.name,
                takes_messages=self.settings.mechanism != TAKES_NONE,
                fill=fill,
                commit=commit,
                around=neighbours(self.ledger, key, commit.before) if is_one else ALONE,
                unix_offset=self.journal.wall_ns(0),
            )
        )

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
        found.is_stored = True
        if not case.is_open:
            self._open.pop(key, None)
            self.surroundings.forget(found.superseded_before)
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


def _told(row: FindingRow) -> Diagnosis:
    """What was decided before, without the reasons for what was ruled out."""
    return Diagnosis(Cause(row.cause), row.because, {Cause(name): "" for name in row.ruled_out})
