"""The numbers of a generated month: each is what the rows of the store come to."""

from dataclasses import replace

import pytest

from reports.document import ReportDocument
from reports.make import make_report
from reports.weeks import Week
from store.base import Batch, Store
from store.objective_spec import Spec
from store.sqlite import SqliteStore
from tests.reports.month import (
    BERLIN,
    DAY,
    HOUR,
    INCIDENT,
    SINCE,
    SPECS,
    UNTIL,
    S,
    ask,
)
from tests.store.rows import finding, transition


@pytest.fixture(scope="module")
def store(read_month: Store) -> Store:
    return read_month


@pytest.fixture(scope="module")
def document(store: Store) -> ReportDocument:
    return make_report(store, SPECS, ask())


def counted(store: Store, spec: Spec, since_s: int, until_s: int) -> tuple[int, int]:
    """(proven stale, judged) reads of an objective, straight from the hours of the store."""
    [keyspace] = spec.placement
    cells = [cell for _, cell in store.rollups("hour", since_s * S, until_s * S, keyspace)]
    return sum(cell.stale.n for cell in cells), sum(cell.judged.n for cell in cells)


def test_it_is_made_twice_to_the_byte(store: Store, document: ReportDocument) -> None:
    again = make_report(store, SPECS, ask())
    assert again.to_json() == document.to_json()
    assert ReportDocument.from_json(document.to_json()) == document


def test_what_happens_after_the_week_changes_nothing(
    month: Store, document: ReportDocument
) -> None:
    later_ns = (UNTIL + 2 * DAY) * S
    month.write_alerts([], [transition("a2", later_ns)], [])
    month.write(Batch(findings=[finding("f9", opened_at_ns=later_ns)]))
    assert make_report(month, SPECS, ask()).to_json() == document.to_json()


def test_a_week_in_which_clocks_change_is_whole(document: ReportDocument) -> None:
    assert (document.since_s, document.until_s) == (SINCE, UNTIL)
    assert (document.hours, document.is_over) == (169, True)


@pytest.mark.parametrize("number", [0, 1])
def test_figures_are_those_of_the_counts(
    store: Store, document: ReportDocument, number: int
) -> None:
    spec, line = SPECS[number], document.objectives[number]
    bad, judged = counted(store, spec, SINCE, UNTIL)
    window_bad, window_judged = counted(store, spec, UNTIL - 28 * DAY, UNTIL)
    before_bad, _ = counted(store, spec, SINCE - 7 * DAY, SINCE)
    budget = window_judged * float(spec.objective.error_budget)
    assert line.week_good == pytest.approx(1 - bad / judged, abs=1e-15)
    assert line.spent == pytest.approx(window_bad / budget)
    assert line.remaining == pytest.approx(1 - window_bad / budget)
    assert line.spent_week == pytest.approx(bad / budget)
    assert line.change == pytest.approx((bad - before_bad) / budget)
    told = [day for day in line.days if day is not None]
    assert len(told) == 7 - number  # of the second one a day was not measured well enough
    if number == 0:
        assert sum(told) == pytest.approx(line.spent_week)
    assert line.week_low is not None
    assert line.week_high is not None
    assert line.week_good is not None
    assert line.week_low < line.week_good < line.week_high


def test_what_is_missed_kept_and_not_measured_have_their_rows(document: ReportDocument) -> None:
    rows = {line.name: (line.level, line.gap) for line in document.objectives}
    assert rows == {
        "product-fresh": ("missed", ""),
        "order-fresh": ("kept", ""),
        "stock-fresh": ("no-data", "no-events"),
    }
    silent = document.objectives[2]
    assert (silent.week_good, silent.spent, silent.coverage) == (None, None, None)
    assert document.verdict.level == "missed"
    assert document.verdict.line == (
        "1 of 3 objectives kept; 1 missed (product-fresh); 1 without data (stock-fresh)."
    )


def test_shares_of_those_who_spent_it_add_up(document: ReportDocument) -> None:
    product = document.objectives[0]
    nodes = [
        line for line in document.worst if (line.kind, line.objective) == ("node", product.name)
    ]
    assert [line.name for line in nodes] == ["edge/e1", "edge/e2"]
    assert sum(line.share for line in nodes) == pytest.approx(1)
    assert sum(line.spent for line in nodes) == pytest.approx(product.spent_week)


