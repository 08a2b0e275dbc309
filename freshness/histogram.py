"""Mergeable histograms of staleness: OpenTelemetry's base-2 exponential buckets over nanoseconds.

Bucket i at scale s holds (2**(i / 2**s), 2**((i + 1) / 2**s)], upper bound included. Values are
whole nanoseconds, so indices and bounds are exact integer arithmetic. The scale is fixed at
`SCALE` (buckets 9 % wide): buckets of different cells then add up in SQL by index. The sparse form
never exceeds 512 buckets for values below 2**63 ns; `dense` downscales to the 160 of an exporter.

An unbounded staleness is counted apart: it is no number, and no bucket could hold it.
Counts are linear and may be negative: a late correction is the difference of two histograms.

Source: OpenTelemetry metrics data model, "ExponentialHistogram".
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil, inf, isqrt
from typing import Final, NamedTuple, Self

SCALE: Final = 3
MAX_DENSE_BUCKETS: Final = 160
ZERO_INDEX: Final = -(2**31)
"""Where `rows` puts the zero count: before every bucket."""
UNBOUNDED_INDEX: Final = 2**31 - 1
"""Where `rows` puts the unbounded count: after every bucket."""
_ENCODING: Final = 1


class Span(NamedTuple):
    """Where a quantile lies, in nanoseconds, both ends included; `math.inf` where unbounded."""

    low_ns: float
    high_ns: float


class Dense(NamedTuple):
    """The wire form: counts of consecutive buckets from index `offset` on."""

    scale: int
    zero_count: int
    zero_threshold_ns: int
    offset: int
    bucket_counts: tuple[int, ...]


@dataclass(slots=True)
class Histogram:
    """Counts by bucket index; no bucket is ever kept with a count of 0, so equal means equal.

    `zero` counts values of at most `zero_threshold_ns`, `unbounded` those without an upper bound.
    """

    buckets: dict[int, int] = field(default_factory=dict)
    zero: int = 0
    unbounded: int = 0
    scale: int = SCALE
    zero_threshold_ns: int = 0

    def add(self, value_ns: int | None, count: int = 1) -> None:
        """Count a value (None is unbounded) `count` times; a negative count takes it back."""
        if value_ns is None:
            self.unbounded += count
        elif value_ns < 0:
            raise ValueError(f"a duration is not negative: {value_ns} ns")
        elif value_ns <= self.zero_threshold_ns:
            self.zero += count
        else:
            _add(self.buckets, bucket_index(value_ns, self.scale), count)

    def __add__(self, other: "Histogram") -> "Histogram":
        return self._combined(other, 1)

    def __sub__(self, other: "Histogram") -> "Histogram":
        return self._combined(other, -1)

    @property
    def total(self) -> int:
        """How many values were counted, unbounded ones included."""
        return self.zero + sum(self.buckets.values()) + self.unbounded

    def quantile(self, q: float) -> Span | None:
        """The bucket that holds the value of rank ceil(q n), and no point within it.

        None where nothing was counted. A ValueError for a correction, which has no ranks.
        """
        if not 0.0 <= q <= 1.0:
            raise ValueError(f"a quantile lies in [0, 1], not at {q}")
        if min(self.zero, self.unbounded, *self.buckets.values(), 0) < 0:
            raise ValueError("a histogram with negative counts is a correction and has no quantile")
        if not self.total:
            return None
        # The decimal that was written, not the binary that stands for it: 0.07 of 100 is rank 7.
        rank = max(1, ceil(Fraction(str(q)) * self.total))
        for span, count in self._spans():
            rank -= count
            if rank <= 0:
                return span
        return Span(inf, inf)

    def downscaled(self, scale: int) -> "Histogram":
        """The same counts in wider buckets: a bucket's index is shifted right, which is exact."""
        if scale > self.scale:
            raise ValueError(f"scale {self.scale} cannot be refined to {scale}")
        buckets: dict[int, int] = {}
        for index, count in self.buckets.items():
            _add(buckets, index >> (self.scale - scale), count)
        return Histogram(buckets, self.zero, self.unbounded, scale, self.zero_threshold_ns)

    def zeroed(self, threshold_ns: int) -> "Histogram":
        """With at least this zero threshold, raised to the end of a bucket that it would split."""
        inside = [i for i in self.buckets if bucket_span(i, self.scale).low_ns <= threshold_ns]
        ends = [int(bucket_span(i, self.scale).high_ns) for i in inside]
        threshold = max(threshold_ns, self.zero_threshold_ns, *ends)
        zero = self.zero + sum(self.buckets[i] for i in inside)
        kept = {i: count for i, count in self.buckets.items() if i not in inside}
        return Histogram(kept, zero, self.unbounded, self.scale, threshold)

    def dense(self, max_buckets: int = MAX_DENSE_BUCKETS) -> Dense:
        """For an exporter: the finest scale at which all buckets fit. The unbounded stay behind."""
        fitted = self
        while fitted.buckets and max(fitted.buckets) - min(fitted.buckets) >= max_buckets:
            fitted = fitted.downscaled(fitted.scale - 1)
        filled = fitted.buckets
        indices = range(min(filled), max(filled) + 1) if filled else range(0)
        counts = tuple(filled.get(index, 0) for index in indices)
        return Dense(fitted.scale, self.zero, self.zero_threshold_ns, indices.start, counts)

    def rows(self) -> dict[int, int]:
        """Counts by index, zero and unbounded at their sentinels; adding rows adds histograms."""
        rows = {ZERO_INDEX: self.zero, **self.buckets, UNBOUNDED_INDEX: self.unbounded}
        return {index: rows[index] for index in sorted(rows) if rows[index]}

    @classmethod
    def from_rows(cls, rows: Mapping[int, int], scale: int = SCALE) -> Self:
        """The inverse of `rows`, for a zero threshold of 0."""
        ends = (ZERO_INDEX, UNBOUNDED_INDEX)
        buckets = {index: count for index, count in rows.items() if count and index not in ends}
        return cls(buckets, rows.get(ZERO_INDEX, 0), rows.get(UNBOUNDED_INDEX, 0), scale)

    def encode(self) -> str:
        """Canonical JSON, without what is 0 or empty.

        {"v": encoding, "s": scale, "z": zero, "t": zero_threshold_ns, "u": unbounded,
        "b": {index: count}}: `b` is an object, so that SQL adds buckets up by their json_each keys.
        """
        document: dict[str, object] = {"v": _ENCODING, "s": self.scale, "z": self.zero}
        document |= {"t": self.zero_threshold_ns, "u": self.unbounded}
        document["b"] = {str(index): self.buckets[index] for index in sorted(self.buckets)}
        return json.dumps({k: x for k, x in document.items() if x}, separators=(",", ":"))

    @classmethod
    def decode(cls, text: str) -> Self:
        """The inverse of `encode`; a ValueError for anything else."""
        document = json.loads(text)
        if not isinstance(document, dict) or document.get("v") != _ENCODING:
            raise ValueError(f"not a histogram of encoding {_ENCODING}: {text[:80]!r}")
        return cls(
            buckets={int(index): int(count) for index, count in document.get("b", {}).items()},
            zero=int(document.get("z", 0)),
            unbounded=int(document.get("u", 0)),
            scale=int(document.get("s", 0)),
            zero_threshold_ns=int(document.get("t", 0)),
        )

    def _spans(self) -> Iterator[tuple[Span, int]]:
        yield Span(0, self.zero_threshold_ns), self.zero
        for index in sorted(self.buckets):
            yield bucket_span(index, self.scale), self.buckets[index]

    def _combined(self, other: "Histogram", sign: int) -> "Histogram":
        left, right = _aligned(self, other)
        buckets = dict(left.buckets)
        for index, count in right.buckets.items():
            _add(buckets, index, sign * count)
        return Histogram(
            buckets,
            left.zero + sign * right.zero,
            left.unbounded + sign * right.unbounded,
            left.scale,
            left.zero_threshold_ns,
        )


