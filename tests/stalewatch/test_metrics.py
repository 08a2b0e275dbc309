"""The metrics follow what is written, and the page names each of them."""

import re
from pathlib import Path

from freshness.model import Result, Verdict
from freshness.rollup import Reads, Rollup, RollupKey
from stalewatch.metrics import Metrics
from store.base import Batch
from tests.store.rows import S, finding, node, read, run

PAGE = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text()
KEY = RollupKey(60, "product", "regional", "r1", "walk", 2 * S, "1")


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(f"stalewatch_{name}", labels)


def cell(*reads: Reads) -> Rollup:
    counted = Rollup()
    for each in reads:
        counted.add(each)
    return counted


def test_the_page_names_every_metric_and_its_labels() -> None:
    rows = re.findall(r"^\| `(stalewatch_\w+)` \| (\w+) \|([^|]*)\|", PAGE, re.MULTILINE)
    documented = {name: (kind, re.findall(r"`(\w+)`", labels)) for name, kind, labels in rows}
    metrics = Metrics()
    collectors = metrics.registry._collector_to_names
    declared = {
        each._name + ("_total" if each._type == "counter" else ""): (  # type: ignore[attr-defined]
            each._type,  # type: ignore[attr-defined]
            list(each._labelnames),  # type: ignore[attr-defined]
        )
        for each in collectors
    }
    assert documented == declared


def test_reads_are_counted_by_result_and_by_verdict() -> None:
    metrics = Metrics()
    delta = cell(
        Reads(Verdict.FRESH, 0, 5, n=7),
        Reads(Verdict.STALE, 5, 6, n=2),
        Reads(Verdict.FRESH, 0, 5, negative=True),
        Reads(Verdict.UNKNOWN, result=Result.MISS, n=3),
        Reads(Verdict.UNKNOWN, result=Result.UNKNOWN, n=4),
    )
    metrics.observe_batch(Batch(rollups={KEY: delta}))
    place = {"layer": "regional", "node": "r1"}
    assert value(metrics, "probes_total", **place, result="hit") == 9
    assert value(metrics, "probes_total", **place, result="negative") == 1
    assert value(metrics, "probes_total", **place, result="miss") == 3
    assert value(metrics, "probes_total", **place, result="unanswered") == 4
    judged = {"keyspace": "product", "layer": "regional"}
    assert value(metrics, "verdicts_total", **judged, verdict="fresh") == 8
    assert value(metrics, "verdicts_total", **judged, verdict="stale") == 2
    assert value(metrics, "verdicts_total", **judged, verdict="unknown") == 4


def test_a_verdict_that_is_replaced_lowers_no_counter() -> None:
    metrics = Metrics()
    doubtful = Reads(Verdict.INDETERMINATE, 0, 5)
    metrics.observe_batch(Batch(rollups={KEY: cell(doubtful)}))
    late = Rollup()
    late.revise(doubtful, Reads(Verdict.STALE, 4, 5))
    metrics.observe_batch(Batch(rollups={KEY: late}))
    judged = {"keyspace": "product", "layer": "regional"}
    assert value(metrics, "verdicts_total", **judged, verdict="indeterminate") == 1
    assert value(metrics, "verdicts_taken_back_total", **judged, verdict="indeterminate") == 1
    assert value(metrics, "verdicts_total", **judged, verdict="stale") == 1
    assert value(metrics, "probes_total", layer="regional", node="r1", result="hit") == 1


def test_rows_are_counted_by_kind() -> None:
    metrics = Metrics()
    metrics.observe_batch(Batch(runs=[run(1), run(2)], reads=[read(1)]))
    assert value(metrics, "store_rows_total", kind="runs") == 2
    assert value(metrics, "store_rows_total", kind="reads") == 1
    assert value(metrics, "store_rows_total", kind="findings") == 0


def test_open_findings_are_followed_until_they_heal() -> None:
    metrics = Metrics()
    labels = {"keyspace": "product", "layer": "regional"}
    metrics.follow_findings([finding("f1"), finding("f2", state="opened")])
    metrics.observe_batch(Batch(findings=[finding("f2")]))
    assert value(metrics, "findings_open", **labels, state="confirmed") == 2
    assert value(metrics, "findings_open", **labels, state="opened") == 0
    metrics.observe_batch(
        Batch(findings=[finding("f1", state="healed"), finding("f9", state="gone")])
    )
    assert value(metrics, "findings_open", **labels, state="confirmed") == 1


def test_a_node_that_does_not_answer_is_down_and_one_that_is_gone_is_no_more() -> None:
    metrics = Metrics()
    metrics.follow_nodes([node("r1"), node("db", layer="")])
    assert value(metrics, "node_up", layer="regional", node="r1") == 1
    assert value(metrics, "origin_up", origin="db") == 1
    metrics.observe_batch(
        Batch(nodes=[node("r1", state="unknown"), node("db", layer="", state="gone")])
    )
    assert value(metrics, "node_up", layer="regional", node="r1") == 0
    assert value(metrics, "origin_up", origin="db") is None


def test_what_takes_time_is_measured_in_seconds() -> None:
    metrics = Metrics()
    metrics.observe_read("regional", 0.003)
    metrics.observe_origin_read("db", 0.004)
    metrics.observe_write(0.005)
    metrics.observe_round("product", 0.25, 1_800_000_000 * S, origin_answered=False)
    assert value(metrics, "read_seconds_sum", layer="regional") == 0.003
    assert value(metrics, "origin_read_seconds_count", origin="db") == 1
    assert value(metrics, "store_write_seconds_sum") == 0.005
    assert value(metrics, "round_seconds_sum", keyspace="product") == 0.25
    assert value(metrics, "rounds_total", keyspace="product", outcome="no-origin") == 1
    assert value(metrics, "last_round_timestamp_seconds", keyspace="product") == 1.8e9


def test_the_rest_is_counted() -> None:
    metrics = Metrics()
    metrics.note_missed("round")
    metrics.note_overrun("round")
    metrics.note_reload("refused")
    metrics.note_epoch()
    metrics.watch_queue(lambda: 3)
    assert value(metrics, "scheduler_missed_total", job="round") == 1
    assert value(metrics, "scheduler_overrun_total", job="round") == 1
    assert value(metrics, "config_reloads_total", outcome="refused") == 1
    assert value(metrics, "config_reloads_total", outcome="applied") == 0
    assert value(metrics, "clock_epochs_total") == 1
    assert value(metrics, "store_queue_batches") == 3


def test_two_in_one_process_do_not_meet() -> None:
    first, second = Metrics(), Metrics()
    first.note_epoch()
    assert value(second, "clock_epochs_total") == 0
