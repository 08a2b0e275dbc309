"""Sequences: a gap is proof only between two words, after a grace, where spans are not sampled."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freshness.sequence import Sent, Silence, find_gaps, find_lost, find_silent, number_epochs

S = 10**9
GRACE = 5 * S
NOW = 10_000 * S


def sent(*sequences: int, since_s: int = 0) -> list[Sent]:
    """Messages a second apart."""
    return [Sent((since_s + at) * S, number) for at, number in enumerate(sequences)]


def heard(messages: list[Sent], *, but: tuple[int, ...] = ()) -> dict[Sent, int]:
    """Acknowledged a second after each was written."""
    return {each: each.written_at + S for each in messages if each.sequence not in but}


MESSAGES = sent(*range(1, 41))


@pytest.mark.parametrize(
    ("but", "gaps"),
    [
        pytest.param((), [], id="nothing is missing"),
        pytest.param((20,), [(20, 20, True)], id="one message"),
        pytest.param((20, 21, 22), [(20, 22, True)], id="several in a row are one gap"),
        pytest.param((7, 20), [(7, 7, True), (20, 20, True)], id="two gaps"),
        pytest.param((1, 2), [], id="before the first word nobody knows whether it was there"),
        pytest.param((39, 40), [], id="the last ones may still come"),
        pytest.param(
            tuple(range(2, 40, 2)),
            [(number, number, False) for number in range(2, 40, 2)],
            id="every other one: spans are sampled, which proves nothing",
        ),
    ],
)
def test_gaps_of_a_node(but: tuple[int, ...], gaps: list[tuple[int, int, bool]]) -> None:
    found = find_gaps(MESSAGES, heard(MESSAGES, but=but), NOW, GRACE)
    assert [(gap.first, gap.last, gap.is_proof) for gap in found] == gaps


def test_a_timeline_of_a_lost_message() -> None:
    acknowledged = heard(MESSAGES[:30], but=(20,))
    after = acknowledged[MESSAGES[20]]
    assert find_lost(MESSAGES, {k: v for k, v in acknowledged.items() if k < MESSAGES[19]}, NOW,
                     GRACE) == set()  # fmt: skip
    only_next = {k: v for k, v in acknowledged.items() if k <= MESSAGES[20]}
    assert find_lost(MESSAGES, only_next, after + GRACE - 1, GRACE) == set()
    assert find_lost(MESSAGES, only_next, after + GRACE, GRACE) == {MESSAGES[19]}
    late = {**only_next, MESSAGES[19]: after + 2 * GRACE}
    assert find_lost(MESSAGES, late, after + 3 * GRACE, GRACE) == set()


def test_a_publisher_that_begins_anew_opens_an_epoch() -> None:
    before, after = sent(*range(1, 31)), sent(*range(1, 31), since_s=100)
    epochs = number_epochs(before + after, GRACE)
    assert {epochs[each] for each in before} == {0}
    assert {epochs[each] for each in after} == {1}
    lost = find_lost(before + after, heard(before) | heard(after, but=(9,)), NOW, GRACE)
    assert lost == {after[8]}


def test_the_higher_numbers_of_an_earlier_life_prove_nothing() -> None:
    before, after = sent(*range(500, 540)), sent(*range(1, 20), since_s=100)
    acknowledged = heard(before) | heard(after[:5])
    assert find_gaps(before + after, acknowledged, NOW, GRACE) == []


@pytest.mark.parametrize(
    ("sequences", "since_s", "epochs"),
    [
        pytest.param((1, 2, 4, 3, 5), 0, [0, 0, 0, 0, 0], id="commits that raced"),
        pytest.param((1, 2, 3, 2, 3), 0, [0, 0, 0, 1, 1], id="a number used again"),
        pytest.param((100, 101, 3, 4), 0, [0, 0, 1, 1], id="far below"),
    ],
)
def test_epochs(sequences: tuple[int, ...], since_s: int, epochs: list[int]) -> None:
    messages = sent(*sequences, since_s=since_s)
    numbered = number_epochs(messages, GRACE)
    assert [numbered[each] for each in messages] == epochs


def test_a_quiet_pause_and_a_lower_number_is_a_new_epoch() -> None:
    assert number_epochs([Sent(0, 30), Sent(6 * S, 3)], GRACE) == {
        Sent(0, 30): 0,
        Sent(6 * S, 3): 1,
    }


def test_a_frozen_node_is_deaf_while_others_advance() -> None:
    acknowledged = {"r1": heard(MESSAGES), "r2": heard(MESSAGES[:10]), "r3": heard(MESSAGES[:38])}
    assert find_silent(acknowledged, NOW, 20 * S) == [Silence("r2", MESSAGES[9], 30)]
    assert find_silent(acknowledged, NOW, 20 * S)[0].is_deaf
    assert find_silent(acknowledged, MESSAGES[15].written_at, 20 * S) == []


def test_nobody_is_deaf_where_nobody_speaks() -> None:
    assert find_silent({"r1": {}, "r2": {}}, NOW, S) == []


def test_a_node_that_never_spoke_is_silent_and_not_deaf() -> None:
    [silence] = find_silent({"r1": heard(MESSAGES), "r2": {}}, NOW, 20 * S)
    assert (silence.node, silence.last, silence.is_deaf) == ("r2", None, False)


words = st.dictionaries(
    st.builds(Sent, st.integers(0, 60).map(lambda s: s * S), st.integers(0, 40)),
    st.integers(0, 100).map(lambda s: s * S),
    max_size=30,
)
published = st.lists(
    st.builds(Sent, st.integers(0, 60).map(lambda s: s * S), st.integers(0, 40)), max_size=30
)


@given(messages=published, acknowledged=words, dice=st.randoms())
def test_the_order_of_arrival_never_matters(
    messages: list[Sent], acknowledged: dict[Sent, int], dice: random.Random
) -> None:
    expected = find_gaps(messages, acknowledged, NOW, GRACE)
    shuffled, rows = messages[::-1], list(acknowledged.items())
    dice.shuffle(rows)
    assert find_gaps(shuffled, dict(rows), NOW, GRACE) == expected


@given(messages=published, acknowledged=words)
def test_what_was_acknowledged_is_never_lost(
    messages: list[Sent], acknowledged: dict[Sent, int]
) -> None:
    assert not find_lost(messages, acknowledged, NOW, GRACE) & set(acknowledged)


@given(messages=published, silent_since=st.integers(0, 30))
def test_a_node_that_stops_speaking_has_lost_nothing(
    messages: list[Sent], silent_since: int
) -> None:
    """No span after some message: that the rest is missing proves nothing."""
    ordered = sorted(set(messages))
    assert find_lost(ordered, heard(ordered[:1]), NOW, GRACE) == set()
    counted = [Sent(at * S, at) for at in range(len(ordered))]
    assert find_lost(counted, heard(counted[:silent_since]), NOW, GRACE) == set()
