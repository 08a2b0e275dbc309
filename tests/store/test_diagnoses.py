"""What every engine does with diagnoses of findings. Engines are in `conftest.py`."""

from dataclasses import replace

import pytest

from store.base import Batch, FindingRow, Store
from store.retention import Retention
from tests.store.conftest import OpenStore
from tests.store.rows import S, diagnosis, finding


def said(row: FindingRow) -> FindingRow:
    """A finding as readers get it once `diagnosis` was written."""
    told = diagnosis(row.id)
    return replace(row, cause=told.cause, because=told.because, ruled_out=("refill-race",))


def test_an_empty_store_has_none(store: Store) -> None:
    assert store.diagnosis("f1") is None
    assert store.unsettled(0) == []


def test_a_diagnosis_comes_back_and_the_last_one_stands(store: Store) -> None:
    store.write_diagnoses([diagnosis("f1"), diagnosis("f2", ruled_out={}, is_settled=True)])
    assert store.diagnosis("f1") == diagnosis("f1")
    assert store.diagnosis("f2") == diagnosis("f2", ruled_out={}, is_settled=True)
    store.write_diagnoses([diagnosis("f1", cause="undecided", at_ns=400)])
    assert store.diagnosis("f1") == diagnosis("f1", cause="undecided", at_ns=400)


def test_readers_get_the_cause_that_all_evidence_decides(store: Store) -> None:
    found = finding("f1", cause="lost-invalidation", because="kept", ruled_out=("a", "b"))
    other = finding("f2", opened_at_ns=90, cause="undecided", because="nothing told")
    store.write(Batch(findings=[found, other]))
    store.write_diagnoses([diagnosis("f1")])
    assert store.finding("f1") == said(found)
    assert list(store.findings().items) == [said(found), other]
    assert list(store.findings(open_only=True, keyspace="product", key="42").items) == [
        said(found),
        other,
    ]


def test_a_collector_that_writes_again_takes_nothing_back(store: Store) -> None:
    store.write(Batch(findings=[finding("f1")]))
    store.write_diagnoses([diagnosis("f1")])
    again = finding("f1", lower_ns=99, cause="refill-race")
    store.write(Batch(findings=[again]))
    assert store.finding("f1") == said(again)
    assert store.unsettled(0) == [(again, diagnosis("f1"))]


@pytest.mark.parametrize(
    ("row", "told", "is_due"),
    [
        pytest.param(finding("f"), None, True, id="open, without a diagnosis"),
        pytest.param(finding("f"), diagnosis("f"), True, id="open, with one"),
        pytest.param(finding("f"), diagnosis("f", is_settled=True), True, id="opened again"),
        pytest.param(finding("f", state="healed", healed_at_ns=200), None, True, id="over of late"),
        pytest.param(
            finding("f", state="healed", healed_at_ns=200), diagnosis("f"), True, id="not settled"
        ),
        pytest.param(
            finding("f", state="healed", healed_at_ns=200),
            diagnosis("f", is_settled=True),
            False,
            id="settled",
        ),
        pytest.param(finding("f", state="gone", healed_at_ns=149), None, False, id="over for long"),
    ],
)
def test_what_is_to_be_diagnosed(store: Store, row: FindingRow, told: object, is_due: bool) -> None:
    store.write(Batch(findings=[row]))
    if told is not None:
        store.write_diagnoses([told])  # type: ignore[list-item]
    assert [each.id for each, _ in store.unsettled(150)] == ["f"] * is_due


def test_those_looked_at_longest_ago_come_first(store: Store) -> None:
    store.write(Batch(findings=[finding(f"f{n}", opened_at_ns=100 + n) for n in range(1, 6)]))
    store.write_diagnoses([diagnosis("f1", at_ns=500), diagnosis("f2", at_ns=400)])
    assert [row.id for row, _ in store.unsettled(0)] == ["f3", "f4", "f5", "f2", "f1"]
    assert [row.id for row, _ in store.unsettled(0, limit=2)] == ["f3", "f4"]


def test_a_diagnosis_goes_with_its_finding(open_store: OpenStore) -> None:
    store = open_store(Retention(findings_s=10))
    over = finding("f1", state="healed", opened_at_ns=S, healed_at_ns=2 * S)
    store.write(Batch(findings=[over, finding("f2", opened_at_ns=S)]))
    store.write_diagnoses([diagnosis("f1", at_ns=2 * S), diagnosis("f2", at_ns=2 * S)])
    store.retain(11 * S)
    assert store.diagnosis("f1") is not None
    while store.retain(13 * S):
        pass
    assert store.finding("f1") is None
    assert store.diagnosis("f1") is None
    assert store.diagnosis("f2") == diagnosis("f2", at_ns=2 * S)
