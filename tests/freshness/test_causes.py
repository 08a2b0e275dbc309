"""Every fault class: decided, ruled out, and undecided for want of one clue.

A second is a thousand million units. Version 5 superseded 4, which the copy held: it was written
after 100 s and had committed by 101 s, and the copy was last read stale at 130 s.
"""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from freshness.causes import (
    Absence,
    Cause,
    Clues,
    Heard,
    Life,
    Neighbours,
    Reports,
    Ring,
    Source,
    Standing,
    diagnose,
)
from freshness.clock_skew import Shift, Skew
from freshness.fill import Fill
from freshness.model import Value
from freshness.propagation import Claimed, Commit, Message, Word, judge_claim
from freshness.sequence import Sent, Silence
from freshness.ttl_drift import Drift, Lifetime

S = 10**9
KEPT, PLACED, EITHER = Fill(40 * S, 41 * S), Fill(110 * S, 111 * S), Fill(99 * S, 103 * S)
BASE = Clues(
    node="r1",
    held=Value(4),
    latest=Value(5),
    takes_messages=True,
    commit=Commit(100 * S, 101 * S),
    stale_at=130 * S,
    unix_offset=0,
)
CURRENT, BEHIND, UNSEEN = Standing.CURRENT, Standing.BEHIND, Standing.UNKNOWN
ABSENT = Standing.ABSENT
DEAF, NEVER = Silence("r1", Sent(90 * S, 8), 6), Silence("r1", None, 6)


def heard(version: int, at_s: int, outcome: str = "applied", message: str = "") -> Heard:
    return Heard(message or f"m{version}", version, outcome, at_s * S, at_s * S + S)


def claim(at_s: int | None, outcome: str = "applied", host: str = "h", **more: Any) -> Claimed:
    """The node's account of version 5, written at 100 s, in a layer that promises 2 s."""
    words = [] if at_s is None else [Word(outcome, at_s * S, (at_s + 1) * S, host)]
    return judge_claim(Message(100 * S, 101 * S, "h", 5), words, 2 * S, 200 * S, **more)


def away(
    left: int, back: int, showed: int | None, *, steady: bool = True, restart: bool = True
) -> Life:
    return Life(back * S, None, Absence(left * S, back * S, showed, restart, steady))


def replica(standing: Standing) -> Source:
    return Source("db-replica", is_replica=True, standing=standing)


def below(standing: Standing, name: str = "regional") -> Source:
    return Source(name, is_replica=False, standing=standing)


def words(*each: Heard, **more: Any) -> Reports:
    return Reports(words=each, **more)


