"""What each detector of config drift says, and what it does not dare to say."""

from collections.abc import Iterable

import pytest

from freshness.config_drift import (
    Copies,
    Healing,
    Hearing,
    Kind,
    Lifetimes,
    Placed,
    Standing,
    Workings,
    compare_addressing,
    compare_mechanism,
    compare_ownership,
    compare_subscription,
    compare_ttl,
)
from freshness.ttl_sample import TtlCell

S = 10**9
MINUTES_10 = Lifetimes(600 * S, 30 * S)
HOLDS, DRIFTS, UNKNOWN = Standing.HOLDS, Standing.DRIFTS, Standing.UNKNOWN


def cell(left_s: Iterable[float], every_s: int = 60) -> TtlCell:
    """Entries that were read every so many seconds, with so long left."""
    made = TtlCell()
    for at, ttl_s in enumerate(left_s):
        made.add(f"k{at}", ttl_s, at * every_s * S)
    return made


EVEN = [6.0 * n for n in range(1, 101)]
ENDLESS = float("inf")


@pytest.mark.parametrize(
    ("seen", "said", "standing", "reason", "is_proof"),
    [
        pytest.param(cell(EVEN), MINUTES_10, HOLDS, "within", False, id="up to the documented"),
        pytest.param(cell([630.0] * 30), MINUTES_10, HOLDS, "within", False, id="jitter allowed"),
        pytest.param(cell([630.1]), MINUTES_10, DRIFTS, "longer", True, id="one beyond jitter"),
        pytest.param(cell([*EVEN, 4_000.0]), MINUTES_10, DRIFTS, "longer", True, id="one of many"),
        pytest.param(cell([ENDLESS]), MINUTES_10, DRIFTS, "never-expires", True, id="no expiry"),
        pytest.param(
            cell([5.0, ENDLESS, 700.0]), MINUTES_10, DRIFTS, "never-expires", True, id="the worse"
        ),
        pytest.param(cell(()), MINUTES_10, UNKNOWN, "not-seen", False, id="nobody told"),
        pytest.param(cell([ENDLESS]), Lifetimes(None), UNKNOWN, "undocumented", False, id="unsaid"),
        pytest.param(cell([200.0] * 29), MINUTES_10, UNKNOWN, "too-few", False, id="too few"),
        pytest.param(cell([200.0] * 30), MINUTES_10, DRIFTS, "shorter", False, id="short: a hint"),
        pytest.param(
            cell([200.0] * 30, every_s=30),
            MINUTES_10,
            UNKNOWN,
            "too-short-a-watch",
            False,
            id="short, and all may be of one age",
        ),
        pytest.param(
            cell([200.0] * 30),
            Lifetimes(600 * S, 0, is_filled_from_cache=True),
            UNKNOWN,
            "inherited",
            False,
            id="short, and filled from a cache",
        ),
        pytest.param(cell([290.0] * 30), MINUTES_10, HOLDS, "within", False, id="above one half"),
    ],
)
def test_times_to_live(
    seen: TtlCell, said: Lifetimes, standing: Standing, reason: str, is_proof: bool
) -> None:
    told = compare_ttl(seen, said)
    assert (told.kind, told.standing, told.reason) == (Kind.TTL, standing, reason)
    assert told.is_proof is is_proof
    assert told.figures["entries"] == seen.n


def test_the_evidence_of_a_lifetime_names_the_entry_and_counts_no_more_than_are_beyond() -> None:
    told = compare_ttl(cell([100.0, 650.0, 9_000.0, 640.0]), MINUTES_10)
    assert told.examples == ("k2",)
    assert told.figures["longest_ns"] == 9_000 * S
    assert 1 <= told.figures["outside"] <= 3
    assert "9,000 s left, of 630 s at most" in told.said
    assert "a chance of 1e-06" in compare_ttl(cell([200.0] * 30), MINUTES_10).said


EXPIRED = {Healing.EXPIRY: 5, Healing.UNKNOWN: 9}


