"""What samples say: intervals against scipy, and the rules for samples that are not plain."""

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta, binomtest

from freshness.intervals import (
    NOTHING_SAID,
    Estimate,
    Interval,
    Sample,
    StratifiedBound,
    Stratum,
    claimed_bound,
    clopper_pearson,
    design_effect,
    hajek,
    independent,
    lower_bound,
    stratified,
    upper_bound,
    wilson,
)

confidences = st.sampled_from([0.5, 0.9, 0.95, 0.99, 0.999999])


@st.composite
def samples(draw: st.DrawFn, most: int = 1_000_000) -> tuple[int, int]:
    """Bad reads, and reads."""
    n = draw(st.integers(1, most))
    return draw(st.integers(0, n)), n


@given(sample=samples(5_000), confidence=confidences)
def test_wilson_equals_scipy(sample: tuple[int, int], confidence: float) -> None:
    expected = binomtest(*sample).proportion_ci(confidence, method="wilson")
    assert wilson(*sample, confidence) == pytest.approx(
        (expected.low, expected.high), rel=1e-9, abs=1e-12
    )


@given(sample=samples(5_000), confidence=confidences)
def test_clopper_pearson_equals_scipy(sample: tuple[int, int], confidence: float) -> None:
    # 1 of 2 at 0.999999 is 1 - sqrt(1 - 5e-7) = 2.5000003125e-7; scipy 1.17 has 2.5000006e-7.
    expected = binomtest(*sample).proportion_ci(confidence, method="exact")
    assert clopper_pearson(*sample, confidence) == pytest.approx(
        (expected.low, expected.high), rel=1e-6, abs=1e-14
    )


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(0, id="clean"),
        pytest.param(1, id="one bad"),
        pytest.param(1_000, id="one in a million"),
        pytest.param(500_000_000, id="half"),
        pytest.param(999_999_999, id="one good"),
        pytest.param(1_000_000_000, id="none good"),
    ],
)
def test_a_billion_reads(bad: int) -> None:
    """By the tails at the bounds: scipy 1.17's own inverse is off by a factor of two here."""
    n = 10**9
    low, high = clopper_pearson(bad, n, 0.95)
    below = beta.cdf(low, bad, n - bad + 1) if bad else 0.025
    above = beta.sf(high, bad + 1, n - bad) if bad < n else 0.025
    assert (below, above) == pytest.approx((0.025, 0.025), rel=1e-5)
    assert (low == 0.0, high == 1.0) == (bad == 0, bad == n)


@given(sample=samples(), confidence=confidences)
def test_every_interval_holds_the_estimate(sample: tuple[int, int], confidence: float) -> None:
    share = sample[0] / sample[1]
    for interval in (wilson(*sample, confidence), clopper_pearson(*sample, confidence)):
        assert 0.0 <= interval.low <= share <= interval.high <= 1.0
        assert not interval.says_nothing or sample[1] < 30


@given(n=st.integers(1, 10**9), confidence=confidences)
def test_a_clean_sample_has_a_closed_form(n: int, confidence: float) -> None:
    assert upper_bound(0, n, confidence) == pytest.approx(
        beta.isf(1.0 - confidence, 1.0, n), rel=1e-7
    )
    assert lower_bound(n, n, confidence) == pytest.approx((1.0 - confidence) ** (1.0 / n))


@given(sample=samples(), confidence=confidences)
def test_good_and_bad_mirror_each_other(sample: tuple[int, int], confidence: float) -> None:
    bad, n = sample
    assert upper_bound(bad, n, confidence) == pytest.approx(
        1.0 - lower_bound(n - bad, n, confidence), rel=1e-9, abs=1e-12
    )


def test_no_reads_say_nothing() -> None:
    assert wilson(0, 0, 0.95) == clopper_pearson(0, 0, 0.95) == NOTHING_SAID
    assert NOTHING_SAID.says_nothing
    assert not Interval(0.0, 0.99).says_nothing


@pytest.mark.parametrize(
    ("bad", "n", "confidence"),
    [
        pytest.param(-1, 5, 0.95, id="fewer than no bad reads"),
        pytest.param(6, 5, 0.95, id="more bad reads than reads"),
        pytest.param(0, -1, 0.95, id="fewer than no reads"),
        pytest.param(1, 5, 1.0, id="certainty"),
        pytest.param(1, 5, 0.0, id="no confidence"),
        pytest.param(float("nan"), 5, 0.95, id="not a number"),
    ],
)
def test_what_is_no_sample_is_refused(bad: float, n: float, confidence: float) -> None:
    for bound in (wilson, clopper_pearson, upper_bound, lower_bound):
        with pytest.raises(ValueError, match=r"no sample|confidence"):
            bound(bad, n, confidence)


def test_effective_samples_below_one_read_stay_sound() -> None:
    assert upper_bound(0.2, 0.5, 0.95) == 1.0
    assert lower_bound(0.2, 0.5, 0.95) == 0.0
    assert upper_bound(0.0, 0.5, 0.95) == pytest.approx(1.0 - 0.05**2)