WENT_BACK = Life(None, 5)
LONGER, WITHIN = Drift(Lifetime(90, None), 60, 5), Drift(Lifetime(58, 61), 60, 5)
ENDLESS, OPEN = Drift(Lifetime(math.inf, None), 60, 5), Drift(Lifetime(30, None), 60, 5)
TTL_LAYER = {"takes_messages": False}
OVERDUE = {"stale_at": 170 * S}
"""Stale for longer than a lifetime of 60 s and its jitter of 5 s."""
DECIDED: list[tuple[str, Cause, Mapping[str, Any]]] = [
    ("filled before the write", Cause.LOST_INVALIDATION, {"fill": KEPT}),
    ("the sequence went past it", Cause.LOST_INVALIDATION, {"reports": words(is_lost=True)}),
    (
        "filled before the write, and later messages were acknowledged",
        Cause.LOST_INVALIDATION,
        {"fill": KEPT, "reports": words(claimed=claim(None), passed_at=120 * S)},
    ),
    (
        "acknowledged after the last stale read, over the limit",
        Cause.LATE_INVALIDATION,
        {"fill": KEPT, "reports": words(heard(5, 140), claimed=claim(140))},
    ),
    (
        "late, though the copy tells no fill",
        Cause.LATE_INVALIDATION,
        {"reports": words(heard(5, 140), claimed=claim(140))},
    ),
    (
        "late by the clocks of two hosts",
        Cause.LATE_INVALIDATION,
        {"fill": KEPT, "reports": words(heard(5, 140), claimed=claim(140, host="other"))},
    ),
    (
        "v5 and then v4 applied, and an older copy after it",
        Cause.REORDERED,
        {"fill": PLACED, "reports": words(heard(5, 102), heard(4, 105), claimed=claim(102))},
    ),
    (
        "v5 and then v4 applied, and the node showed v5 before",
        Cause.REORDERED,
        {"life": WENT_BACK, "reports": words(heard(5, 102), heard(4, 105))},
    ),
    (
        "v4 applied, v5 applied, and v4 once more",
        Cause.DUPLICATE,
        {"fill": PLACED, "reports": words(heard(4, 90), heard(5, 102), heard(4, 105))},
    ),
    (
        "the same, and the node showed v5 before",
        Cause.DUPLICATE,
        {"life": WENT_BACK, "reports": words(heard(4, 90), heard(5, 102), heard(4, 105))},
    ),
    ("filled after the commit", Cause.REFILL_RACE, {"fill": PLACED}),
    (
        "filled after the invalidation was applied",
        Cause.REFILL_RACE,
        {"fill": PLACED, "reports": words(heard(5, 103), claimed=claim(101))},
    ),
    (
        "the source had the newer version",
        Cause.REFILL_RACE,
        {"fill": PLACED, "sources": (below(CURRENT), replica(CURRENT))},
    ),
    (
        "filled from a replica that lagged",
        Cause.REPLICA_LAG_REFILL,
        {"fill": PLACED, "sources": (replica(BEHIND),)},
    ),
    (
        "filled from a replica that lagged, beside a layer that did not",
        Cause.REPLICA_LAG_REFILL,
        {"fill": PLACED, "sources": (replica(BEHIND), below(CURRENT))},
    ),
    (
        "filled from a replica that lagged, through a layer that held nothing",
        Cause.REPLICA_LAG_REFILL,
        {"fill": PLACED, "sources": (replica(BEHIND), below(ABSENT))},
    ),
    ("filled from a stale layer", Cause.REPOISONED, {"fill": PLACED, "sources": (below(BEHIND),)}),
    (
        "filled from a stale layer, after it had heard",
        Cause.REPOISONED,
        {"fill": PLACED, "sources": (below(BEHIND),), "reports": words(heard(5, 103))},
    ),
    ("every changed key is behind", Cause.PARTITIONED_NODE, {"around": Neighbours(3, 0)}),
    (
        "every changed key is behind, and the node is silent",
        Cause.PARTITIONED_NODE,
        {
            "fill": KEPT,
            "around": Neighbours(4, 0),
            "reports": words(silence=DEAF, sent_after_silence=True, claimed=claim(None)),
        },
    ),
    (
        "silent while others advance, and filled from below",
        Cause.DEAF_SUBSCRIBER,
        {
            "fill": KEPT,
            "around": Neighbours(5, 2),
            "reports": words(silence=DEAF, sent_after_silence=True, claimed=claim(None)),
        },
    ),
    (
        "silent while others advance, every changed key behind, and another was filled",
        Cause.DEAF_SUBSCRIBER,
        {
            "fill": KEPT,
            "around": Neighbours(5, 0, 1),
            "reports": words(silence=DEAF, sent_after_silence=True, claimed=claim(None)),
        },
    ),
    (
        "came back with less than it had shown",
        Cause.ZOMBIE_REJOIN,
        {"life": away(105, 115, showed=5)},
    ),
    (
        "was away while the write came, and kept what it had",
        Cause.ZOMBIE_REJOIN,
        {"fill": KEPT, "life": away(95, 115, showed=4, restart=False)},
    ),
    (
        "last answered just after the origin was read",
        Cause.ZOMBIE_REJOIN,
        {"limit": 2 * S, "life": away(101, 115, showed=4, restart=False)},
    ),
    (
        "another node acknowledged what this one owns",
        Cause.MISROUTED_KEY,
        {"fill": KEPT, "ring": Ring(["r1"]), "reports": words(told=["r2"], claimed=claim(None))},
    ),
    (
        "the same, though the copy tells no fill",
        Cause.MISROUTED_KEY,
        {"ring": Ring(["r1", "r3"]), "reports": words(told=["r2"], claimed=claim(None))},
    ),
    ("longer than documented", Cause.WRONG_TTL, {"ttl": LONGER, **TTL_LAYER, **OVERDUE}),
    ("no expiry at all", Cause.WRONG_TTL, {"ttl": ENDLESS, **TTL_LAYER, **OVERDUE}),
    (
        "in a layer of invalidations that nobody traces",
        Cause.WRONG_TTL,
        {"ttl": ENDLESS, **OVERDUE},
    ),
    (
        "the clock is off, and every lifetime with it",
        Cause.CLOCK_SKEW,
        {"fill": PLACED, "skew": Skew(3 * S, 4 * S, Shift(2 * S, 5 * S, 6))},
    ),
    (
        "the latest version with another value",
        Cause.TORN_VALUE,
        {"held": Value(5, "aa"), "latest": Value(5, "bb")},
    ),
    (
        "the latest version as a not-found",
        Cause.TORN_VALUE,
        {"held": Value(5, absent=True), "latest": Value(5, "bb")},
    ),
]
RULED_OUT: list[tuple[str, Cause, Mapping[str, Any]]] = [
    ("filled after the commit", Cause.LOST_INVALIDATION, {"fill": PLACED}),
    ("no invalidations are taken", Cause.LOST_INVALIDATION, {"fill": KEPT, **TTL_LAYER}),
    (
        "acknowledged later",
        Cause.LOST_INVALIDATION,
        {"fill": KEPT, "reports": words(claimed=claim(140))},
    ),
    (
        "acknowledged a newer one, and kept",
        Cause.LOST_INVALIDATION,
        {"fill": KEPT, "reports": words(heard(6, 110))},
    ),
    ("in time", Cause.LATE_INVALIDATION, {"reports": words(claimed=claim(101))}),
    ("never came", Cause.LATE_INVALIDATION, {"reports": words(claimed=claim(None), is_lost=True)}),
    ("filled after the commit", Cause.LATE_INVALIDATION, {"fill": PLACED}),
    ("set aside", Cause.REORDERED, {"reports": words(heard(5, 102), heard(4, 105, "superseded"))}),
    ("filled before the write", Cause.REORDERED, {"fill": KEPT}),
    (
        "the repeat was known",
        Cause.DUPLICATE,
        {"reports": words(heard(4, 90), heard(5, 102), heard(4, 105, "duplicate"))},
    ),
    ("filled before the write", Cause.DUPLICATE, {"fill": KEPT}),
    ("filled before the write", Cause.REFILL_RACE, {"fill": KEPT}),
    (
        "the replica had it",
        Cause.REPLICA_LAG_REFILL,
        {"fill": PLACED, "sources": (replica(CURRENT),)},
    ),
    ("filled before the write", Cause.REPLICA_LAG_REFILL, {"fill": KEPT}),
    ("the layer below had it", Cause.REPOISONED, {"fill": PLACED, "sources": (below(CURRENT),)}),
    ("filled before the write", Cause.REPOISONED, {"fill": KEPT}),
    ("another key was updated", Cause.PARTITIONED_NODE, {"around": Neighbours(2, 1)}),
    ("another key was filled", Cause.PARTITIONED_NODE, {"around": Neighbours(9, 0, 1)}),
    ("filled from below", Cause.PARTITIONED_NODE, {"fill": PLACED, "around": Neighbours(9, 0)}),
    ("it spoke meanwhile", Cause.PARTITIONED_NODE, {"reports": words(passed_at=120 * S)}),
    ("it spoke of the key", Cause.PARTITIONED_NODE, {"reports": words(heard(5, 110))}),
    ("it spoke of the key", Cause.DEAF_SUBSCRIBER, {"reports": words(heard(5, 110))}),
    (
        "it spoke meanwhile",
        Cause.DEAF_SUBSCRIBER,
        {"reports": words(silence=DEAF, passed_at=120 * S)},
    ),
    ("no invalidations are taken", Cause.DEAF_SUBSCRIBER, TTL_LAYER),
    ("there all the time", Cause.ZOMBIE_REJOIN, {"life": Life(99 * S)}),
    ("back before the write", Cause.ZOMBIE_REJOIN, {"life": away(50, 60, showed=4)}),
    (
        "back, and still silent",
        Cause.ZOMBIE_REJOIN,
        {"life": away(99, 115, showed=4), "reports": words(silence=DEAF)},
    ),
    ("each may hold each", Cause.MISROUTED_KEY, {"ring": Ring(None)}),
    ("the owner heard", Cause.MISROUTED_KEY, {"ring": Ring(["r1"]), "reports": words(told=["r1"])}),
    ("as documented", Cause.WRONG_TTL, {"ttl": WITHIN}),
    ("the clock is right", Cause.CLOCK_SKEW, {"skew": Skew(-1000, 1000, Shift(2 * S, 5 * S, 6))}),
    ("the same value", Cause.TORN_VALUE, {"held": Value(5, "a"), "latest": Value(5, "a")}),
]
UNDECIDED: list[tuple[str, Mapping[str, Any]]] = [
    ("lost: no fill instant, and nobody traces", {}),
    ("wrong TTL: a documented one may be stale for as long", {"ttl": ENDLESS, **TTL_LAYER}),
    (
        "wrong TTL: nothing says for how long it was stale",
        {"ttl": ENDLESS, "commit": Commit(100 * S), **OVERDUE},
    ),
    ("lost: the write lies in the bounds of the fill", {"fill": EITHER}),
    ("lost: nothing bounds the write", {"fill": KEPT, "commit": Commit()}),
    (
        "lost: the bounds of the write exclude each other",
        {"fill": KEPT, "commit": Commit(9 * S, S)},
    ),
    ("late: acknowledged, and read stale after that", {"reports": words(claimed=claim(120))}),
    ("late: no word came", {"reports": words(claimed=claim(None))}),
    ("late: by two clocks, without a fill", {"reports": words(claimed=claim(140, host="other"))}),
    ("late: it failed", {"reports": words(claimed=claim(140, "failed"))}),
    (
        "reordered: no sign that the node went back",
        {"reports": words(heard(5, 102), heard(4, 105))},
    ),
    (
        "reordered: the newer one failed",
        {"life": WENT_BACK, "reports": words(heard(5, 102, "failed"), heard(4, 105))},
    ),
    (
        "duplicate: before the newer one",
        {"reports": words(heard(4, 90), heard(4, 91), heard(5, 102))},
    ),
    ("refill race: the write lies in the bounds of the fill", {"fill": EITHER}),
    ("replica lag: no fill instant", {"sources": (replica(BEHIND),)}),
    ("repoisoned: no fill instant", {"sources": (below(BEHIND),)}),
    ("repoisoned: the layer below held nothing", {"sources": (below(ABSENT),)}),
    ("partition: too few keys changed", {"around": Neighbours(2, 0)}),
    (
        "deaf: no key shows whether it is filled",
        {"reports": words(silence=DEAF, sent_after_silence=True)},
    ),
    (
        "deaf: it never spoke, as a node without spans",
        {"around": Neighbours(1, 1), "reports": words(silence=NEVER, sent_after_silence=True)},
    ),
    (
        "deaf: it fell silent after the message",
        {"around": Neighbours(1, 1), "reports": words(silence=DEAF)},
    ),
    (
        "deaf: it was filled, and nothing says that it is silent",
        {"around": Neighbours(5, 0, 1), "reports": words(sent_after_silence=True)},
    ),
    (
        "partitioned: one may have come before the node lost touch",
        {"around": Neighbours(5, 0, unsure=1)},
    ),
    ("zombie: what it showed before is unknown", {"life": away(105, 115, showed=None)}),
    (
        "zombie: others answered since, as behind a balancer",
        {"life": away(105, 115, showed=5, steady=False)},
    ),
    ("zombie: the write may be from before it left", {"life": away(101, 115, showed=4)}),
    ("mis-routed: nobody spoke", {"ring": Ring(["r1"]), "reports": words(claimed=claim(None))}),
    (
        "mis-routed: another owner spoke",
        {"ring": Ring(["r1", "r2"]), "reports": words(told=["r2", "r3"])},
    ),
    ("mis-routed: who owns the key is unknown", {"reports": words(told=["r2"])}),
    ("TTL: what remains is no more than documented", {"ttl": OPEN, **TTL_LAYER}),
    ("TTL: no lifetime was told", dict(TTL_LAYER)),
    ("skew: no lifetime is shifted", {"skew": Skew(3 * S, 4 * S)}),
    ("skew: the bounds hold a right clock, too", {"skew": Skew(-S, 4 * S, Shift(2 * S, 5 * S, 6))}),
    ("skew: the shift is the other way", {"skew": Skew(3 * S, 4 * S, Shift(-5 * S, -2 * S, 6))}),
    ("torn: one projection is unknown", {"held": Value(5), "latest": Value(5, "b")}),
]