def bucket_index(value_ns: int, scale: int = SCALE) -> int:
    """The i with 2**(i / 2**scale) < value <= 2**((i + 1) / 2**scale), for whole values >= 1.

    value**(2**scale) turns the root into a count of bits.
    """
    if scale <= 0:
        return ((value_ns - 1).bit_length() - 1) >> -scale
    return int((value_ns ** (1 << scale) - 1).bit_length()) - 1


def bucket_span(index: int, scale: int = SCALE) -> Span:
    """The whole nanoseconds of a bucket, both ends included; empty where the low end is above."""
    return Span(_floor_power(index, scale) + 1, _floor_power(index + 1, scale))


def _floor_power(exponent: int, scale: int) -> int:
    """floor(2**(exponent / 2**scale)); repeated integer square roots keep the floor exact."""
    if exponent < 0:
        return 0
    if scale <= 0:
        return 1 << (exponent << -scale)
    power = 1 << exponent
    for _ in range(scale):
        power = isqrt(power)
    return power


def _aligned(left: Histogram, right: Histogram) -> tuple[Histogram, Histogram]:
    """Both at the coarser scale and the higher zero threshold, as the data model has it."""
    if left.scale != right.scale:
        scale = min(left.scale, right.scale)
        left, right = left.downscaled(scale), right.downscaled(scale)
    while left.zero_threshold_ns != right.zero_threshold_ns:
        threshold = max(left.zero_threshold_ns, right.zero_threshold_ns)
        left, right = left.zeroed(threshold), right.zeroed(threshold)
    return left, right


def _add(buckets: dict[int, int], index: int, count: int) -> None:
    total = buckets.get(index, 0) + count
    if total:
        buckets[index] = total
    else:
        buckets.pop(index, None)
