"""One random history of one key: what was true, and what each observer got to see of it.

Everything is drawn in true time, in ticks. A commit at tick c is current from c on, c included, so
that a read and a commit at one tick are ordered: commit, then read. An observer stamps in a clock
of its own, which is true time plus an offset that nobody tells.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random

from freshness.evidence import Evidence, Invalidation, OriginRead, Write
from freshness.model import Value
from tests.simulator.dials import Dials, draw_dials
from tests.simulator.timeline import State, draw_states, index_at

PHANTOM = "phantom"
"""The identity of a value that never committed."""


@dataclass(frozen=True)
class Piece:
    """One piece of evidence with what only the world knows about it."""

    evidence: Evidence
    clock: str
    life: int
    """The life of the key that the evidence speaks of, whenever it arrived."""
    instant: int
    """The true instant of the read at the origin, of the commit, or of the attempt's start."""
    needs: int | None = None
    """Index of the piece that is always known before this one: the first attempt of a retry."""


@dataclass(frozen=True)
class Read:
    """One cache read; `instant` is the true instant of the read, within [start, end]."""

    id: str
    node: str
    clock: str
    value: Value
    start: int
    end: int
    instant: int
    identity: str
    """Which content was returned: a reused version number is another identity."""
    is_coherent: bool
    life: int


@dataclass
class World:
    """A history with its truth."""

    seed: int
    dials: Dials
    states: list[State]
    pieces: list[Piece] = field(default_factory=list)
    reads: list[Read] = field(default_factory=list)

    @property
    def clocks(self) -> list[str]:
        """The ids of the clocks that stamped a cache read."""
        return sorted({read.clock for read in self.reads})

    def on(self, clock: str) -> list[Piece]:
        """The evidence stamped by one clock."""
        return [piece for piece in self.pieces if piece.clock == clock]


def build_world(seed: int, focus: frozenset[str] = frozenset()) -> World:
    """The history of a seed; the same seed gives the same history."""
    rng = Random(seed)
    dials = draw_dials(rng, focus)
    world = World(seed, dials, draw_states(rng, dials))
    observers = ["a", "b"] if dials.strength["second-clock"] else ["a"]
    for clock in observers:
        _Observer(rng, world, clock).look()
    _suspend(rng, world)
    _stamp(rng, world)
    return world


