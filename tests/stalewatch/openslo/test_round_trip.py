"""What is exported is valid OpenSLO v1, and reads back as the objective that it was."""

from decimal import Decimal
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import assume, given
from hypothesis import strategies as st

from freshness.burn import check_pair
from freshness.objective import OCCURRENCES, Calendar, Measure, RatioTimeslices, Timeslices
from settings import Duration, Percent
from stalewatch.config import Config, load
from stalewatch.config.objective_specs import objective_of, pairs_of
from stalewatch.config.objective_text import plain, section_of
from stalewatch.config.objectives import Alerting, BurnWindows, ObjectiveSettings, fraction_of
from stalewatch.openslo.read import import_objectives
from tests.stalewatch.config.configs import written
from tests.stalewatch.openslo.exported import CONFIG, config_with, there_and

NS = 10**9


@cache
def base() -> Config:
    with TemporaryDirectory() as folder:
        return load(written(Path(folder), CONFIG))


def decimals(below: int, places: int) -> st.SearchStrategy[Percent]:
    """Shares above 0% and below a bound."""
    steps = st.integers(1, below * 10**places - 1)
    return steps.map(lambda step: Percent(Decimal(step).scaleb(-places)))


names = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", fullmatch=True)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
parts = st.one_of(decimals(100, 3), decimals(100, 0), decimals(100, 22))
lengths = st.one_of(
    st.integers(1, 40 * 24 * 60).map(lambda minutes: Duration(minutes * 60 * NS)),
    st.integers(1, 40 * 86_400 * 1_000).map(lambda ms: Duration(ms * 10**6)),
)
slices = st.sampled_from([60, 300, 3_600, 7_200, 86_400]).map(lambda s: Duration(s * NS))
windows = st.builds(
    BurnWindows,
    long=lengths,
    short=lengths,
    burn=st.floats(0.001, 1e6),
    severity=st.sampled_from(["page", "ticket"]),
)
alertings = st.builds(
    Alerting,
    windows=st.none() | st.lists(windows, min_size=1, max_size=3).map(tuple),
    least_bad=st.integers(1, 10**6),
    correlation=st.none() | st.floats(0, 1),
    spent=st.one_of(
        decimals(100, 2), st.just(Percent.parse("100%")), st.just(Percent.parse("75%"))
    ),
)
budgetings = st.one_of(
    st.just(OCCURRENCES),
    st.just(RatioTimeslices()),
    parts.map(lambda part: Timeslices(fraction_of(part))),
)


@st.composite
def objectives(draw: st.DrawFn) -> ObjectiveSettings:
    window = draw(lengths | st.sampled_from(list(Calendar)))
    values = {
        "keyspace": draw(st.sampled_from([None, "product"])),
        "layer": draw(st.sampled_from([None, "edge", "regional"])),
        "region": draw(st.none() | texts),
        "owner": draw(st.sampled_from([None, "team-catalogue"])),
        "description": draw(texts | st.text("ab \n", min_size=1_100, max_size=1_200)),
        "runbook": draw(texts),
        "indicator": draw(st.sampled_from(Measure)),
        "max_staleness": draw(st.none() | lengths),
        "target": draw(parts),
        "window": window,
        "budgeting": draw(budgetings),
        "slice": draw(st.none() | slices | lengths),
        "alerting": draw(st.just(Alerting()) | alertings),
    }
    if isinstance(window, Calendar):
        values["time_zone"] = draw(st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kathmandu"]))
    return ObjectiveSettings(**values)


@given(names, objectives())
def test_there_and_back_is_the_same(name: str, asked: ObjectiveSettings) -> None:
    try:
        objective = objective_of(base(), asked)
    except ValueError:
        assume(False)
    assume(not any(check_pair(pair, objective) for pair in pairs_of(asked) or ()))
    config = base().model_copy(update={"objectives": {name: asked}})
    assert import_objectives(there_and(config)).objectives == {name: asked}


@given(objectives())
def test_a_section_that_is_written_reads_as_it_was(asked: ObjectiveSettings) -> None:
    assert ObjectiveSettings.model_validate(plain(asked)) == asked


EVERYTHING = """
Product.Fresh: {keyspace: product, max_staleness: 2500ms, target: 99.9%, window: 28d, runbook: r}
edge: {layer: edge, region: eu, target: 99.5%, window: month, time_zone: Europe/Berlin}
slices: {layer: edge, target: 99.5%, window: week, budgeting: {timeslices: 99%}}
swept: {indicator: resident, target: 99%, window: 14d, budgeting: ratio-timeslices}
own: {target: 99%, window: 90000s, alerting: {windows: [{long: 90s, short: 70s, burn: 2}]}}
"""


def test_a_whole_config_there_and_back(tmp_path: Path) -> None:
    config = config_with(tmp_path, EVERYTHING)
    documents = there_and(config)
    imported = import_objectives(documents)
    assert imported.objectives == config.objectives
    assert list(section_of(imported.objectives)["objectives"]) == list(config.objectives)
    # What is not of objectives is told, and nothing else is lost by our own documents.
    whats = {each.what.split()[0] for each in imported.lost}
    assert whats == {"DataSource", "Service", "AlertNotificationTarget", "AlertPolicy", "SLO"}
    assert {each.path for each in imported.lost if each.what.startswith("SLO")} == {"spec.service"}
