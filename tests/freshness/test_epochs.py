"""Restores, recreations and unversioned values: what crosses from one life to the next."""

from collections.abc import Sequence

import pytest

from freshness.epochs import Epochs
from freshness.evidence import Evidence, Invalidation, OriginRead, Write
from freshness.model import ABSENT, Order, Reason, Value, Verdict

FRESH, STALE, DOUBT = Verdict.FRESH, Verdict.STALE, Verdict.INDETERMINATE


def leader(value: int | Value, start: int, end: int) -> OriginRead:
    value = Value(value) if isinstance(value, int) else value
    return OriginRead(value, start, end, linearizable=True)


RESTORED = [leader(5, 10, 11), leader(3, 20, 21), leader(3, 30, 31)]
RECREATED = [leader(5, 10, 11), leader(ABSENT, 20, 21), leader(1, 30, 31)]
DIGEST_A, DIGEST_B = Value(projection="a"), Value(projection="b")

CASES: list[tuple[str, Sequence[Evidence], Value, tuple[int, int], Verdict, Reason]] = [
    ("before a restore, the old life judges", RESTORED, Value(4), (12, 13), DOUBT,
     Reason.CONTRADICTION),
    ("a read that a life surely holds", [leader(4, 2, 3), leader(5, 4, 5), *RESTORED], Value(4),
     (9, 9), STALE, Reason.SUPERSEDED),
    ("between the last look before and the first after, nobody knows", RESTORED, Value(5), (15, 16),
     DOUBT, Reason.CONTRADICTION),
    ("after a restore, the restored version cannot be told from its namesake", RESTORED, Value(3),
     (40, 41), DOUBT, Reason.EPOCH),
    ("after a restore, an older version is proven stale by the new life", RESTORED, Value(2),
     (40, 41), STALE, Reason.SUPERSEDED),
    ("a version that no life had used is fresh again", [*RESTORED, leader(6, 38, 39)], Value(6),
     (40, 41), FRESH, Reason.CURRENT),
    ("one look alone confirms no restore", [leader(5, 10, 11), leader(3, 20, 21)], Value(2),
     (40, 41), DOUBT, Reason.CONTRADICTION),
    ("a late message of the old life proves nothing in the new", [*RESTORED, Invalidation(5, 35)],
     Value(3), (40, 41), DOUBT, Reason.EPOCH),
    ("a lagging replica proves nothing in the new life",
     [*RESTORED, OriginRead(Value(5), 35, 36)], Value(3), (40, 41), DOUBT, Reason.EPOCH),
    ("our own write in the new life does", [*RESTORED, Write(Value(4), 32, 33)], Value(3),
     (40, 41), STALE, Reason.SUPERSEDED),
    ("a recreated row that counts from one again is not stale", RECREATED, Value(1), (40, 41),
     DOUBT, Reason.EPOCH),
    ("a leftover of the row before is not fresh", [*RECREATED, leader(5, 38, 39)], Value(5),
     (40, 41), DOUBT, Reason.EPOCH),
    ("a cached not-found that the origin bears out", [leader(ABSENT, 38, 39)], ABSENT, (40, 41),
     FRESH, Reason.CURRENT),
    ("a cached not-found of a row that exists", [leader(3, 38, 39)], ABSENT, (40, 41), DOUBT,
     Reason.NO_EVIDENCE),
    ("equal digests certify to the start of the look", [leader(DIGEST_A, 38, 39)], DIGEST_A,
     (40, 41), FRESH, Reason.CURRENT),
    ("other digests prove nothing: values recur", [leader(DIGEST_A, 38, 39)], DIGEST_B, (40, 41),
     DOUBT, Reason.MISMATCH),
    ("a replica orders no digests", [OriginRead(DIGEST_A, 38, 39)], DIGEST_A, (40, 41), DOUBT,
     Reason.NO_EVIDENCE),
    ("a digest against versions cannot be compared", [leader(3, 38, 39)], DIGEST_A, (40, 41),
     DOUBT, Reason.NO_EVIDENCE),
]  # fmt: skip


@pytest.mark.parametrize(
    ("about", "evidence", "value", "span", "verdict", "reason"), CASES, ids=[c[0] for c in CASES]
)
def test_verdicts(
    about: str,
    evidence: Sequence[Evidence],
    value: Value,
    span: tuple[int, int],
    verdict: Verdict,
    reason: Reason,
) -> None:
    del about
    for order in (evidence, evidence[::-1]):
        judgement = Epochs(Order.COUNTER, order).judge(value, *span, max_staleness=3)
        assert judgement[:2] == (verdict, reason)


def test_values_declared_not_to_recur_supersede_each_other() -> None:
    evidence = [leader(DIGEST_A, 10, 11), leader(DIGEST_B, 20, 21)]
    judgement = Epochs(Order.OPAQUE, evidence, recurs=False).judge(DIGEST_A, 30, 31, 3)
    assert judgement[:2] == (STALE, Reason.SUPERSEDED)
    assert judgement.bounds == (9, 21, 1, None)


def test_a_version_of_its_own_makes_a_delete_a_version_like_any_other() -> None:
    gone = Value(4, absent=True)
    epochs = Epochs(Order.COUNTER, [leader(3, 10, 11), leader(gone, 20, 21)])
    assert epochs.judge(Value(3), 30, 31, 3)[:2] == (STALE, Reason.SUPERSEDED)
    assert epochs.judge(gone, 22, 23, 3)[:2] == (FRESH, Reason.CURRENT)


def test_what_was_trimmed_away_judges_nothing() -> None:
    epochs = Epochs(Order.COUNTER, [leader(5, 0, 10), leader(ABSENT, 70, 71), leader(7, 100, 101)])
    epochs.trim(8)
    assert epochs.judge(Value(7), 50, 51, 3)[:2] == (DOUBT, Reason.CONTRADICTION)


def test_a_row_made_again_with_the_same_content_is_not_stale() -> None:
    evidence = [leader(DIGEST_A, 0, 1), leader(ABSENT, 20, 21), leader(DIGEST_A, 40, 41)]
    judgement = Epochs(Order.OPAQUE, evidence, recurs=False).judge(DIGEST_A, 30, 45, 3)
    assert judgement.verdict is not STALE