@pytest.mark.parametrize(
    ("cause", "known"), [pytest.param(c, k, id=f"{c}: {about}") for about, c, k in DECIDED]
)
def test_a_class_that_the_evidence_decides(cause: Cause, known: Mapping[str, Any]) -> None:
    diagnosis = diagnose(replace(BASE, **known))
    assert diagnosis.cause is cause, diagnosis
    assert cause not in diagnosis.ruled_out
    assert all(diagnosis.ruled_out.values())
    # It is stored with the finding, and read long after the fault is over.
    assert diagnosis.because
    assert not {"is", "are", "still"} & set(diagnosis.because.split())


@pytest.mark.parametrize(
    ("cause", "known"), [pytest.param(c, k, id=f"{c}: {about}") for about, c, k in RULED_OUT]
)
def test_a_class_that_the_evidence_rules_out(cause: Cause, known: Mapping[str, Any]) -> None:
    diagnosis = diagnose(replace(BASE, **known))
    assert diagnosis.ruled_out[cause]
    assert diagnosis.cause is not cause


@pytest.mark.parametrize("known", [pytest.param(known, id=about) for about, known in UNDECIDED])
def test_a_class_that_lacks_one_clue(known: Mapping[str, Any]) -> None:
    diagnosis = diagnose(replace(BASE, **known))
    assert diagnosis.cause is Cause.UNDECIDED, diagnosis
    assert diagnosis.because


def test_each_class_has_its_rows() -> None:
    named = {cause for _, cause, _ in DECIDED}
    assert named == set(Cause) - {Cause.UNDECIDED}
    assert {cause for _, cause, _ in RULED_OUT} == named


def test_words_name_the_node_and_the_time_of_day() -> None:
    late = diagnose(replace(BASE, fill=KEPT, reports=words(claimed=claim(140, host="other"))))
    assert late.because == (
        "r1 acknowledged the invalidation at 00:02:21.0 UTC, 40 s after the write, by the clocks "
        "of two hosts, and not before the copy was read stale"
    )
    lost = diagnose(replace(BASE, fill=KEPT))
    assert lost.because == (
        "the copy was filled at least 59 s before the newer version was written at 00:01:40.0 UTC, "
        "and was kept"
    )
    raced = diagnose(replace(BASE, fill=PLACED, unix_offset=None))
    assert raced.because == "the copy was filled at least 9 s after the newer version had committed"
