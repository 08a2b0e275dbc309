"""The properties that every judge must keep on every history."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Protocol

from freshness.evidence import Evidence, Write
from freshness.model import ABSENT, Bounds, Judgement, Order, Reason, Value, Verdict
from tests.simulator.reference import Reference
from tests.simulator.truth import Truth, truth_of
from tests.simulator.world import Piece, Read, World


class Judge(Protocol):
    """What is tried: the evidence of one key on one clock, asked about reads."""

    def judge(self, read: Read, max_staleness: int) -> Judgement:
        """The verdict on one cache read."""


MakeJudge = Callable[[Order, Sequence[Evidence], bool], Judge]

DOUBTS = {Reason.CONTRADICTION, Reason.EPOCH, Reason.PHANTOM}
"""What further evidence may turn a verdict into: it showed that numbers were reused, or that the
value had not committed when it was read, against what the bounds take for granted."""


@dataclass(frozen=True)
class Violation:
    """One broken property: which, in which history, for which read, and what was said."""

    rule: str
    seed: int
    read: str
    said: str
    limit: str | None


@dataclass
class Tally:
    """What came out of many histories."""

    histories: int = 0
    reads: int = 0
    coherent: int = 0
    false_alarms: int = 0
    compared: int = 0
    """Reads for which the reference had an answer."""
    withdrawn: Counter[str] = field(default_factory=Counter)
    """Verdicts that further evidence turned into indeterminate, by its reason."""
    violations: list[Violation] = field(default_factory=list)
    limited: Counter[str] = field(default_factory=Counter)
    """Reads per limit of the method, and broken properties among them as "limit: rule"."""
    verdicts: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    """Reasons of the indeterminate verdicts."""
    by_ingredient: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(ingredient, verdict) of every read."""

    def add(self, other: "Tally") -> None:
        """Count what another process counted."""
        for name in ("histories", "reads", "coherent", "false_alarms", "compared"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.violations += other.violations
        for name in ("withdrawn", "limited", "verdicts", "reasons", "by_ingredient"):
            getattr(self, name).update(getattr(other, name))

    def break_rule(self, violation: Violation) -> None:
        """Count a broken property, apart where the method cannot do better."""
        if violation.limit is None:
            self.violations.append(violation)
        else:
            self.limited[f"{violation.limit}: {violation.rule}"] += 1


def check_world(world: World, make: MakeJudge, tally: Tally) -> None:
    """Try every property on every read of a history."""
    rng = Random(world.seed)
    tally.histories += 1
    for clock in world.clocks:
        pieces = world.on(clock)
        parts = [_part(rng, pieces) for _ in range(2)]
        trial = _Trial(world, make, rng, pieces, parts)
        for read in (r for r in world.reads if r.clock == clock):
            trial.run(read, tally)


class _Trial:
    """One history on one clock: a judge with all evidence, one with it shuffled, some with less."""

    def __init__(
        self,
        world: World,
        make: MakeJudge,
        rng: Random,
        pieces: list[Piece],
        parts: list[list[Piece]],
    ) -> None:
        self.world, self.rng, self.pieces, self.parts = world, rng, pieces, parts
        dials = world.dials
        evidence = [piece.evidence for piece in pieces]
        self.judge = make(dials.order, evidence, dials.recurs)
        self.shuffled = make(dials.order, rng.sample(evidence, len(evidence)), dials.recurs)
        self.lesser = [
            make(dials.order, [p.evidence for p in part], dials.recurs) for part in parts
        ]
        # Where numbers are reused, or carry no order, the formulas are not the whole answer.
        self.is_one_life = dials.digests or not any(
            state.life or state.value == ABSENT for state in world.states
        )
        plain = self.is_one_life and not dials.digests and not dials.strength["projections"]
        self.reference = Reference(dials.order, evidence) if plain else None

    def run(self, read: Read, tally: Tally) -> None:
        truth = truth_of(self.world, read, self.pieces)
        first = self.judge.judge(read, 0)
        _count(self.world, read, truth, first, tally)
        for delta in sorted({0, *_deltas(self.rng, first.bounds, truth)}):
            said = self.judge.judge(read, delta)
            for rule, what in self._broken(read, truth, said, delta):
                said_text = f"{what} at max staleness {delta}; truth {truth}"
                limit = None if rule == "order of lines" else truth.limit
                tally.break_rule(Violation(rule, self.world.seed, read.id, said_text, limit))
            for rule, what, limit in self._broken_by_less(read, truth, said, delta, tally):
                tally.break_rule(Violation(rule, self.world.seed, read.id, what, limit))
        answered = self._reference(read, 0)
        tally.compared += answered is not None

    def _broken(
        self, read: Read, truth: Truth, said: Judgement, delta: int
    ) -> Iterator[tuple[str, str]]:
        yield from _broken_by_truth(read, truth, said, delta)
        other = self.shuffled.judge(read, delta)
        if other != said:
            yield "order of lines", f"{said} but shuffled {other}"
        expected = self._reference(read, delta)
        if expected is not None and (said.verdict, said.bounds) != expected:
            yield "reference", f"{said} but the formulas give {expected}"

    def _reference(self, read: Read, delta: int) -> tuple[Verdict, Bounds] | None:
        if self.reference is None or read.value.version is None:
            return None
        return self.reference.judge(read.value.version, read.start, read.end, delta)

    def _broken_by_less(
        self, read: Read, truth: Truth, said: Judgement, delta: int, tally: Tally
    ) -> Iterator[tuple[str, str, str | None]]:
        for part, lesser in zip(self.parts, self.lesser, strict=True):
            before = lesser.judge(read, delta)
            limit = truth.limit or truth_of(self.world, read, part).limit
            what = f"{before} with {len(part)} of {len(self.pieces)} pieces, then {said}, Δ {delta}"
            if {before.verdict, said.verdict} == {Verdict.FRESH, Verdict.STALE}:
                yield "flipped", what, limit
            elif said.verdict is Verdict.INDETERMINATE is not before.verdict:
                tally.withdrawn[said.reason] += 1
            # More evidence may show that numbers start again: only one life's bounds must tighten.
            must_tighten = self.is_one_life and said.reason not in DOUBTS
            if must_tighten and not _is_within(said.bounds, before.bounds):
                yield "loosened", what, limit


def _broken_by_truth(
    read: Read, truth: Truth, said: Judgement, delta: int
) -> Iterator[tuple[str, str]]:
    lower, upper, behind_lower, behind_upper = said.bounds
    if said.verdict is Verdict.STALE and read.is_coherent:
        yield "false alarm", f"{said}"
    if said.verdict is Verdict.FRESH and (truth.staleness is None or truth.staleness > delta):
        yield "false fresh", f"{said}"
    if truth.staleness is None:
        return
    if said.verdict is Verdict.STALE and truth.staleness <= delta:
        yield "false stale", f"{said}"
    if lower > truth.staleness or (upper is not None and upper < truth.staleness):
        yield "staleness outside its bounds", f"{said}"
    if behind_lower > truth.behind_most:
        yield "versions behind below their lower bound", f"{said}"
    if behind_upper is not None and behind_upper < truth.behind_least:
        yield "versions behind above their upper bound", f"{said}"


def _deltas(rng: Random, bounds: Bounds, truth: Truth) -> Iterator[int]:
    """Maximum stalenesses at and beside every edge."""
    edges = [bounds.lower, bounds.upper, truth.staleness]
    yield from (max(0, edge + rng.randint(-1, 0)) for edge in edges if edge is not None)


def _part(rng: Random, pieces: list[Piece]) -> list[Piece]:
    """A random part of the evidence; of the attempts at one version the earlier are known first."""
    keep = rng.choice((0.2, 0.5, 0.8))
    kept = [piece for piece in pieces if rng.random() < keep]
    dropped = [p.evidence for p in pieces if p not in kept and isinstance(p.evidence, Write)]
    return [piece for piece in kept if not _follows_one_of(dropped, piece.evidence)]


def _follows_one_of(dropped: list[Write], evidence: Evidence) -> bool:
    return isinstance(evidence, Write) and any(
        _is_same_write(one.value, evidence.value) and one.start <= evidence.start for one in dropped
    )


def _is_same_write(one: Value, other: Value) -> bool:
    return one == other if one.version is None else one.version == other.version


def _is_within(more: Bounds, less: Bounds) -> bool:
    """Whether bounds with more evidence are at least as tight."""
    return (
        more.lower >= less.lower
        and more.behind_lower >= less.behind_lower
        and (less.upper is None or (more.upper is not None and more.upper <= less.upper))
        and (
            less.behind_upper is None
            or (more.behind_upper is not None and more.behind_upper <= less.behind_upper)
        )
    )


def _count(world: World, read: Read, truth: Truth, said: Judgement, tally: Tally) -> None:
    tally.reads += 1
    tally.verdicts[said.verdict] += 1
    if said.verdict is Verdict.INDETERMINATE:
        tally.reasons[said.reason] += 1
    if truth.limit is not None:
        tally.limited[truth.limit] += 1
    elif read.is_coherent:
        tally.coherent += 1
        tally.false_alarms += said.verdict is Verdict.STALE
    for name in world.dials.names():
        tally.by_ingredient[name, said.verdict] += 1
