"""What a source is said to have held throughout a fill, it held throughout."""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freshness.causes import Standing
from freshness.fill import Fill
from freshness.model import Result
from freshness.propagation import Sight
from store.sources import standing_of

HELD = 4
FILL = Fill(100, 110)


def seen(version: int, first_start: int, first_end: int, last_start: int, last_end: int) -> Sight:
    return Sight(Result.VALUE, version, first_start, first_end, last_start, last_end)


@pytest.mark.parametrize(
    ("sight", "standing"),
    [
        pytest.param(seen(4, 80, 90, 120, 130), Standing.BEHIND, id="old before and after"),
        pytest.param(seen(4, 90, 100, 110, 120), Standing.BEHIND, id="old up to both ends"),
        pytest.param(seen(5, 80, 90, 120, 130), Standing.CURRENT, id="new before and after"),
        pytest.param(
            Sight(Result.MISS, None, 80, 90, 120, 130), Standing.ABSENT, id="nothing throughout"
        ),
        pytest.param(
            seen(4, 90, 120, 90, 120), Standing.UNKNOWN, id="one slow read, of an instant"
        ),
        pytest.param(seen(4, 90, 101, 120, 130), Standing.UNKNOWN, id="first read not over yet"),
        pytest.param(seen(4, 80, 90, 109, 130), Standing.UNKNOWN, id="last read begun meanwhile"),
        pytest.param(seen(3, 80, 90, 120, 130), Standing.UNKNOWN, id="older than the copy"),
    ],
)
def test_one_run_spans_the_fill(sight: Sight, standing: Standing) -> None:
    assert standing_of([[sight]], HELD, FILL) is standing


def test_a_slow_read_says_nothing_against_a_quick_one_within_it() -> None:
    sights = [seen(4, 60, 140, 60, 140), seen(5, 80, 90, 80, 90), seen(5, 150, 160, 900, 910)]
    assert standing_of([sights], HELD, FILL) is Standing.UNKNOWN


@st.composite
def sources(draw: st.DrawFn) -> tuple[Sequence[int], Sequence[Sight]]:
    """When a source took each next version from 3 on, and its runs as a prober would store them."""
    takes = sorted(draw(st.lists(st.integers(0, 200), min_size=3, max_size=3)))
    reads = []
    for _ in range(draw(st.integers(1, 12))):
        start, took = draw(st.integers(0, 200)), draw(st.integers(1, 80))
        at = draw(st.integers(start, start + took))
        reads.append((start + took, start, 2 + bisect_right(takes, at)))
    runs = [list(same) for _, same in groupby(sorted(reads), key=lambda read: read[2])]
    return takes, [seen(run[0][2], run[0][1], run[0][0], run[-1][1], run[-1][0]) for run in runs]


@given(sources(), st.integers(0, 200), st.integers(0, 60))
def test_what_it_is_said_to_have_held_it_held(
    source: tuple[Sequence[int], Sequence[Sight]], lower: int, span: int
) -> None:
    takes, sights = source
    held = {2 + bisect_right(takes, at) for at in range(lower, lower + span + 1)}
    match standing_of([sights], HELD, Fill(lower, lower + span)):
        case Standing.BEHIND:
            assert held == {HELD}
        case Standing.CURRENT:
            assert min(held) > HELD
