"""The worked example of docs/slo.md runs, and what it names is there."""

import re
from pathlib import Path

from freshness.budget_coverage import FLOOR
from freshness.burn import STANDARD, LowVolume, Why
from freshness.objective import Measure
from freshness.status import Rules

PAGE = Path(__file__).parents[2] / "docs" / "slo.md"


def test_the_worked_example() -> None:
    examples = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert examples
    for example in examples:
        exec(compile(example, str(PAGE), "exec"), {})


def test_the_defaults_that_it_tells() -> None:
    text = PAGE.read_text()
    assert f"coverage below {float(FLOOR):g}" in text
    assert f"at least {LowVolume().least_bad} bad events" in text
    assert Rules().stale_after_s == 5 * 60
    assert float(Rules().spent_limit) == 0.75
    rows = re.findall(r"^\| \d+ \w+ \| \d+ \w+ \| ([\d.]+) \|", text, re.MULTILINE)
    assert [float(row) for row in rows] == [float(pair.threshold) for pair in STANDARD]


def test_every_reason_of_a_pair_is_told() -> None:
    told = PAGE.read_text()
    reasons = [Why.BOTH_EXCEED, Why.LONG_BELOW, Why.SHORT_BELOW, Why.NO_DATA]
    assert all(f"`{reason}`" in told for reason in reasons)
    assert "insufficient-samples" in told
    assert all(measure.value.split("-")[0] in told for measure in Measure)