def test_findings_tell_when_and_what_they_cost(store: Store, document: ReportDocument) -> None:
    found = document.findings
    assert (found.total, found.open, found.causes) == (2, 1, {"lost-invalidation": 2})
    dear, cheap = found.worst
    assert (dear.id, dear.healed_at_ns, cheap.id) == ("f2", None, "f1")  # healed after the week
    assert cheap.broke_at_ns == (INCIDENT + 60 - 5 + 2) * S
    assert found.mttd_s == 3
    assert found.mttr_s == HOUR + 3
    _, judged = counted(store, SPECS[0], UNTIL - 28 * DAY, UNTIL)
    assert dear.cost == pytest.approx(10 / (judged / 1000))
    assert dear.cost_of == "product-fresh"


def test_alerts_tell_who_took_them_and_how_good_they_were(document: ReportDocument) -> None:
    alerts, quality = document.alerts, document.quality
    assert (alerts.total, alerts.firing, alerts.acknowledged) == (4, 0, 1)
    assert alerts.mtta_s == 300
    assert alerts.mttr_s == pytest.approx((2 * HOUR + 3 * 60) / 4)
    longest = alerts.longest[0]
    assert (longest.rule, longest.acked_by, longest.was_silenced) == (
        "staleness edge",
        "kim",
        False,
    )
    assert [line.was_silenced for line in alerts.longest[1:]] == [True, False, False]
    assert (quality.told, quality.failed, quality.owed) == ({"sre": 1}, 1, 0)
    assert (quality.short, quality.flapping, quality.silenced) == (3, 1, 1)


def test_gaps_are_told_with_their_stretch(document: ReportDocument) -> None:
    gaps = {gap.about: (gap.since_s, gap.until_s, gap.why) for gap in document.gaps}
    thursday = SINCE + 3 * DAY
    assert gaps == {
        "objective stock-fresh": (SINCE, UNTIL, "no-events"),
        "objective order-fresh": (thursday, thursday + 6 * HOUR, "low-coverage"),
        "source prices": (SINCE + DAY, SINCE + DAY + 90, "disconnected"),
    }


def test_lags_are_of_the_layer_and_of_one_side(document: ReportDocument) -> None:
    [line] = document.lags
    assert (line.layer, line.side, line.pairs, document.lags_are_all) == (
        "edge",
        "claimed",
        200,
        True,
    )
    assert line.p50 is not None
    assert line.longest is not None
    assert 0 < line.p50.lower_ns < line.longest.lower_ns < 2 * S


def test_what_changed_in_the_week_is_told(document: ReportDocument) -> None:
    [line] = document.changes
    assert (line.about, line.path) == ("objective product-fresh", "target")
    assert (line.before, line.after) == ('"99.5%"', '"99.9%"')


def test_what_to_do_names_an_owner(document: ReportDocument) -> None:
    told = {(each.what, each.owner) for each in document.actions}
    assert ("Bring product-fresh back within its budget", "team-catalogue") in told
    assert ("Look at node edge/e1", "team-edge") in told
    assert ("Repair the measuring of stock-fresh", "team-orders") in told
    assert not any("regional/r1" in what for what, _ in told)  # it spent next to nothing


def test_an_owner_is_told_of_what_is_theirs(store: Store) -> None:
    orders = replace(BERLIN, name="orders", owner="team-orders")
    document = make_report(store, SPECS, ask(orders))
    assert [line.name for line in document.objectives] == ["order-fresh", "stock-fresh"]
    assert document.findings.total == 0
    assert {line.rule for line in document.alerts.longest} == {"order-lag"}
    assert {line.objective for line in document.worst} == {"order-fresh"}
    assert document.lags == ()


def test_a_week_without_a_store_is_no_data() -> None:
    empty = SqliteStore(":memory:")
    document = make_report(empty, SPECS, ask())
    assert {line.level for line in document.objectives} == {"no-data"}
    assert document.verdict.level == "no-data"
    assert make_report(empty, [], ask()).verdict.line.startswith("No objective is declared")
    empty.close()


def test_the_week_before_the_incident_was_good(store: Store) -> None:
    document = make_report(store, SPECS[:2], ask(week=Week(2026, 42)))
    assert document.verdict.level == "kept"
    assert document.verdict.line == "2 of 2 objectives kept."
    assert document.findings.total == 0
