"""CSV and text tell the numbers of the JSON, and names do nothing to whoever opens them."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from reports.csv_form import to_csv
from reports.document import ReportDocument
from reports.make import make_report
from reports.tables import sections_of
from reports.text import to_text
from store.base import Store
from tests.reports.month import SPECS, ask


@pytest.fixture(scope="module")
def document(read_month: Store) -> ReportDocument:
    return make_report(read_month, SPECS, ask())


def leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from leaves(each)
    else:
        yield value


def test_the_csv_has_every_number_of_the_json(document: ReportDocument) -> None:
    rows = list(csv.DictReader(io.StringIO(to_csv(document))))
    told = sorted(row["value"].removeprefix("'") for row in rows)
    known = sorted(
        "" if each is None else str(each) for each in leaves(json.loads(document.to_json()))
    )
    assert told == known
    spent = [
        float(row["value"])
        for row in rows
        if (row["section"], row["row"], row["figure"])
        == ("objectives", "product-fresh", "spent_week")
    ]
    assert spent == [document.objectives[0].spent_week]


def test_no_name_is_a_formula(document: ReportDocument) -> None:
    finding = replace(document.findings.worst[0], key='=HYPERLINK("http://evil.example")')
    hostile = replace(document, findings=replace(document.findings, worst=(finding,)))
    rows = list(csv.DictReader(io.StringIO(to_csv(hostile))))
    [key] = [row["value"] for row in rows if row["figure"] == "key"]
    assert key.startswith("'=")


def test_the_text_has_every_section(document: ReportDocument) -> None:
    text = to_text(document)
    assert [s.title.upper() for s in sections_of(document) if s.title.upper() not in text] == []
    assert "169 hours since clocks changed" in text
    assert "days ▂▂█▂▂▂▂" in text
    assert "days ▃▅█·▅▆▅" in text  # on Thursday nobody measured


def test_rows_without_data_stay_and_say_so(document: ReportDocument) -> None:
    [objectives] = [s for s in sections_of(document) if s.title == "Objectives"]
    silent = objectives.rows[2]
    assert silent[1].text == "no data"
    assert [cell.text for cell in silent[2:5]] == ["–", "–", "–"]


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"form": 1}', "not json"])
def test_what_is_no_report_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a report"):
        ReportDocument.from_json(text)
