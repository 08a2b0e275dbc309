"""The section `objectives`: what it becomes, and what is refused, each with its place."""

from fractions import Fraction
from pathlib import Path

import pytest

from freshness.burn import Severity, WindowPair
from freshness.objective import Calendar, Measure, Objective, RatioTimeslices, Rolling, Timeslices
from stalewatch.config import ConfigError, load
from stalewatch.config.objective_checks import caution_words
from stalewatch.config.objective_specs import make_specs
from store.objective_spec import Spec
from tests.stalewatch.config.configs import GOOD, written

S = 10**9
HOUR, DAY = 3_600, 86_400
OTLP = GOOD.replace('listen: "127.0.0.1:8080"}', 'listen: "127.0.0.1:8080", otlp: {}}')


def made(folder: Path, options: str, base: str = GOOD) -> Spec:
    (spec,) = make_specs(load(written(folder, f"{base}objectives:\n  o: {{{options}}}\n")))
    return spec


def test_as_the_design_writes_it(tmp_path: Path) -> None:
    options = "keyspace: product, indicator: reads, max_staleness: 2s, target: 99.9%, window: 28d"
    assert made(tmp_path, options) == Spec(
        name="o",
        objective=Objective(Measure.READS, Fraction("0.999"), Rolling(28 * DAY)),
        placement={"product": frozenset({"edge", "regional"})},
        owners={"product": ""},
        max_staleness_ns=2 * S,
    )


@pytest.mark.parametrize(
    ("options", "budgeting", "slice_s"),
    [
        pytest.param("budgeting: {timeslices: 99%}", Timeslices(Fraction("0.99")), HOUR, id="part"),
        pytest.param("budgeting: ratio-timeslices", RatioTimeslices(), HOUR, id="ratio"),
        pytest.param(
            "budgeting: ratio-timeslices, slice: 2h", RatioTimeslices(), 2 * HOUR, id="own slice"
        ),
    ],
)  # fmt: skip
def test_budgets_of_slices(tmp_path: Path, options: str, budgeting: object, slice_s: int) -> None:
    objective = made(tmp_path, f"target: 99%, window: 28d, {options}").objective
    assert (objective.budgeting, objective.slice_s) == (budgeting, slice_s)


def test_a_calendar_window_with_occurrences_is_cautioned_about(tmp_path: Path) -> None:
    text = "  o: {target: 99%, window: month, time_zone: Europe/Berlin}\n"
    config = load(written(tmp_path, f"{GOOD}objectives:\n{text}"))
    (spec,) = make_specs(config)
    assert (spec.objective.window, spec.time_zone) == (Calendar.MONTH, "Europe/Berlin")
    assert len(caution_words(config, "o")) == 1


def test_windows_of_its_own(tmp_path: Path) -> None:
    pair = "alerting: {windows: [{long: 2h, short: 10m, burn: 8.5, severity: ticket}]}"
    spec = made(tmp_path, f"target: 99%, window: 28d, {pair}")
    assert spec.rules.pairs == (WindowPair(2 * HOUR, 600, Fraction("8.5"), Severity.TICKET),)


def test_pairs_settle_after_their_limit(tmp_path: Path) -> None:
    spec = made(tmp_path, "indicator: propagation-claimed, target: 99%, window: 28d", OTLP)
    assert (spec.settles_s, spec.rules.stale_after_s) == (2, 602)


def test_a_slice_is_no_narrower_than_the_samples(tmp_path: Path) -> None:
    slow = GOOD.replace("interval: 1s", "interval: 4m")
    objective = made(tmp_path, "target: 99%, window: 28d", slow).objective
    assert (objective.slice_s, objective.interval_s) == (300, 240)


BASE = "target: 99%, window: 28d"


@pytest.mark.parametrize(
    ("options", "place", "says"),
    [
        pytest.param(f"{BASE}, keyspace: prodct", "keyspace", "mean product", id="keyspace"),
        pytest.param(f"{BASE}, layer: edg", "layer", "did you mean edge", id="layer"),
        pytest.param(f"{BASE}, owner: me", "owner", "no keyspace has", id="owner"),
        pytest.param(f"{BASE}, region: us", "region", "no node is of this", id="region"),
        pytest.param("target: 100%, window: 28d", "target", "above 0% and below 100%", id="all"),
        pytest.param("target: 0%, window: 28d", "target", "above 0% and below 100%", id="nothing"),
        pytest.param(
            "target: 9%, window: day, time_zone: Europe/Berlim", "time_zone", "time zone", id="zone"
        ),
        pytest.param("target: 99%, window: 36d", "window", "store.retention.hours", id="longer"),
        pytest.param("target: 99%, window: 1m", "window", "holds no two slices", id="too short"),
        pytest.param("target: 99%, window: year", "window", "day, week or month", id="no window"),
        pytest.param(
            f"{BASE}, budgeting: {{timeslices: 99%}}, slice: 5m", "slice", "slices of 1h",
            id="slices of minutes over more than minutes are kept",
        ),
        pytest.param(f"{BASE}, slice: 90s", "slice", "whole minutes", id="slice"),
        pytest.param(f"{BASE}, budgeting: slices", "budgeting", "ratio-timeslices", id="budgeting"),
        pytest.param(
            f"{BASE}, indicator: propagation-claimed", "indicator", "no message comes in",
            id="propagation without traces",
        ),
        pytest.param(
            f"{BASE}, indicator: stale-key-seconds, max_staleness: 1s", "max_staleness",
            "judged as they pass", id="seconds at another maximum",
        ),
        pytest.param(
            f"{BASE}, alerting: {{windows: [{{long: 1h, short: 5m, burn: 100}}]}}",
            "alerting.windows[0]", "can never be", id="a burn rate that cannot be",
        ),
        pytest.param(
            f"{BASE}, alerting: {{windows: [{{long: 5m, short: 1h, burn: 2}}]}}",
            "alerting.windows[0]", "shorter than the long", id="windows the wrong way",
        ),
    ],
)  # fmt: skip
def test_what_is_refused(tmp_path: Path, options: str, place: str, says: str) -> None:
    with pytest.raises(ConfigError) as refused:
        made(tmp_path, options)
    (problem,) = refused.value.problems
    assert problem.path == f"objectives.o.{place}"
    assert problem.line == GOOD.count("\n") + 2
    assert problem.column > 1
    assert says in problem.text
