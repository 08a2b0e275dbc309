"""(W) as counts: what each account of an invalidation at a node is to an objective."""

import pytest

from freshness.counts import count_events
from freshness.model import Result
from freshness.pairs import Kind, Pair, bad_pairs, count_pairs, kind_of
from freshness.propagation import (
    Claimed,
    Commit,
    Message,
    Observed,
    Sight,
    Status,
    Why,
    Word,
    judge_claim,
    judge_sights,
)
from freshness.window import Window
from tests.freshness.budgets import N1, N2

S = 10**9


@pytest.mark.parametrize(
    ("account", "kind"),
    [
        pytest.param(Claimed(Status.IN_TIME, Why.WITHIN_LIMIT), "good", id="in time"),
        pytest.param(Claimed(Status.LATE, Why.OVER_LIMIT), "bad", id="late"),
        pytest.param(Claimed(Status.MISSING, Why.SEQUENCE_PASSED), "bad", id="proven missing"),
        pytest.param(Claimed(Status.FAILED, Why.REPORTED), "bad", id="the node said it failed"),
        pytest.param(Claimed(Status.UNKNOWN, Why.NO_WORD), "unknown", id="silence is no proof"),
        pytest.param(Claimed(Status.UNKNOWN, Why.SEEN), "unknown", id="seen, with no receipt"),
        pytest.param(Claimed(Status.UNKNOWN, Why.NO_LIMIT), "unknown", id="no limit to keep"),
        pytest.param(Claimed(Status.UNKNOWN, Why.NOT_YET), None, id="not due yet"),
        pytest.param(Claimed(Status.GONE, Why.NOT_LISTED), None, id="the node has gone"),
        pytest.param(
            Claimed(Status.UNKNOWN, Why.CLOCKS_DISAGREE), "indeterminate", id="two clocks"
        ),
        pytest.param(Observed(Status.UNKNOWN, Why.AROUND_LIMIT), "indeterminate", id="around"),
        pytest.param(Observed(Status.UNKNOWN, Why.NOT_BOUNDED), "indeterminate", id="no bound"),
        pytest.param(
            Observed(Status.UNKNOWN, Why.NOT_YET), "indeterminate", id="behind within the limit"
        ),
        pytest.param(Observed(Status.UNKNOWN, Why.NOT_PROBED), "unknown", id="not probed"),
        pytest.param(Observed(Status.UNKNOWN, Why.NO_ORDER), "unknown", id="no order"),
    ],
)
def test_kinds(account: Claimed | Observed, kind: Kind | None) -> None:
    assert kind_of(account) == kind


def accounts(arrived_s: int, now_s: int = 900) -> tuple[Claimed, Observed, Claimed]:
    """A message with a limit of 5 s: claimed in time, seen late by a probe, and silence."""
    message = Message(arrived_s * S, arrived_s * S + 1, "h", 2)
    word = Word("applied", (arrived_s + 1) * S, (arrived_s + 1) * S, "h")
    claimed = judge_claim(message, [word], 5 * S, now_s * S)
    behind = (arrived_s + 8) * S
    sights = [
        Sight(Result.VALUE, 1, behind, behind + 1, behind, behind + 1),
        Sight(Result.VALUE, 2, behind + S, behind + S, behind + S, behind + S),
    ]
    observed = judge_sights(2, Commit(arrived_s * S, arrived_s * S), sights, 5 * S)
    return claimed, observed, judge_claim(message, [], 5 * S, now_s * S)


def pairs() -> list[Pair]:
    found = []
    for arrived_s in (0, 10, 70):
        claimed, observed, silent = accounts(arrived_s)
        found.append(Pair(N1, arrived_s, "p1", "k", claimed, observed))
        found.append(Pair(N2, arrived_s, "", "k", silent, None))
    return found


def test_claims_and_sights_are_counted_apart() -> None:
    assert count_pairs(pairs(), "claimed") == {
        N1: {0: count_events(good=2), 60: count_events(good=1)},
        N2: {0: count_events(unknown=2), 60: count_events(unknown=1)},
    }
    assert count_pairs(pairs(), "observed") == {
        N1: {0: count_events(bad=2), 60: count_events(bad=1)}
    }


def test_a_claim_that_is_not_due_is_no_pair_yet() -> None:
    silent = accounts(897)[2]
    assert count_pairs([Pair(N1, 897, "p1", "k", silent, None)], "claimed") == {}


def test_what_publishers_and_keys_had_of_it() -> None:
    window = Window(0, 60)
    assert bad_pairs(pairs(), "observed", "publisher", window) == {"p1": 2}
    assert bad_pairs(pairs(), "observed", "key", Window(0, 600)) == {"k": 3}
    assert bad_pairs(pairs(), "claimed", "publisher", window) == {}
