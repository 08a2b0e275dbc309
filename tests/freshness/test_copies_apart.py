"""Drift: what reads of several copies prove, and what they never do."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from freshness.drift import (
    Disagreement,
    Proof,
    Standing,
    Stay,
    disagreements,
    lives,
    regressions,
    weigh,
)
from freshness.model import ABSENT, Read, Reading, Result, Value
from freshness.runs import Run, RunBook


def stay(value: int | str | Value | None, *spans: tuple[int, int], ended_by: str = "") -> Stay:
    """A stay with these reads; a number is a version, a text a digest."""
    if isinstance(value, int):
        value = Value(version=value)
    elif isinstance(value, str):
        value = Value(projection=value)
    return Stay(value, [Read(*span) for span in spans], ended_by)


ORIGIN = [stay(3, (0, 1), (8, 9)), stay(4, (10, 11), (90, 91))]


@pytest.mark.parametrize(
    ("one", "other", "origin", "proof"),
    [
        pytest.param(
            stay(3, (12, 13), (40, 41)), stay(4, (20, 21)), ORIGIN, Proof.PROVEN,
            id="the old value before and after a read of the new one",
        ),
        pytest.param(
            stay(3, (12, 13), (40, 41)), stay(4, (20, 21), (60, 61)), ORIGIN, Proof.PROVEN,
            id="both seen twice, in turn",
        ),
        pytest.param(
            stay(3, (12, 13)), stay(4, (12, 13)), ORIGIN, Proof.OVERLAP,
            id="one batch: the origin may have changed within it",
        ),
        pytest.param(
            stay(3, (12, 13), (20, 21)), stay(4, (20, 22), (40, 41)), ORIGIN, Proof.OVERLAP,
            id="the last read of the old value overlaps the first of the new one",
        ),
        pytest.param(
            stay("a", (12, 13), (40, 41)), stay("b", (20, 21)), ORIGIN, Proof.UNORDERED,
            id="digests: values come back",
        ),
        pytest.param(
            stay(ABSENT, (12, 13), (40, 41)), stay(4, (20, 21)), ORIGIN, Proof.UNORDERED,
            id="absence without a version may be before or after",
        ),
        pytest.param(
            stay(4, (12, 13), (40, 41)), stay(5, (20, 21)), ORIGIN, Proof.AHEAD,
            id="the origin was never seen with the newer version",
        ),
        pytest.param(
            stay(3, (12, 13), (95, 96)), stay(4, (20, 21)), ORIGIN, Proof.UNSETTLED,
            id="the origin has not answered since the last read",
        ),
        pytest.param(
            stay(3, (12, 13), (40, 41)), stay(4, (20, 21)), [], Proof.UNSETTLED,
            id="an origin that never answered",
        ),
        pytest.param(
            stay(3, (12, 13), (40, 41)), stay(4, (20, 21)),
            [stay(4, (0, 1), (18, 19)), stay(3, (30, 31), (90, 91))], Proof.EPOCH,
            id="a restore in between",
        ),
        pytest.param(
            stay(3, (12, 13), (40, 41)), stay(4, (20, 21)),
            [stay(4, (0, 1), (18, 19)), stay(ABSENT, (21, 22)), stay(4, (30, 31), (90, 91))],
            Proof.EPOCH,
            id="deleted and created again in between",
        ),
        pytest.param(
            stay(2, (42, 43), (60, 61)), stay(3, (50, 51)),
            [stay(4, (0, 1), (18, 19)), stay(3, (30, 31), (90, 91))], Proof.PROVEN,
            id="a restore before all of it",
        ),
        pytest.param(
            stay(Value(4, "p"), (12, 13), (40, 41)), stay(Value(4, "q"), (20, 21)), ORIGIN,
            Proof.PROVEN,
            id="one version with two contents",
        ),
    ],
)  # fmt: skip
def test_what_two_copies_prove(one: Stay, other: Stay, origin: list[Stay], proof: Proof) -> None:
    (found,) = disagreements([one], [other], lives(origin))
    (mirrored,) = disagreements([other], [one], lives(origin))
    assert found.proof is mirrored.proof is proof


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(stay(3, (12, 13), (20, 21)), stay(4, (30, 31)), id="one after the other"),
        pytest.param(stay(3, (12, 13), (40, 41)), stay(None, (20, 21)), id="a miss is no value"),
        pytest.param(
            stay(Value(4), (12, 13), (40, 41)),
            stay(Value(4, "p"), (20, 21)),
            id="a projection that one lacks decides nothing",
        ),
    ],
)
def test_what_is_no_disagreement(one: Stay, other: Stay) -> None:
    assert disagreements([one], [other], lives(ORIGIN)) == []


def test_bounds_come_from_the_reads_around() -> None:
    old = [stay(3, (2, 3), (30, 31)), stay(4, (40, 41), (60, 61))]
    new = [stay(3, (4, 5), (14, 15)), stay(4, (20, 21), (60, 61))]
    (found,) = disagreements(old, new, lives(ORIGIN))
    assert (found.since_lower, found.since_upper) == (14, 21)
    assert (found.lower, found.upper) == (30 - 21, 41 - 14)
    assert found.behind == 30 - 11
    assert found.is_over
    (pooled,) = disagreements(old, new, lives(ORIGIN), are_single=False)
    assert pooled.proof is Proof.PROVEN
    assert (pooled.lower, pooled.behind) == (0, 0)


def test_what_goes_on_has_no_upper_bound() -> None:
    old, new = [stay(3, (2, 3), (60, 61))], [stay(3, (4, 5), (14, 15)), stay(4, (20, 21), (60, 61))]
    (found,) = disagreements(old, new, lives(ORIGIN))
    assert (found.upper, found.is_over) == (None, False)


CALM = Disagreement(0, 0, Proof.PROVEN, 0, 1, 0, None, 0, is_over=False)


@pytest.mark.parametrize(
    ("changes", "is_torn", "standing"),
    [
        pytest.param({"behind": 11}, False, Standing.BEYOND, id="longer than promised"),
        pytest.param({"behind": 10, "upper": 30}, False, Standing.AROUND, id="bounds around it"),
        pytest.param({"upper": 10}, False, Standing.WITHIN, id="over in time"),
        pytest.param({"upper": None}, False, Standing.AROUND, id="it goes on"),
        pytest.param({"upper": 10}, True, Standing.TORN, id="torn is never in time"),
        pytest.param(
            {"behind": 99, "proof": Proof.EPOCH}, True, Standing.UNKNOWN, id="nothing is proven"
        ),
    ],
)
def test_what_is_promised(changes: dict[str, Any], is_torn: bool, standing: Standing) -> None:
    found = Disagreement(**{**CALM._asdict(), **changes})
    assert weigh(found, 10, is_torn=is_torn) is standing


@pytest.mark.parametrize(
    ("stays", "origin", "is_single", "proof"),
    [
        pytest.param(
            [stay(4, (20, 21)), stay(3, (30, 31))], ORIGIN, True, Proof.PROVEN, id="it went back"
        ),
        pytest.param(
            [stay(4, (20, 21)), stay(None, (25, 26)), stay(3, (30, 31))], ORIGIN, True,
            Proof.PROVEN, id="refilled with what is older",
        ),
        pytest.param(
            [stay(4, (20, 35)), stay(3, (30, 31))], ORIGIN, True, Proof.OVERLAP,
            id="overlapping probes",
        ),
        pytest.param(
            [stay(4, (20, 21)), stay(3, (30, 31))], ORIGIN, False, Proof.POOL,
            id="behind a balancer another one answered",
        ),
        pytest.param(
            [stay(5, (20, 21)), stay(3, (30, 31))], ORIGIN, True, Proof.AHEAD,
            id="what it showed first was rolled back, or never was",
        ),
        pytest.param(
            [stay(4, (20, 21)), stay(3, (30, 31))],
            [stay(4, (10, 11)), stay(3, (25, 26), (90, 91))], True, Proof.EPOCH,
            id="the origin was restored",
        ),
        pytest.param(
            [stay(4, (20, 21)), stay(3, (95, 96))], ORIGIN, True, Proof.UNSETTLED,
            id="the origin has not answered since",
        ),
    ],
)  # fmt: skip
def test_what_a_node_that_went_back_proves(
    stays: list[Stay], origin: list[Stay], is_single: bool, proof: Proof
) -> None:
    (found,) = regressions(stays, lives(origin), is_single=is_single)
    assert found.proof is proof
    assert (found.after, found.by) == (stays[0].last_start, stays[-1].first_end)


def test_a_restart_is_told_with_the_regression() -> None:
    stays = [stay(4, (20, 21), ended_by="restart"), stay(3, (30, 31))]
    assert regressions(stays, lives(ORIGIN))[0].has_restarted


@pytest.mark.parametrize(
    "stays",
    [
        pytest.param([stay(3, (12, 13)), stay(4, (20, 21))], id="forward"),
        pytest.param([stay("b", (12, 13)), stay("a", (20, 21))], id="no order"),
        pytest.param([stay(4, (12, 13)), stay(ABSENT, (20, 21))], id="gone"),
    ],
)
def test_what_is_no_regression(stays: list[Stay]) -> None:
    assert regressions(stays, lives(ORIGIN)) == []


@dataclass
class World:
    """An origin whose versions are in force from instants on, and copies that follow after lags."""

    dice: random.Random
    changes: list[tuple[int, int]] = field(default_factory=lambda: [(0, 1)])

    def live(self, restores: bool) -> None:
        """Versions change now and then; a restored origin stands still until it was read."""
        at, newest = 0, 1
        while at < 900:
            at += self.dice.randrange(5, 120)
            newest = max(newest, self.changes[-1][1])
            if restores and self.dice.random() < 0.2 and self.changes[-1][1] > 2:
                self.changes.append((at, self.changes[-1][1] - self.dice.randrange(1, 3)))
                at += 60
            else:
                self.changes.append((at, self.changes[-1][1] + 1))

    def at(self, instant: int) -> int:
        return next(version for since, version in reversed(self.changes) if since <= instant)

    def probe(self, lags: Sequence[list[int]], every: int, breadth: int) -> list[list[Stay]]:
        """The stays of the origin, and of a copy for each list of lags; a lag a version.

        Reads take a random time, and the value is that of a random instant of it.
        """
        books = [RunBook(10**9) for _ in range(len(lags) + 1)]
        runs: list[list[Run]] = [[] for _ in books]
        for start in range(0, 900, every):
            asked = start + self.dice.randrange(breadth)
            answered = asked + self.dice.randrange(1, breadth)
            for number, book in enumerate(books):
                sent = asked if number == 0 else answered + self.dice.randrange(1, 3)
                came = sent + self.dice.randrange(1, breadth)
                if number == 0:
                    came = answered
                if number and self.dice.random() < 0.3:
                    continue
                seen_at = self.dice.randint(sent, came)
                version = self.at(seen_at) if not number else self.copy(lags[number - 1], seen_at)
                reading = Reading(Result.VALUE, Value(version=version))
                for change in book.observe(["k"], [reading], sent, came):
                    runs[number].append(change.begun)
        return [[_as_stay(run) for run in each] for each in runs]

    def copy(self, lags: list[int], instant: int) -> int:
        """What a copy shows: the newest change that has reached it."""
        shown = self.changes[0][1]
        for (since, version), lag in zip(self.changes, lags, strict=False):
            if since + lag <= instant:
                shown = version
        return shown


def _as_stay(run: Run) -> Stay:
    assert run.value is not None
    reads = [Read(run.first_start, run.first_end), Read(run.last_start, run.last_end)]
    return Stay(run.value, list(dict.fromkeys(reads)), run.ended_by)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), restores=st.booleans(), every=st.integers(8, 40))
def test_coherent_copies_never_disagree_and_never_go_back(
    seed: int, restores: bool, every: int
) -> None:
    world = World(random.Random(seed))
    world.live(restores)
    at_once = [0] * len(world.changes)
    origin, *nodes = world.probe([at_once, at_once, at_once], every, 7)
    alive = lives(origin)
    for one in nodes:
        assert not [r for r in regressions(one, alive) if r.proof is Proof.PROVEN]
        for other in nodes:
            found = disagreements(one, other, alive)
            assert not [each for each in found if each.proof is Proof.PROVEN]


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), every=st.integers(8, 40))
def test_bounds_hold_what_lagging_copies_did(seed: int, every: int) -> None:
    world = World(random.Random(seed))
    world.live(restores=False)
    lags = [_forward(world), _forward(world)]
    origin, one, other = world.probe(lags, every, 7)
    for found in disagreements(one, other, lives(origin)):
        if found.proof is not Proof.PROVEN:
            continue
        held = one[found.one].value, other[found.other].value
        assert None not in held
        versions = [value.version for value in held if value is not None]
        truly = [
            instant
            for instant in range(1_100)
            if [world.copy(each, instant) for each in lags] == versions
        ]
        assert found.lower <= len(truly)
        assert found.upper is None or len(truly) - 1 <= found.upper
        older = min(v for v in versions if v is not None)
        newer = max(v for v in versions if v is not None)
        committed = next(since for since, version in world.changes if version == newer)
        assert older < newer
        outlived = lags[versions.index(older)]
        last = max(instant for instant in range(1_100) if world.copy(outlived, instant) == older)
        assert found.behind <= last + 1 - committed


def _forward(world: World) -> list[int]:
    """Lags after which changes reach a copy in their order."""
    lags, last = [], 0
    for since, _ in world.changes:
        arrives = max(last, since + world.dice.randrange(0, 80))
        lags.append(arrives - since)
        last = arrives
    return lags
