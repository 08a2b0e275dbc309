"""Reports in the API: the list, one as JSON and CSV, and the week that runs."""

import json
from collections.abc import Iterator

import pytest

from reports.csv_form import to_csv
from reports.desk import Desk
from reports.document import ReportDocument
from store.sqlite import SqliteStore
from tests.reports.month import BERLIN, DAY, SPECS, UNTIL, S, seed_month
from tests.stalewatch.serving import Visitor, make_app, served

NOW = (UNTIL + 2 * DAY) * S


@pytest.fixture(scope="module")
def visitor() -> Iterator[Visitor]:
    store = SqliteStore(":memory:")
    seed_month(store)
    desk = Desk(store)
    desk.begin([BERLIN], SPECS)
    desk.make_due(NOW, lambda *_: [])
    with served(make_app(store, lambda: NOW, desk=desk)) as port:
        yield Visitor(port)
    store.close()


def test_the_list(visitor: Visitor) -> None:
    [item] = visitor.json("/api/v1/reports")["items"]
    assert (item["report"], item["week"], item["level"]) == ("weekly", "2026-W43", "missed")
    assert item["since"] == "2026-10-18T22:00:00.000000000Z"
    assert item["until"] == "2026-10-25T23:00:00.000000000Z"
    assert item["verdict"].startswith("1 of 3 objectives kept")
    assert visitor.json("/api/v1/reports?report=other")["items"] == []


def test_one_is_told_as_it_is_kept(visitor: Visitor) -> None:
    told = visitor.json("/api/v1/reports/weekly/2026-W43")
    assert (told["week"], told["is_over"], len(told["objectives"])) == ("2026-W43", True, 3)


def test_the_csv_is_of_the_same_numbers(visitor: Visitor) -> None:
    document = ReportDocument.from_json(json.dumps(visitor.json("/api/v1/reports/weekly/2026-W43")))
    answer = visitor.get("/api/v1/reports/weekly/2026-W43?format=csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="2026-W43.csv"'
    assert answer.text == to_csv(document)


def test_the_week_that_runs(visitor: Visitor) -> None:
    told = visitor.json("/api/v1/reports/weekly/running")
    assert (told["week"], told["is_over"]) == ("2026-W44", False)
    assert told["until_s"] - told["since_s"] == 2 * DAY


@pytest.mark.parametrize("path", ["weekly/2026-W01", "other/running", "other/2026-W43"])
def test_none_of_that_name(visitor: Visitor, path: str) -> None:
    answer = visitor.get(f"/api/v1/reports/{path}")
    assert answer.status_code == 404
    assert "/api/v1/reports lists" in answer.json()["detail"]


def test_a_form_that_there_is_not(visitor: Visitor) -> None:
    answer = visitor.get("/api/v1/reports/weekly/2026-W43?format=pdf")
    assert answer.status_code == 400
    assert "format" in answer.json()["detail"]
