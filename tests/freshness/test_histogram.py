"""Histograms: exact buckets, sums that commute, quantiles that never pretend to be points."""

import sqlite3
from bisect import bisect_left
from decimal import Decimal, localcontext
from functools import reduce
from itertools import accumulate
from math import ceil, inf
from operator import add

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freshness.histogram import (
    MAX_DENSE_BUCKETS,
    SCALE,
    UNBOUNDED_INDEX,
    ZERO_INDEX,
    Histogram,
    Span,
    bucket_index,
    bucket_span,
)

values = st.integers(0, 2**63 - 1) | st.integers(0, 100) | st.integers(0, 62).map(lambda k: 2**k)
scales = st.integers(-4, 6)
counted = st.lists(st.tuples(st.none() | values, st.integers(1, 1_000)), max_size=30)


def histogram(entries: list[tuple[int | None, int]], scale: int = SCALE) -> Histogram:
    """Of (value, count) pairs."""
    made = Histogram(scale=scale)
    for value, count in entries:
        made.add(value, count)
    return made


histograms = counted.map(histogram)


@given(value=st.integers(1, 2**63 - 1), scale=scales)
def test_a_bucket_holds_its_value(value: int, scale: int) -> None:
    low, high = bucket_span(bucket_index(value, scale), scale)
    assert low <= value <= high


@given(value=st.integers(1, 2**63 - 1), scale=scales)
def test_index_is_the_one_of_the_data_model(value: int, scale: int) -> None:
    """The ceiling of log2(value) * 2**scale, less one, with 60 digits."""
    with localcontext(prec=60):
        exact = Decimal(value).ln() / Decimal(2).ln() * Decimal(2) ** scale
        nearest = exact.to_integral_value()
        exact = nearest if abs(exact - nearest) < Decimal("1e-50") else exact
    assert bucket_index(value, scale) == ceil(exact) - 1


@pytest.mark.parametrize("power", range(64))
def test_a_power_of_two_ends_its_bucket(power: int) -> None:
    assert bucket_index(2**power) == power * 8 - 1
    assert bucket_index(2**power + 1) >= power * 8
    assert bucket_span(power * 8 - 1).high_ns == 2**power


@given(histograms, histograms, histograms)
def test_sums_commute_and_associate(a: Histogram, b: Histogram, c: Histogram) -> None:
    assert a + b == b + a
    assert (a + b) + c == a + (b + c)
    assert a + Histogram() == a
    assert (a + b) - b == a


@given(first=counted, second=counted)
def test_a_sum_equals_a_recount(
    first: list[tuple[int | None, int]], second: list[tuple[int | None, int]]
) -> None:
    assert histogram(first) + histogram(second) == histogram(first + second)


@given(old=counted, new=counted)
def test_a_correction_equals_a_recount(
    old: list[tuple[int | None, int]], new: list[tuple[int | None, int]]
) -> None:
    correction = histogram(new) - histogram(old)
    assert histogram(old) + correction == histogram(new)


@given(entries=counted, fine=scales, coarse=scales)
def test_downscaling_equals_counting_coarsely(
    entries: list[tuple[int | None, int]], fine: int, coarse: int
) -> None:
    fine, coarse = max(fine, coarse), min(fine, coarse)
    assert histogram(entries, fine).downscaled(coarse) == histogram(entries, coarse)
    mixed = histogram(entries, fine) + histogram(entries, coarse)
    assert mixed == histogram(entries + entries, coarse)


def test_a_scale_cannot_be_refined() -> None:
    with pytest.raises(ValueError, match="refined"):
        Histogram().downscaled(SCALE + 1)