@pytest.mark.parametrize(
    ("seen", "standing", "reason", "is_proof"),
    [
        pytest.param(
            Workings(False, healings=EXPIRED), DRIFTS, "heals-by-expiry", False, id="time alone"
        ),
        pytest.param(
            Workings(False, healings={Healing.EXPIRY: 4}), UNKNOWN, "too-few", False, id="too few"
        ),
        pytest.param(
            Workings(False, receipts=3, healings=EXPIRED), HOLDS, "acts", False, id="receipts came"
        ),
        pytest.param(
            Workings(False, healings={**EXPIRED, Healing.MESSAGE: 1}),
            HOLDS,
            "acts",
            False,
            id="a message healed one",
        ),
        pytest.param(
            Workings(False, healings=EXPIRED, followed=9, behind=2),
            HOLDS,
            "acts",
            False,
            id="copies follow in time",
        ),
        pytest.param(
            Workings(False, healings=EXPIRED, followed=4, behind=40),
            DRIFTS,
            "heals-by-expiry",
            False,
            id="few copies follow",
        ),
        pytest.param(Workings(False), UNKNOWN, "too-few", False, id="nothing is known"),
        pytest.param(
            Workings(True, receipts=3), DRIFTS, "takes-messages", True, id="ttl that acknowledges"
        ),
        pytest.param(
            Workings(True, receipts=2), UNKNOWN, "too-few", False, id="ttl, a receipt or two"
        ),
        pytest.param(
            Workings(True, healings=EXPIRED), HOLDS, "expires", False, id="ttl that expires"
        ),
    ],
)
def test_mechanisms(seen: Workings, standing: Standing, reason: str, is_proof: bool) -> None:
    told = compare_mechanism(seen)
    assert (told.standing, told.reason, told.is_proof) == (standing, reason, is_proof)


@pytest.mark.parametrize(
    ("seen", "standing", "reason", "is_proof"),
    [
        pytest.param(Copies(1, 9_999, 0), HOLDS, "found", False, id="one is enough"),
        pytest.param(Copies(0, 200, 0, ["1"]), DRIFTS, "all-missing", False, id="all missing"),
        pytest.param(Copies(0, 199, 0, ["1"]), UNKNOWN, "too-few", False, id="too few reads"),
        pytest.param(Copies(0, 200, 0), UNKNOWN, "no-origin", False, id="nor has the origin any"),
        pytest.param(Copies(24, 0, 26), DRIFTS, "unreadable", True, id="mostly unreadable"),
        pytest.param(Copies(25, 0, 25), HOLDS, "found", False, id="half of them"),
        pytest.param(Copies(0, 500, 3, ["1"]), UNKNOWN, "too-few", False, id="a few unreadable"),
        pytest.param(Copies(0, 0, 0), UNKNOWN, "too-few", False, id="nothing was read"),
    ],
)
def test_addressing(seen: Copies, standing: Standing, reason: str, is_proof: bool) -> None:
    told = compare_addressing(seen)
    assert (told.standing, told.reason, told.is_proof) == (standing, reason, is_proof)


@pytest.mark.parametrize(
    ("seen", "standing", "reason"),
    [
        pytest.param(Hearing(1, [900]), HOLDS, "acknowledges", id="one receipt"),
        pytest.param(Hearing(0, [20, 3]), DRIFTS, "no-receipts", id="others hear"),
        pytest.param(Hearing(0, [19, 19]), UNKNOWN, "too-few", id="others hear little"),
        pytest.param(Hearing(0, []), UNKNOWN, "too-few", id="there is no other"),
        pytest.param(Hearing(0, [50], was_there=False), UNKNOWN, "not-there", id="it was away"),
        pytest.param(Hearing(0, [50], followed=5), UNKNOWN, "follows-unheard", id="it follows"),
        pytest.param(
            Hearing(0, [50], followed=5, behind=5), DRIFTS, "no-receipts", id="follows by halves"
        ),
    ],
)
def test_subscriptions_are_never_proven_missing(
    seen: Hearing, standing: Standing, reason: str
) -> None:
    told = compare_subscription(seen)
    assert (told.standing, told.reason, told.is_proof) == (standing, reason, False)


def test_a_deaf_node_is_told_with_its_checks() -> None:
    assert (
        "each of 7 checks found it behind"
        in compare_subscription(Hearing(0, [50], True, 0, 7)).said
    )


def test_keys_at_other_nodes_than_their_owners() -> None:
    met = [Placed("a", "n1", True), Placed("b", "n1", True), Placed("b", "n1", False)]
    owners = {"a": {"n1", "n2"}, "b": {"n2"}}
    told = compare_ownership(met, owners)
    assert (told.standing, told.reason, told.is_proof) == (DRIFTS, "astray", True)
    assert told.figures == {"met": 3, "receipts": 1, "copies": 1}
    assert set(told.examples) == {"b at n1"}
    assert compare_ownership(met, None).reason == "everywhere"
    assert compare_ownership(met, {}).reason == "too-few"
    at_home = [Placed(f"k{n}", "n1", False) for n in range(30)]
    told = compare_ownership(at_home, {each.key: {"n1"} for each in at_home})
    assert (told.standing, told.reason) == (HOLDS, "at-owners")
