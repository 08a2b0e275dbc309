"""Which keys a round reads, and that any mix of ways estimates the share of traffic that is stale.

The population is simulated, so that the truth is known; everything else is the code in use.
"""

import random
from collections import Counter
from statistics import fmean, stdev

import pytest

from collectors.sample import Sample, Sampler
from freshness.indicator import indicator
from freshness.model import Verdict
from freshness.rollup import Reads, Rollup
from freshness.strata import CANARY, HOT, PINNED, RANDOM, RECENT, RECHECK, WALK, is_representative
from freshness.traffic import Traffic

KEYS = [str(n) for n in range(200)]
ZIPF = Traffic({key: 1 / (1 + n) for n, key in enumerate(KEYS)})


def strata(sampler: Sampler, *suspects: str) -> dict[str, list[str]]:
    return {sample.stratum: list(sample.keys) for sample in sampler.next(suspects)}


def test_no_key_is_in_two_strata_and_representative_ones_come_first() -> None:
    sampler = Sampler(KEYS, 20, ["0", "150"], 0.3, 0.3, canaries=["c1"], rng=random.Random(1))
    sampler.replace_traffic(ZIPF)
    for key in ("0", "7", "199"):
        sampler.note_change(key)
    read = strata(sampler, "3", "60")
    assert read[WALK] == KEYS[:8]
    assert read[PINNED] == ["150"]
    assert read[RECENT] == ["199"]
    assert read[CANARY] == ["c1"]
    assert read[RECHECK] == ["60"]
    assert 1 <= len(read[HOT]) <= 6
    every = [key for keys in read.values() for key in keys]
    assert len(every) == len(set(every))


def test_a_canary_stands_for_no_other_key_though_the_origin_lists_it() -> None:
    sampler = Sampler(["a", "b", "c"], 3, ["b"], canaries=["b"])
    for _ in range(2):
        assert strata(sampler) == {WALK: ["a", "c"], CANARY: ["b"]}
    sampler.note_change("b")
    assert sampler.has_only(["a", "b", "c"])
    sampler.replace_keys(["b", "d"])
    assert strata(sampler) == {WALK: ["d"], CANARY: ["b"]}
    assert sampler.lists("b")
    assert not sampler.lists("a")


def test_without_traffic_nothing_is_hot_and_reads_weigh_alike() -> None:
    sampler = Sampler(KEYS, 10, hot_share=0.5)
    [sample] = sampler.next()
    assert (sample.stratum, list(sample.keys), sample.weights) == (WALK, KEYS[:5], None)
    sampler.replace_traffic(Traffic({"no key of ours": 1.0}))
    assert not sampler.knows_traffic
    assert [sample.weights for sample in sampler.next()] == [None]


def test_a_walk_takes_as_many_rounds_as_it_says() -> None:
    sampler = Sampler(KEYS, 10, recent_share=0.2, hot_share=0.3)
    sampler.replace_traffic(ZIPF)
    assert sampler.rounds_per_walk == 40
    walked = Counter(key for _ in range(40) for key in strata(sampler)[WALK])
    assert walked == Counter(KEYS)
    sampler.replace_keys(KEYS[:12])
    assert sampler.rounds_per_walk == 3
    assert Counter(key for _ in range(12) for key in strata(sampler)[WALK]) == Counter(
        dict.fromkeys(KEYS[:12], 5)
    )


def test_random_draws_take_each_key_equally_often_and_none_twice_a_round() -> None:
    sampler = Sampler(KEYS, 20, is_random=True, rng=random.Random(5))
    drawn: Counter[str] = Counter()
    for _ in range(2_000):
        keys = strata(sampler)[RANDOM]
        assert len(set(keys)) == 20
        drawn.update(keys)
    # 200 visits of each are expected, with a standard deviation of 13.4.
    assert max(abs(drawn[key] - 200) for key in KEYS) < 5 * 13.4


