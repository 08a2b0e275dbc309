"""Figures in words."""

import pytest

from dashboard import wording
from freshness.causes import Cause
from freshness.model import Reason, Value

MS, S = 1_000_000, 1_000_000_000


@pytest.mark.parametrize(
    ("ns", "words"),
    [
        (0, "0 s"),
        (1, "0.1 ms"),
        (120 * MS, "120 ms"),
        (999.9 * MS, "1 s"),
        (36.44 * S, "36.4 s"),
        (116.4 * S, "116 s"),
        (136 * S, "2 min 16 s"),
        (7_200 * S, "2 h"),
        (200_000 * S, "2 d 7 h"),
        (None, "unbounded"),
        (float("inf"), "unbounded"),
    ],
)
def test_durations(ns: float | None, words: str) -> None:
    assert wording.duration(ns) == words


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (1.0, "100 %"),
        (0.999_999_9, "99.99 %"),
        (0.07, "7 %"),
        (0.985_199, "98.51 %"),
        (0.0, "0 %"),
    ],
)
def test_a_share_is_never_rounded_up(share: float, words: str) -> None:
    assert wording.percent(share) == words


def test_something_wrong_is_never_called_nothing() -> None:
    assert wording.small_percent(1e-9) == "< 0.01 %"
    assert wording.small_percent(0.0) == "0 %"


def test_bounds() -> None:
    assert wording.interval(1_800 * MS, 2_100 * MS) == "1.8 s to 2.1 s"
    assert wording.interval(2 * S, None) == "at least 2 s"
    assert wording.interval(136 * S, 136 * S + MS) == "2 min 16 s"
    assert wording.behind(1, None) == "at least 1"
    assert wording.behind(1, 3) == "1 to 3"


def test_versions() -> None:
    assert wording.version(Value(12)) == "v12"
    assert wording.version(Value(12, absent=True)) == "v12 (absent)"
    assert wording.version(Value(absent=True)) == "absent"
    assert wording.version(Value(projection="0123456789abcdef")) == "012345678…"
    assert wording.version(None) == "nothing"


@pytest.mark.parametrize("cause", Cause)
def test_causes_are_said_without_hyphens(cause: Cause) -> None:
    assert wording.cause(cause).lower() == cause.value.replace("-", " ")


def test_a_ttl_keeps_its_capitals() -> None:
    assert wording.cause("wrong-ttl") == "wrong TTL"


def test_every_reason_has_words() -> None:
    assert set(wording.REASONS) == set(Reason)
