"""The formulas of the method, word for word, in quadratic time; for versions of one life.

Names are those of the formulas: U, L, x, s, qs, qe. It shares nothing with the implementation but
the types of the evidence. It answers only where the formulas are the whole answer: one life, values
with versions, a value that the evidence shows to have committed and does not show to have been read
before its commit, no contradiction.
"""

import math
from collections.abc import Sequence

from freshness.evidence import Evidence, Invalidation, OriginRead, Write
from freshness.model import Bounds, Order, Verdict


class Reference:
    """U, L and the bounds of a read from the evidence of one key on one clock."""

    def __init__(self, order: Order, evidence: Sequence[Evidence]) -> None:
        self.order = order
        self.writes = [e for e in evidence if isinstance(e, Write)]
        self.invalidations = [e for e in evidence if isinstance(e, Invalidation)]
        self.reads = [e for e in evidence if isinstance(e, OriginRead)]

    def U(self, v: int) -> float:  # noqa: N802
        """The latest instant at which v can have committed."""
        return min(
            [w.end for w in self.writes if w.end is not None and _of(w) >= v]
            + [i.received for i in self.invalidations if i.version >= v]
            + [r.end for r in self.reads if _of(r) >= v],
            default=math.inf,
        )

    def L(self, v: int, least: int | None = None) -> float:  # noqa: N802
        """The earliest instant at which v can have committed; `least` bounds the v' of writes."""
        least = v if least is None else least
        started = {w.value.version: math.inf for w in self.writes}
        for w in self.writes:
            started[w.value.version] = min(started[w.value.version], w.start)
        return max(
            [start for version, start in started.items() if version is not None if version <= least]
            + [r.start for r in self.reads if r.linearizable and _of(r) < v],
            default=-math.inf,
        )

    def judge(self, x: int, qs: int, qe: int, delta: int) -> tuple[Verdict, Bounds] | None:
        """The verdict and its bounds, None where the formulas are not the whole answer."""
        if math.isinf(self.U(x)) or self._is_too_early(x, qe) or self._contradicts(x):
            return None
        s_lo = max(0.0, qs - self.U(x + 1))  # the least v' > x has the least U
        lower = self.L(x + 1, least=x + 1 if self.order is Order.COUNTER else x)
        s_hi = max(0.0, qe - lower)
        bounds = Bounds(int(s_lo), _whole(s_hi), self._k_lo(x, qs), self._k_hi(x, qe, lower))
        if s_lo > delta:
            return Verdict.STALE, bounds
        return Verdict.FRESH if s_hi <= delta else Verdict.INDETERMINATE, bounds

    def _is_too_early(self, x: int, qe: int) -> bool:
        return self.L(x) > qe

    def _k_lo(self, x: int, qs: int) -> int:
        if self.order is Order.COUNTER:
            reached = [v for v in self._known() if self.U(v) <= qs]
            return max(0, max(reached, default=x) - x)
        return len([v for v in self._committed() if v > x and self.U(v) <= qs])

    def _k_hi(self, x: int, qe: int, lower: float) -> int | None:
        if self.order is not Order.COUNTER:
            return 0 if lower > qe else None
        candidates = {v for known in self._known() for v in (known, known + 1)}
        closed = [v for v in candidates if self.L(v) > qe]
        return max(0, min(closed) - 1 - x) if closed else None

    def _contradicts(self, x: int) -> bool:
        seen = self._known() | {v + 1 for v in self._known()}
        return any(self.L(v) > self.U(v) for v in seen if v > x)

    def _known(self) -> set[int]:
        return (
            {_of(w) for w in self.writes}
            | {i.version for i in self.invalidations}
            | {_of(r) for r in self.reads}
        )

    def _committed(self) -> set[int]:
        """Numbers that were themselves shown: with gaps, a larger one proves no smaller one."""
        return (
            {_of(w) for w in self.writes if w.end is not None}
            | {i.version for i in self.invalidations}
            | {_of(r) for r in self.reads}
        )


def _of(evidence: Write | OriginRead) -> int:
    version = evidence.value.version
    assert version is not None
    return version


def _whole(bound: float) -> int | None:
    return None if math.isinf(bound) else int(bound)
