"""The library's judge on random histories: no property may break outside the method's limits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freshness.model import Verdict
from tests.simulator.check import Tally, Violation
from tests.simulator.library import run_seeds
from tests.simulator.replay import lines_of
from tests.simulator.world import build_world

FOCUSES = [
    pytest.param(frozenset[str](), 2000, id="everything a little"),
    pytest.param(frozenset({"restore"}), 500, id="restores"),
    pytest.param(frozenset({"recreation"}), 500, id="unversioned absence and recreation"),
    pytest.param(frozenset({"restore", "recreation", "late"}), 300, id="many lives, late events"),
    pytest.param(frozenset({"digests"}), 500, id="values without versions"),
    pytest.param(frozenset({"projections"}), 300, id="versions and projections, shown or not"),
    pytest.param(frozenset({"monotone"}), 500, id="versions with gaps"),
    pytest.param(frozenset({"ahead", "phantom"}), 300, id="ahead of the origin"),
    pytest.param(frozenset({"second-clock", "suspend", "new-epoch"}), 300, id="clocks"),
]


@pytest.mark.parametrize(("focus", "histories"), FOCUSES)
def test_no_property_breaks(focus: frozenset[str], histories: int) -> None:
    tally = run_seeds(range(histories), focus)
    assert not tally.violations, _replay(tally.violations, focus)
    assert tally.false_alarms == 0
    assert {Verdict.FRESH, Verdict.STALE} <= set(tally.verdicts), "a judge that never says anything"


@given(st.integers(min_value=0, max_value=2**32))
def test_no_property_breaks_on_any_seed(seed: int) -> None:
    tally = run_seeds(range(seed, seed + 1))
    assert not tally.violations, _replay(tally.violations, frozenset())


def test_reference_answers_most_plain_reads() -> None:
    tally: Tally = run_seeds(range(300))
    assert tally.compared > tally.reads // 2


def _replay(violations: list[Violation], focus: frozenset[str]) -> str:
    """The shortest history that broke a property, as lines for `stalewatch judge`."""
    shortest = min(violations, key=lambda v: len(build_world(v.seed, focus).pieces))
    lines = lines_of(build_world(shortest.seed, focus))
    return "\n".join([f"{len(violations)} violations; {shortest}", *lines])