class _Observer:
    """Draws what one observer sees and reads, in true time."""

    def __init__(self, rng: Random, world: World, clock: str) -> None:
        self.rng, self.world, self.clock = rng, world, clock
        self.states, self.dials = world.states, world.dials
        self.horizon = world.dials.horizon

    def look(self) -> None:
        for index, state in enumerate(self.states):
            self._write(index, state)
            self._receive(index, state)
        for _ in range(self.rng.choice((0, 1, 2, 3, 6))):
            self._read_origin(self._instant())
        for _ in range(self.rng.choice((0, 0, 1, 2))):
            self._attempt_in_vain()
        nodes = [f"n{n}" for n in range(self.rng.choice((1, 1, 2, 3)))]
        coherent = {n: not self._happens("incoherent") for n in nodes}
        for number in range(self.rng.choice((1, 2, 4, 6))):
            node = self.rng.choice(nodes)
            self._probe(f"{self.clock}{number}", node, coherent[node])

    def _happens(self, ingredient: str) -> bool:
        return self.rng.random() < self.dials.strength[ingredient]

    def _instant(self) -> int:
        if self.rng.random() < 0.3:  # near a commit, where the hard cases are
            return self.rng.choice(self.states[1:] or self.states).instant + self.rng.randint(-1, 2)
        return self.rng.randint(0, self.horizon)

    def _span(self) -> int:
        """A duration: often none at all, sometimes as long as the whole history."""
        if self._happens("zero-length"):
            return 0
        if self._happens("long"):
            return self.rng.randint(0, self.horizon)
        return self.rng.randint(0, 1 + self.horizon // 10)

    def _add(self, evidence: Evidence, life: int, instant: int, needs: int | None = None) -> int:
        self.world.pieces.append(Piece(evidence, self.clock, life, instant, needs))
        return len(self.world.pieces) - 1

    def _write(self, index: int, state: State) -> None:
        """A write of the observer's own: acknowledged, timed out, or tried again."""
        own = index > 0 and not state.is_restored and self._happens("own-write")
        if not own or state.owner not in (None, self.clock):
            return
        self.states[index] = replace(state, owner=self.clock)
        start, life = state.instant - self._span(), state.life
        end = None if self._happens("time-out") else state.instant + self._span()
        if self.dials.digests or not self._happens("retry"):  # no version ties two attempts
            self._add(Write(state.value, start, end), life, state.instant)
            return
        # Either attempt may have been the one that committed: the start stamp of the first counts.
        first = self._add(Write(state.value, start, None), life, state.instant)
        again = self.rng.randint(start, max(start, state.instant) + self._span())
        end = None if end is None else max(end, again)
        self._add(Write(state.value, again, end), life, state.instant, needs=first)

    def _attempt_in_vain(self) -> None:
        """A conditional write that timed out and never committed; its number goes to another."""
        if not self._happens("never-committed"):
            return
        start = self._instant()
        current = self.states[index_at(self.states, start)]
        if current.value.version is not None:
            value = Value(version=current.value.version + 1)
            self._add(Write(value, start, None), current.life, start)

    def _receive(self, index: int, state: State) -> None:
        """The invalidation of a commit: lost, late, twice, or in time."""
        version = state.value.version
        if version is None or state.is_restored or (index == 0 and self.rng.random() < 0.7):
            return
        while not self._happens("lost"):
            late = self.rng.randint(0, self.horizon) if self._happens("late") else 0
            received = state.instant + self._span() + late
            self._add(Invalidation(version, received), state.life, state.instant)
            if not self._happens("duplicate") or self.rng.random() < 0.3:
                break

    def _read_origin(self, instant: int) -> None:
        lag = 0
        is_replica = self._happens("replica")
        if is_replica:
            lag = self.rng.choice((0, self._span(), self.rng.randint(0, 2 * self.horizon)))
        state = self.states[index_at(self.states, instant - lag)]
        start, end = instant - self._span(), instant + self._span()
        value = self._shown(state.value)
        self._add(OriginRead(value, start, end, not is_replica), state.life, instant)

    def _probe(self, name: str, node: str, is_coherent: bool) -> None:
        """A cache read, often with an origin read before, during or after it."""
        instant = self._instant()
        start, end = instant - self._span(), instant + self._span()
        if self.rng.random() < 0.5:
            self._read_origin(start - self._span())
        if self.rng.random() < 0.2:
            self._read_origin(instant + self.rng.randint(-1, 1))
        if self.rng.random() < 0.3:
            self._read_origin(end + self._span())
        value, identity, life = self._returned(instant, is_coherent)
        self.world.reads.append(
            Read(name, node, self.clock, value, start, end, instant, identity, is_coherent, life)
        )

    def _returned(self, instant: int, is_coherent: bool) -> tuple[Value, str, int]:
        """What the cache holds: the value, which content that is, and of which life."""
        index = index_at(self.states, instant)
        if not is_coherent and self._happens("phantom"):
            version = (self.states[index].value.version or 0) + self.rng.choice((1, 1, 2))
            return Value(version), PHANTOM, self.states[index].life
        if not is_coherent and self._happens("ahead"):  # written to the cache before its commit
            index = min(index + 1, len(self.states) - 1)
        elif not is_coherent:
            index = max(0, index - self.rng.choice((0, 0, 1, 1, 2, 3, len(self.states))))
        state = self.states[index]
        return self._shown(state.value), state.identity, state.life

    def _shown(self, value: Value) -> Value:
        """What one place shows of a value that has both a version and a projection."""
        if value.projection is None or value.version is None or self.rng.random() < 0.3:
            return value
        if self.rng.random() < 0.7 * self.dials.strength["projections"]:
            return Value(projection=value.projection)
        return Value(value.version)


def _suspend(rng: Random, world: World) -> None:
    """Let a long time pass at one instant: every stamp after it moves, on a clock that counts."""
    if rng.random() >= world.dials.strength["suspend"]:
        return
    at = rng.randint(0, world.dials.horizon)
    asleep = rng.choice((world.dials.horizon, 50 * world.dials.horizon))
    _move(world, lambda stamp: stamp + asleep if stamp > at else stamp)


def _move(world: World, moved: Callable[[int], int]) -> None:
    world.states[:] = [replace(s, instant=moved(s.instant)) for s in world.states]
    world.pieces[:] = [
        replace(p, evidence=_restamped(p.evidence, moved), instant=moved(p.instant))
        for p in world.pieces
    ]
    world.reads[:] = [
        replace(r, start=moved(r.start), end=moved(r.end), instant=moved(r.instant))
        for r in world.reads
    ]


def _restamped(evidence: Evidence, moved: Callable[[int], int]) -> Evidence:
    if isinstance(evidence, Invalidation):
        return replace(evidence, received=moved(evidence.received))
    if isinstance(evidence, Write):
        end = None if evidence.end is None else moved(evidence.end)
        return replace(evidence, start=moved(evidence.start), end=end)
    return replace(evidence, start=moved(evidence.start), end=moved(evidence.end))


def _stamp(rng: Random, world: World) -> None:
    """Turn true time into the stamps of each clock; true instants of states and reads stay.

    With the ingredient `new-epoch` the first observer's clock starts again under another id, and
    what straddles that instant is dropped.
    """
    offsets = {
        clock: rng.choice((0, rng.randint(-5000, 5000), 1_790_000_000_123))
        for clock in ("a", "b", "a'")
    }
    restart = rng.randint(0, world.dials.horizon) if world.dials.strength["new-epoch"] else None
    pieces: list[Piece] = []
    places: dict[int, int] = {}
    for place, piece in enumerate(world.pieces):
        clock = _clock_of(piece.clock, _extent(piece.evidence), restart)
        if clock is None or _lacks_first_attempt(piece, clock, places, pieces):
            continue
        places[place] = len(pieces)
        offset = offsets[clock]
        evidence = _restamped(piece.evidence, offset.__add__)
        needs = None if piece.needs is None else places[piece.needs]
        pieces.append(replace(piece, evidence=evidence, clock=clock, needs=needs))
    world.pieces[:] = pieces
    reads = []
    for read in world.reads:
        clock = _clock_of(read.clock, (read.start, read.end), restart)
        if clock is not None:
            offset = offsets[clock]
            start, end = read.start + offset, read.end + offset
            reads.append(replace(read, clock=clock, start=start, end=end))
    world.reads[:] = reads


def _lacks_first_attempt(
    piece: Piece, clock: str, places: dict[int, int], pieces: list[Piece]
) -> bool:
    """Whether this is a retry whose first attempt was not stamped by the same clock."""
    if piece.needs is None:
        return False
    first = places.get(piece.needs)
    return first is None or pieces[first].clock != clock


def _extent(evidence: Evidence) -> tuple[int, int]:
    if isinstance(evidence, Invalidation):
        return evidence.received, evidence.received
    return evidence.start, evidence.start if evidence.end is None else evidence.end


def _clock_of(clock: str, extent: tuple[int, int], restart: int | None) -> str | None:
    """The clock that stamps something, or None where its clock started again in between."""
    if clock != "a" or restart is None or extent[1] < restart:
        return clock
    return "a'" if extent[0] >= restart else None
