"""What one more read makes of an open finding, when its copy was filled, and delays."""

import pytest

from freshness.fill import Fill, from_age, from_ttl
from freshness.findings import State, Step, next_case, open_case
from freshness.model import MISS, Bounds, Judgement, Reading, Reason, Result, Value, Verdict
from freshness.visibility import Delay, visibility_delay

S = 1_000_000_000
STALE = Judgement(Verdict.STALE, Reason.SUPERSEDED, Bounds(5, 9, 1, None))
STALER = Judgement(Verdict.STALE, Reason.SUPERSEDED, Bounds(8, 12, 1, None))
FRESH = Judgement(Verdict.FRESH, Reason.CURRENT, Bounds(0, 1, 0, None))
UNCLEAR = Judgement(Verdict.INDETERMINATE, Reason.BETWEEN, Bounds(1, 9, 0, None))
HELD, NEWER = Reading(Result.VALUE, Value(1)), Reading(Result.VALUE, Value(2))
DOWN = Reading(Result.UNKNOWN, why="refused")

MOVES = [
    ("a second proof confirms", HELD, STALER, State.CONFIRMED, Step.STILL_STALE),
    ("another old value is still stale", NEWER, STALE, State.CONFIRMED, Step.STILL_STALE),
    ("the probe itself healed it", NEWER, FRESH, State.HEALED_ON_READ, Step.CERTIFIED),
    ("a value not proven stale replaced it", NEWER, UNCLEAR, State.HEALED_ON_READ, Step.REPLACED),
    ("a miss means the old copy is gone", MISS, None, State.HEALED_ON_READ, Step.EVICTED),
    ("no answer moves nothing", DOWN, None, State.OPENED, Step.NO_WORD),
    ("the same value, undecided, moves nothing", HELD, UNCLEAR, State.OPENED, Step.UNDECIDED),
]


@pytest.mark.parametrize(
    ("about", "reading", "judgement", "state", "step"), MOVES, ids=[m[0] for m in MOVES]
)
def test_moves_of_an_opened_finding(
    about: str, reading: Reading, judgement: Judgement | None, state: State, step: Step
) -> None:
    del about
    case, taken = next_case(open_case(Value(1), STALE), reading, judgement)
    assert (case.state, taken) == (state, step)


def test_a_confirmed_finding_heals_and_keeps_the_longest_proof() -> None:
    case, _ = next_case(open_case(Value(1), STALE), HELD, STALER)
    case, _ = next_case(case, NEWER, STALE)
    healed, _ = next_case(case, NEWER, FRESH)
    assert (healed.state, healed.lower, healed.upper) == (State.HEALED, 8, 12)
    assert not healed.is_open


def test_the_fill_instant_from_a_remaining_ttl_holds_the_truth() -> None:
    # Filled at 100 s with a TTL of 60 s, read at 110 s: 50 s remain.
    fill = from_ttl(110 * S, 110 * S + 1000, 50.0, 60.0)
    assert fill is not None
    assert fill.lower <= 100 * S <= fill.upper


@pytest.mark.parametrize("ttl_s", [float("inf"), float("nan"), -1.0, 61.0])
def test_a_ttl_that_is_not_the_documented_one_tells_no_fill_instant(ttl_s: float) -> None:
    assert from_ttl(110 * S, 110 * S, ttl_s, 60.0) is None


def test_an_age_counts_the_tiers_above_and_bounds_from_below_alone() -> None:
    assert from_age(110 * S, 111 * S, 10.0) == Fill(99 * S, 111 * S)
    assert from_age(110 * S, 111 * S, 10.0, is_own_copy=True) == Fill(99 * S, 101 * S)
    assert from_age(110 * S, 111 * S, -1.0) is None


DELAYS = [
    ("seen without and with", (50, 70, 30, 40), Delay(10, 40)),
    ("never seen is censored, not dropped", (50, None, 30, 40), Delay(10, None, True)),
    ("never seen without", (None, 70, 30, 40), Delay(0, 40)),
    ("the write was not seen to begin", (50, 70, None, 40), Delay(10, None)),
    ("seen before its bound from above", (20, 25, 30, 40), Delay(0, 0)),
]


@pytest.mark.parametrize(("about", "stamps", "delay"), DELAYS, ids=[d[0] for d in DELAYS])
def test_visibility_delay(about: str, stamps: tuple[int, ...], delay: Delay) -> None:
    del about
    assert visibility_delay(*stamps) == delay