@given(entries=counted.filter(bool), percent=st.integers(0, 100))
def test_a_quantile_spans_the_true_one(entries: list[tuple[int | None, int]], percent: int) -> None:
    span = histogram(entries).quantile(percent / 100)
    ranked = sorted((inf if value is None else value, count) for value, count in entries)
    running = list(accumulate(count for _, count in ranked))
    rank = max(1, -(-percent * running[-1] // 100))
    value, _ = ranked[bisect_left(running, rank)]
    assert span is not None
    assert span.low_ns <= value <= span.high_ns
    assert span.high_ns in (inf, 0) or span.high_ns <= 1.1 * span.low_ns


@pytest.mark.parametrize(
    ("entries", "q", "expected"),
    [
        pytest.param([], 0.5, None, id="nothing counted: no quantile"),
        pytest.param([(0, 9), (None, 1)], 0.9, Span(0, 0), id="the last bounded rank"),
        pytest.param([(0, 9), (None, 1)], 0.91, Span(inf, inf), id="the first unbounded rank"),
        pytest.param([(None, 1)], 0.0, Span(inf, inf), id="only unbounded ones"),
        pytest.param([(1, 1)], 1.0, Span(1, 1), id="one nanosecond"),
        pytest.param([(1, 7), (1024, 93)], 0.07, Span(1, 1), id="0.07 of 100 is rank 7"),
    ],
)
def test_quantiles(entries: list[tuple[int | None, int]], q: float, expected: Span | None) -> None:
    assert histogram(entries).quantile(q) == expected


@pytest.mark.parametrize("q", [-0.1, 1.1, float("nan")])
def test_a_quantile_lies_between_0_and_1(q: float) -> None:
    with pytest.raises(ValueError, match="quantile"):
        Histogram().quantile(q)


@pytest.mark.parametrize(
    "correction", [histogram([(0, -1), (5, 9)]), histogram([(5, -1)]), histogram([(None, -1)])]
)
def test_a_correction_has_no_quantile(correction: Histogram) -> None:
    with pytest.raises(ValueError, match="correction"):
        correction.quantile(0.5)


def test_no_duration_is_negative() -> None:
    with pytest.raises(ValueError, match="negative"):
        Histogram().add(-1)


@given(histograms, histograms)
def test_encoding_is_canonical_and_comes_back(a: Histogram, b: Histogram) -> None:
    for each in (a, a - b, a.downscaled(0)):
        assert Histogram.decode(each.encode()) == each
    assert (a + b).encode() == (b + a).encode()


def test_the_encoding_is_stable() -> None:
    text = '{"v":1,"s":3,"z":5,"u":2,"b":{"-1":1,"79":4}}'
    assert histogram([(0, 5), (1024, 4), (1, 1), (None, 2)]).encode() == text
    assert Histogram().encode() == '{"v":1,"s":3}'


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('{"v":2,"s":3}', id="another version"),
        pytest.param("[]", id="no object"),
        pytest.param("", id="nothing"),
        pytest.param("{", id="no JSON"),
    ],
)
def test_what_is_no_histogram_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"histogram|Expecting"):
        Histogram.decode(text)


@given(st.lists(histograms, min_size=1, max_size=5))
def test_sql_adds_buckets_up(parts: list[Histogram]) -> None:
    """Both stored forms: a row a bucket, and the JSON object."""
    whole = reduce(add, parts)
    with sqlite3.connect(":memory:") as db:
        db.execute("CREATE TABLE bucket (i INTEGER, n INTEGER)")
        db.execute("CREATE TABLE cell (h TEXT)")
        for part in parts:
            db.executemany("INSERT INTO bucket VALUES (?, ?)", part.rows().items())
            db.execute("INSERT INTO cell VALUES (?)", (part.encode(),))
        rows = dict(db.execute("SELECT i, sum(n) FROM bucket GROUP BY i ORDER BY i"))
        keys = "SELECT key, sum(value) FROM cell, json_each(h, '$.b') GROUP BY key"
        in_json = {int(index): n for index, n in db.execute(keys)}
    db.close()
    assert Histogram.from_rows(rows) == whole
    assert in_json == whole.buckets


def test_rows_are_in_order_of_value() -> None:
    rows = histogram([(None, 2), (1, 3), (0, 1)]).rows()
    assert list(rows.items()) == [(ZERO_INDEX, 1), (-1, 3), (UNBOUNDED_INDEX, 2)]


@given(histograms)
def test_the_dense_form_fits_and_loses_no_count(a: Histogram) -> None:
    dense = a.dense()
    assert len(dense.bucket_counts) <= MAX_DENSE_BUCKETS
    assert sum(dense.bucket_counts) + dense.zero_count + a.unbounded == a.total
    finer = a.downscaled(dense.scale + 1) if dense.scale < SCALE else None
    if finer:
        assert max(finer.buckets) - min(finer.buckets) >= MAX_DENSE_BUCKETS
    for at, count in enumerate(dense.bucket_counts):
        assert a.downscaled(dense.scale).buckets.get(dense.offset + at, 0) == count


@pytest.mark.parametrize(
    ("threshold_ns", "zero", "raised_to"),
    [
        pytest.param(0, 1, 0, id="nothing below it"),
        pytest.param(1024, 3, 1024, id="the end of a bucket"),
        pytest.param(1000, 3, 1024, id="within a bucket: raised to its end"),
        pytest.param(1025, 3, 1025, id="in an empty bucket"),
    ],
)
def test_a_zero_threshold_splits_no_bucket(threshold_ns: int, zero: int, raised_to: int) -> None:
    plain = histogram([(0, 1), (7, 1), (1024, 1), (5_000, 1)])
    zeroed = plain.zeroed(threshold_ns)
    assert (zeroed.zero, zeroed.zero_threshold_ns, zeroed.total) == (zero, raised_to, 4)
    assert (plain + zeroed).zero_threshold_ns == raised_to
    assert (plain + zeroed).total == 8