def test_a_stratified_bound_splits_the_error_over_the_strata() -> None:
    strata = [Stratum(3.0, 2, 1_000), Stratum(1.0, 0, 500)]
    estimate, upper = stratified(strata, 0.95)
    assert estimate == pytest.approx(0.75 * 0.002)
    assert upper == pytest.approx(
        0.75 * upper_bound(2, 1_000, 0.975) + 0.25 * upper_bound(0, 500, 0.975)
    )


@pytest.mark.parametrize(
    ("strata", "expected"),
    [
        pytest.param([Stratum(1, 0, 0)], StratifiedBound(None, 1.0), id="nothing sampled"),
        pytest.param(
            [Stratum(1, 0, 0), Stratum(1, 5, 5)], StratifiedBound(None, 1.0), id="one unsampled"
        ),
        pytest.param(
            [Stratum(0, 0, 0), Stratum(1, 5, 5)],
            StratifiedBound(1.0, 1.0),
            id="an unsampled stratum without weight",
        ),
    ],
)
def test_an_unsampled_stratum_is_unknown(strata: list[Stratum], expected: StratifiedBound) -> None:
    assert stratified(strata, 0.95) == expected


@pytest.mark.parametrize(
    "strata",
    [
        pytest.param([], id="no strata"),
        pytest.param([Stratum(0, 0, 1)], id="no weight"),
        pytest.param([Stratum(2, 0, 1), Stratum(-1, 0, 1)], id="a negative weight"),
    ],
)
def test_strata_need_weights(strata: list[Stratum]) -> None:
    with pytest.raises(ValueError, match="weights"):
        stratified(strata, 0.95)


@given(weights=st.lists(st.integers(1, 1_000), min_size=1), data=st.data())
def test_unequal_weights_never_add_samples(weights: list[int], data: st.DataObject) -> None:
    bad = data.draw(st.lists(st.booleans(), min_size=len(weights), max_size=len(weights)))
    of_bad = sum(w for w, is_bad in zip(weights, bad, strict=True) if is_bad)
    share, n = hajek(of_bad, sum(weights), sum(w * w for w in weights))
    assert share is not None
    assert 0.0 <= share <= 1.0
    assert 1.0 <= n <= len(weights) * (1 + 1e-12)
    if len(set(weights)) == 1:
        assert n == pytest.approx(len(weights))


def test_no_weight_is_no_estimate() -> None:
    assert hajek(0.0, 0.0, 0.0) == Estimate(None, 0.0)


def test_bad_reads_that_weigh_more_than_others_are_worth_less() -> None:
    """Ten reads, two of them bad: alike, light ones, and heavy ones."""
    alike = hajek(2.0, 10.0, 10.0, 2.0)
    assert alike.share == 0.2
    assert alike.n_effective == pytest.approx(10.0)
    light = hajek(1.0, 9.0, 8.5, 0.5)
    assert light.n_effective == pytest.approx(81 / 8.5)
    heavy = hajek(8.0, 16.0, 40.0, 32.0)
    assert heavy.n_effective == pytest.approx(0.25 * 256 / 10)
    assert heavy.n_effective <= 256 / 40
    only_bad = hajek(3.0, 3.0, 3.0, 3.0)
    assert only_bad == Estimate(1.0, 3.0)


@pytest.mark.parametrize(
    ("bad", "n", "clusters", "rho", "expected"),
    [
        pytest.param(0, 6_000, 60, None, Sample(0, 60), id="clean: one read a cluster"),
        pytest.param(3, 6_000, 60, None, Sample(3, 6_000), id="bad reads: as they are"),
        pytest.param(0, 40, 60, None, Sample(0, 40), id="never more than the reads"),
        pytest.param(0, 6_000, 60, 0.0, Sample(0, 6_000), id="rho 0: independent"),
        pytest.param(50, 6_000, 60, 1.0, Sample(0.5, 60), id="rho 1: one read a cluster"),
        pytest.param(0, 6_000, 60, 0.01, Sample(0, 6_000 / 1.99), id="rho configured"),
        pytest.param(0, 0, 0, None, Sample(0, 0), id="nothing"),
    ],
)
def test_what_clustered_reads_are_worth(
    bad: float, n: float, clusters: int, rho: float | None, expected: Sample
) -> None:
    assert independent(bad, n, clusters, rho) == pytest.approx(expected)


@pytest.mark.parametrize("rho", [-0.1, 1.1, inf])
def test_a_correlation_lies_between_0_and_1(rho: float) -> None:
    with pytest.raises(ValueError, match="correlation"):
        design_effect(10, rho)


@given(n=st.integers(2, 100_000), data=st.data(), rho=st.none() | st.floats(0, 1))
def test_one_more_bad_read_never_improves_a_claim(
    n: int, data: st.DataObject, rho: float | None
) -> None:
    clusters, bad = data.draw(st.integers(1, n)), data.draw(st.integers(0, min(n - 1, 50)))
    before = claimed_bound(bad, n, clusters, 0.95, rho)
    assert claimed_bound(bad + 1, n, clusters, 0.95, rho) >= before * (1 - 1e-12)
