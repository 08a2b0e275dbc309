"""What reads weigh: probabilities by hand, and one scale for all keys."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freshness.traffic import Drawing, Traffic, drawn_at_all, either, known_traffic, weigh

KEYS = ["a", "b", "c", "d"]


def test_without_traffic_of_any_key_nothing_is_weighed() -> None:
    assert weigh(Traffic({}), KEYS, Drawing(1.0, 0)) is None
    assert weigh(Traffic({"of another keyspace": 3.0}), KEYS, Drawing(0.5, 2)) is None
    assert weigh(Traffic({"a": 0.0}), KEYS, Drawing(0.5, 2)) is None


def test_a_walk_alone_weighs_by_traffic() -> None:
    weighing = weigh(Traffic({"a": 6.0, "b": 1.0, "c": 1.0, "d": 0.0}), KEYS, Drawing(0.5, 0))
    assert weighing is not None
    assert weighing.of(KEYS) == pytest.approx([3.0, 0.5, 0.5, 0.0])


def test_what_is_not_told_of_counts_as_the_least_that_is() -> None:
    weighing = weigh(Traffic({"a": 5.0, "b": 1.0}), KEYS, Drawing(1.0, 0))
    assert weighing is not None
    assert weighing.of(KEYS) == pytest.approx([2.5, 0.5, 0.5, 0.5])
    declared = weigh(Traffic({"a": 5.0, "b": 1.0}, other=0.0), KEYS, Drawing(1.0, 0))
    assert declared is not None
    assert declared.of(["c", "not listed either"]) == [0.0, 0.0]


def test_equal_traffic_that_is_drawn_evenly_weighs_one() -> None:
    weighing = weigh(Traffic(dict.fromkeys(KEYS, 7.0)), KEYS, Drawing(0.25, 3))
    assert weighing is not None
    assert weighing.of(KEYS) == pytest.approx([1.0] * 4)


def test_probabilities() -> None:
    assert drawn_at_all(0.5, 2) == pytest.approx(0.75)
    assert drawn_at_all(1.0, 1) == 1.0
    assert drawn_at_all(1.0, 0) == drawn_at_all(0.3, 0) == drawn_at_all(0.0, 9) == 0.0
    assert either(0.5, 0.5) == 0.75
    assert either(1.0, 0.5) == 1.0


traffics = st.dictionaries(st.sampled_from(KEYS), st.just(0.0) | st.floats(1e-9, 1e9), max_size=4)


@given(traffics, st.floats(0.01, 1), st.integers(0, 50), st.none() | st.floats(0, 1e6))
def test_the_weights_of_a_round_are_one_on_average_and_in_proportion_to_traffic(
    told: dict[str, float], share: float, draws: int, other: float | None
) -> None:
    traffic = Traffic(told, other)
    weighing = weigh(traffic, KEYS, Drawing(share, draws))
    known = known_traffic(traffic, KEYS)
    if weighing is None:
        assert not known
        return
    whole = sum(known.values())
    probability = {
        key: either(share, drawn_at_all(known.get(key, 0.0) / whole, draws)) for key in KEYS
    }
    weight = dict(zip(KEYS, weighing.of(KEYS), strict=True))
    reads = sum(probability.values())
    assert sum(probability[key] * weight[key] for key in KEYS) == pytest.approx(reads)
    least = min(each for each in known.values() if each > 0)
    of_others = least if other is None else other
    share_of = 1 / (whole + (len(KEYS) - len(known)) * of_others)
    for key in KEYS:
        told_of = known.get(key, of_others)
        assert weight[key] * probability[key] == pytest.approx(told_of * share_of * reads)
