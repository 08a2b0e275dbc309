"""Reports that were made, and what only they ask, on every engine."""

from dataclasses import replace

from store.base import Batch, Store
from store.report_runs import ReportRow
from store.silences import AckRow
from store.weekly import FiringRow, ProofRow
from tests.store.rows import CLOCK, S, alert, finding, notification, read, transition

ROW = ReportRow("weekly", "2026-W43", 100, 200, 250 * S, '{"form": 1}')


def test_a_report_is_kept_once_with_what_it_owes(store: Store) -> None:
    owed = notification("report:weekly:2026-W43", kind="report", alerts=())
    assert store.write_report(ROW, [owed])
    assert not store.write_report(replace(ROW, document="{}"), [replace(owed, id="other")])
    assert store.report("weekly", "2026-W43") == ROW
    assert store.report("weekly", "2026-W44") is None
    assert [row.id for row in store.notifications()] == [owed.id]


def test_reports_are_listed_by_week(store: Store) -> None:
    rows = [
        ROW,
        replace(ROW, week="2026-W44", since_s=200),
        replace(ROW, report="orders"),
    ]
    for row in rows:
        store.write_report(row, [])
    assert store.reports() == [rows[1], rows[2], rows[0]]
    assert store.reports("weekly") == [rows[1], rows[0]]
    assert store.reports("weekly", 1) == [rows[1]]


def fired(at_ns: int, resolved_ns: int | None, acked_ns: int | None = None) -> FiringRow:
    labels = {"layer": "regional", "node": "r1"}
    by = "" if acked_ns is None else "kim"
    told = "regional-lag", labels, "r1 lags by 7.5 s"
    return FiringRow("a1", *told, at_ns, resolved_ns, acked_ns, by)


def test_firings_are_told_as_they_stood_at_the_end_of_a_window(store: Store) -> None:
    steps = [
        transition("a1", 100),
        transition("a1", 150, before="firing", after="resolved"),
        transition("a1", 160, before="resolved", after="pending"),
        transition("a1", 170),
        transition("a1", 300, before="firing", after="resolved"),
    ]
    store.write_alerts([alert("a1")], steps, [])
    store.acknowledge(AckRow("a1", 170, "kim", "", 180))
    assert store.firings(0, 400) == [fired(100, 150), fired(170, 300, 180)]
    assert store.firings(151, 400) == [fired(170, 300, 180)]
    assert store.firings(0, 200) == [fired(100, 150), fired(170, None, 180)]
    assert store.firings(175, 177) == [fired(170, None)]
    assert store.firings(0, 100) == []
    assert store.firings(301, 400) == []


def test_a_firing_of_an_alert_that_is_gone_is_told(store: Store) -> None:
    store.write_alerts([], [transition("a9", 100)], [])
    assert store.firings(0, 400) == [FiringRow("a9", "", {}, "", 100, None, None, "")]


def test_deliveries_are_counted_without_reports(store: Store) -> None:
    rows = [
        notification("n1", state="delivered"),
        notification("n2", state="delivered", created_at_ns=199),
        notification("n3", state="dead", channel="chat"),
        notification("n4", state="delivered", created_at_ns=200),
        notification("n5", kind="report"),
    ]
    store.write_alerts([], [], rows)
    assert store.deliveries(100, 200) == {("sre", "delivered"): 2, ("chat", "dead"): 1}


def test_what_a_finding_rests_on_is_told_by_the_window(store: Store) -> None:
    offset = CLOCK.wall_offset_ns
    store.write(
        Batch(
            findings=[
                finding("f1", opened_at_ns=10 + offset, healed_at_ns=45 + offset),
                finding("f2", opened_at_ns=10 + offset, healed_at_ns=20 + offset),
            ],
            reads=[
                *(read(n, finding="f1", max_staleness_ns=1) for n in range(1, 5)),
                read(9, finding="f2", max_staleness_ns=1),
            ],
        )
    )
    # Reads begin at 10 n, and prove 5 ns each: the first value was superseded by 5.
    assert store.proofs(20 + offset + 1, 40 + offset, "random", None) == [
        ProofRow("f1", 5 + offset, 1)
    ]
    assert store.proofs(0, 100 + offset, "random", None)[0] == ProofRow("f1", 5 + offset, 4)
    assert store.proofs(0, 100 + offset, "random", 5)[0] == ProofRow("f1", 5 + offset, 0)
    assert store.proofs(0, 100 + offset, "hot", None)[0] == ProofRow("f1", 5 + offset, 0)