def test_traffic_that_is_told_anew_changes_what_is_hot() -> None:
    sampler = Sampler(KEYS, 20, hot_share=0.5, rng=random.Random(2))
    sampler.replace_traffic(Traffic({"100": 5.0, "101": 5.0}))
    assert set(strata(sampler)[HOT]) == {"100", "101"}
    sampler.replace_traffic(Traffic({"150": 5.0}))
    assert strata(sampler)[HOT] == ["150"]
    sampler.replace_keys(KEYS[:120])
    assert HOT not in strata(sampler)
    assert not sampler.knows_traffic
    sampler.replace_keys(KEYS)
    assert strata(sampler)[HOT] == ["150"]


def test_a_batch_is_counted_by_the_sums_of_its_weights() -> None:
    sample = Sample(WALK, ["a", "b", "c", "d"], [4.0, 2.0, 1.0, 1.0])
    whole, part = Rollup(), Rollup()
    whole.add(sample.spread(Reads(Verdict.FRESH)))
    part.add(sample.spread(Reads(Verdict.FRESH), {0, 3}))
    assert (whole.fresh.n, whole.fresh.weight, whole.fresh.weight_squares) == (4, 8.0, 22.0)
    assert (part.fresh.n, part.fresh.weight, part.fresh.weight_squares) == (2, 3.0, 5.0)
    pieces = list(sample.chunks(3))
    assert [(list(each.keys), each.weights) for each in pieces] == [
        (["a", "b", "c"], [4.0, 2.0, 1.0]),
        (["d"], [1.0]),
    ]
    assert sample.spread(Reads(Verdict.FRESH), {0, 1, 2, 3}).n == 0


MIXES = {
    "a walk alone": Sampler(KEYS, 30),
    "a walk, and hot keys": Sampler(KEYS, 30, hot_share=0.5),
    "few of the walk, and many hot": Sampler(KEYS, 30, hot_share=0.9),
    "random draws alone": Sampler(KEYS, 30, is_random=True),
    "random draws, hot keys, and strata that do not enter": Sampler(
        KEYS, 30, ["0", "1"], 0.3, 0.3, is_random=True, canaries=["190"]
    ),
    "every key in every round": Sampler(KEYS, 1_000, hot_share=0.1),
}
STALE = {
    "the busy keys": lambda n: 0.3 if n < 5 else 0.01,
    "the idle keys": lambda n: 0.01 if n < 5 else 0.3,
    "all keys alike": lambda _: 0.1,
}
ROUNDS = 20
STUDIES = 120


def study(sampler: Sampler, chances: dict[str, float], rng: random.Random) -> Rollup:
    """What some rounds count, where a read of each key is stale by its own chance."""
    cell = Rollup()
    for _ in range(ROUNDS):
        for sample in sampler.next():
            if is_representative(sample.stratum):
                places = range(len(sample.keys))
                stale = {at for at in places if rng.random() < chances[sample.keys[at]]}
                cell.add(sample.spread(Reads(Verdict.STALE, 1), {*places} - stale))
                cell.add(sample.spread(Reads(Verdict.FRESH, 0), stale))
    return cell


@pytest.mark.parametrize("stale", STALE.values(), ids=[f"stale: {name}" for name in STALE])
@pytest.mark.parametrize("mix", MIXES.values(), ids=MIXES.keys())
def test_any_mix_estimates_the_share_of_traffic_that_is_stale(mix, stale) -> None:  # type: ignore[no-untyped-def]
    rng = random.Random(20_261)
    mix._rng = random.Random(7)
    listed = list(mix.listed)
    chances = {key: stale(int(key)) for key in listed}
    weights = {key: ZIPF.weights[key] for key in listed}
    truth = sum(chances[key] * weights[key] for key in listed) / sum(weights.values())
    mix.replace_traffic(ZIPF)
    found = [indicator(study(mix, chances, rng)) for _ in range(STUDIES)]
    shares = [1.0 - each.good for each in found if each is not None]
    assert len(shares) == STUDIES
    error = stdev(shares) / STUDIES**0.5
    # A ratio is biased by the order of 1/n, which the second term allows for.
    assert abs(fmean(shares) - truth) < 4 * error + 0.1 * truth / ROUNDS
    within = sum(each.sampling.low <= 1.0 - truth <= each.sampling.high for each in found if each)
    # 95 % is the nominal rate. Of 600 random draws only three or so are of the busiest key, which
    # has a sixth of the traffic: the normal approximation is at its worst there, and gives 87 %.
    assert within / STUDIES >= 0.84
