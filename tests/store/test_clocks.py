"""The clock of a node, and the cause that it is, from receipts, runs and reads in a store.

The finding on product/42 at r1 opened at 103 s. Key `a` got a new version at 95, 97, 108 and 110 s,
which r1 acknowledged 0.2 s later by a clock that is off; receipts come here after half a second.
"""

from dataclasses import replace
from typing import Any

import pytest

from freshness.causes import Cause, diagnose
from freshness.clock_skew import Skew
from freshness.model import Value
from store.base import Batch, Store
from store.clues import Declared, Gatherer
from tests.store.rows import S, read
from tests.store.test_clues import FOUND, NOW, Scene, sent, word

WRITTEN = {5: 95, 6: 97, 7: 108, 8: 110}
OWN_AGES = Declared(ages_own_copies=True)
AHEAD, BEHIND = 7.0, -7.0


class Skewed(Scene):
    """What is stored of a node whose clock is off by some seconds."""

    def __init__(self, store: Store, commits_after_s: int = 0) -> None:
        super().__init__(store)
        self.shows("r1", (4, 50, 130))
        self.proves()
        versions = [4, *WRITTEN]
        spans = [(50, 94), (95, 96), (97, 107), (108, 109), (110, 200)]
        runs = [
            self._run("", "db", "a", version, first + commits_after_s, last + commits_after_s)
            for version, (first, last) in zip(versions, spans, strict=True)
        ]
        self._store.write(Batch(runs=[replace(each, linearizable=True) for each in runs]))

    def acknowledges(
        self, off_s: float, late_s: float = 0.2, arrives_s: float = 0.5, **more: Any
    ) -> None:
        """The node's receipts, stamped by its clock; they arrive so much later."""
        messages = [
            sent(version, at_s, keys=("a",), version=version, host="shop")
            for version, at_s in WRITTEN.items()
        ]
        receipts = []
        for version, at_s in WRITTEN.items():
            stamped = word(version, at_s + late_s + off_s)
            arrived = round((at_s + late_s + arrives_s) * S)
            receipts.append(replace(stamped, received_at_ns=arrived, **{"host": "h1", **more}))
        self.told(messages, receipts)

    def has_copy(self, key: str, filled_s: int, at_s: int, **told: Any) -> None:
        """A copy that r1 lacked until two seconds before its fill, read stale."""
        self.shows("r1", (None, 60, filled_s - 2), (4, filled_s, 120), key=key)
        stamps = {"start_ns": at_s * S, "end_ns": at_s * S + S // 100}
        row = read(1_000 + int(key[1:]), key=key, value=Value(4), **stamps, **told)
        self._store.write(Batch(reads=[row]))

    @property
    def skew(self) -> Skew | None:
        return Gatherer(self._store, NOW, self.declared).gather(self.found).skew

    @property
    def is_named(self) -> bool:
        return self.diagnose().cause is Cause.CLOCK_SKEW


@pytest.fixture
def scene(store: Store) -> Skewed:
    return Skewed(store)


def age_copies(scene: Skewed, off_s: float, number: int = 3) -> None:
    """So many copies that tell their ages by the clock of their node."""
    for each in range(number):
        filled_s = 82 + each
        scene.has_copy(f"k{each}", filled_s, 104 + each, age_s=104 - 82 + off_s)


def test_a_clock_that_is_ahead_and_its_ages_with_it(scene: Skewed) -> None:
    scene.acknowledges(AHEAD)
    age_copies(scene, AHEAD)
    skew = scene.skew
    assert skew is not None
    assert skew.lower <= AHEAD * S <= skew.upper
    diagnosis = scene.diagnose()
    assert diagnosis.cause is Cause.CLOCK_SKEW
    assert "ahead, and all its lifetimes with it" in diagnosis.because


def test_a_clock_that_is_behind_and_its_lifetimes_with_it(scene: Skewed) -> None:
    scene.declared["regional"] = Declared(ttl_s=60.0)
    scene.acknowledges(BEHIND)
    for each in range(3):
        scene.has_copy(f"k{each}", 100 + each, 104 + each, ttl_s=60.0 - 4 - BEHIND)
    skew = scene.skew
    assert skew is not None
    assert skew.lower <= BEHIND * S <= skew.upper
    assert scene.is_named


def test_a_clock_that_harms_nothing_is_no_cause(scene: Skewed) -> None:
    scene.acknowledges(AHEAD)
    age_copies(scene, 0.0)
    assert scene.skew is not None
    assert scene.skew.is_off
    assert not scene.is_named


def test_two_copies_are_too_few(scene: Skewed) -> None:
    scene.acknowledges(AHEAD)
    age_copies(scene, AHEAD, number=2)
    assert not scene.is_named


NOT_OFF = [
    pytest.param({"off_s": 0.0}, id="a right clock"),
    pytest.param({"off_s": 0.0, "late_s": 9.0}, id="a node that is late"),
    pytest.param({"off_s": AHEAD, "host": ""}, id="nobody says which host it is"),
]


@pytest.mark.parametrize("spoken", NOT_OFF)
def test_what_is_not_proven_to_be_off_is_not_called_so(
    scene: Skewed, spoken: dict[str, Any]
) -> None:
    scene.acknowledges(**spoken)
    age_copies(scene, AHEAD)
    assert scene.skew is None
    assert not scene.is_named


def test_a_message_that_precedes_its_commit_makes_no_clock_look_slow(store: Store) -> None:
    scene = Skewed(store, commits_after_s=2)
    scene.acknowledges(off_s=0.0, arrives_s=3.0)
    assert scene.skew is None


def test_stamps_of_two_hosts_are_of_no_one_clock(scene: Skewed) -> None:
    scene.acknowledges(AHEAD)
    other = replace(word(9, 104.0), received_at_ns=105 * S, host="h2")
    scene.told([sent(9, 103, keys=("b",), version=9)], [other])
    age_copies(scene, AHEAD)
    assert scene.skew is None


def test_of_a_pool_nobody_knows_which_clock_it_is(scene: Skewed) -> None:
    scene.stand("r1", is_pool=True)
    scene.acknowledges(AHEAD)
    assert scene.skew is None


def test_versions_that_do_not_count_up_bound_no_clock_from_above(store: Store) -> None:
    scene = Scene(store)
    scene.shows("r1", (4, 50, 130))
    scene.proves()
    # Of key `b` the origin showed no version that these follow.
    messages = [sent(v, at_s, keys=("b",), version=v) for v, at_s in WRITTEN.items()]
    words = [replace(word(v, at_s + AHEAD), received_at_ns=at_s * S) for v, at_s in WRITTEN.items()]
    scene.told(messages, words)
    assert Gatherer(store, NOW, scene.declared).gather(FOUND).skew is None


@pytest.mark.parametrize("speaks_itself", [True, False])
def test_a_right_clock_is_that_of_who_speaks(store: Store, speaks_itself: bool) -> None:
    scene = Scene(store)
    scene.declared["regional"] = replace(OWN_AGES, speaks_itself=speaks_itself)
    scene.shows("r1", (4, 50, 130))
    scene.proves()
    # Each version a fifth of a second after the other: bounds of less than the tolerance.
    stamps = {1: 99.0, 2: 99.2, 3: 99.4, 11: 104.0, 12: 104.2, 13: 104.4}
    _commit(scene, stamps)
    messages, words = [], []
    for version, at_s in stamps.items():
        at_ns = round(at_s * S)
        times = {"written_at_ns": at_ns, "received_at_ns": at_ns}
        messages.append(sent(version, 0, keys=("c",), version=version, **times))
        words.append(word(version, at_s, received_at_ns=at_ns + S // 20))
    scene.told(messages, words)
    diagnosis = diagnose(Gatherer(store, NOW, scene.declared).gather(FOUND))
    assert (Cause.CLOCK_SKEW in diagnosis.ruled_out) is speaks_itself


def _commit(scene: Scene, stamps: dict[int, float]) -> None:
    """The leader was read all the time, and showed each version of key `c` as it was written."""
    instants = list(stamps.items())
    ends = [at_s for _, at_s in instants[1:]] + [200.0]
    rows = []
    for (version, at_s), until_s in zip(instants, ends, strict=True):
        row = scene._run("", "db", "c", version, 0, 0)
        first, last = round(at_s * S), round(until_s * S) - S // 1000
        stamped = replace(row, first_start_ns=first, first_end_ns=first)
        rows.append(replace(stamped, last_start_ns=last, last_end_ns=last, linearizable=True))
    scene._store.write(Batch(runs=rows))
