"""`up` with the real SDK: its own spans are sent, the last at the end, and taken for no others."""

import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from lab.ports import free_port
from store.sqlite import SqliteStore
from tests.collectors.web import serving
from tests.e2e.conftest import StartUp
from tests.servers import RedisServer, wait_until

CONFIG = """\
server: {{otlp: {{listen: "127.0.0.1:{otlp}"}}}}
store: {{path: s.db}}
traces:
  poll:
    nobody: {{kind: jaeger, url: "http://127.0.0.1:{nobody}", services: [shop], interval: 1s}}
origins:
  shop: {{kind: sqlite, path: shop.db, linearizable: true}}
layers:
  cache:
    kind: redis
    mechanism: purge
    max_staleness: 1s
    nodes:
      - {{static: "127.0.0.1:{redis}", name: n1}}
      - {{static: "127.0.0.1:{nobody}", name: n2}}
keyspaces:
  product:
    origin:
      name: shop
      query: "SELECT id, version FROM product WHERE id IN (SELECT value FROM json_each(:keys))"
    version: {{type: integer, order: counter}}
    layers:
      cache: {{key: "product:{{key}}", version: {{json: $.version}}}}
    keys: {{range: {{from: 1, to: 40}}}}
"""


def shop(folder: Path, redis: int, otlp: int) -> Path:
    with sqlite3.connect(folder / "shop.db") as db:
        db.execute("CREATE TABLE product (id TEXT PRIMARY KEY, version INTEGER)")
        db.executemany("INSERT INTO product VALUES (?, 3)", [(str(n),) for n in range(1, 41)])
    db.close()
    file = folder / "stalewatch.yaml"
    file.write_text(CONFIG.format(redis=redis, otlp=otlp, nobody=free_port()))
    return file


def said(span: Span) -> Mapping[str, Any]:
    return {each.key: each.value.string_value or each.value.int_value for each in span.attributes}


def test_spans_of_its_work_are_sent_and_the_last_of_them_at_the_end(
    tmp_path: Path, redis_server: RedisServer, start_up: StartUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(lambda _: (200, {"content-type": "application/x-protobuf"}, b"")) as sink:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", f"http://127.0.0.1:{sink.port}/t")
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "3600000")  # nothing but the flush sends
        up = start_up(shop(tmp_path, redis_server.port, free_port())).ready()
        rules = 'stalewatch_trace_polls_total{outcome="failed",source="nobody"}'
        wait_until(lambda: up.metric(rules) > 0, "a poll failed")
        assert "nobody: connection refused" in up.ask("readyz").text
        assert up.end() == 0
    requests = [ExportTraceServiceRequest.FromString(asked.body) for asked in sink.asked]
    resource = requests[0].resource_spans[0].resource
    names = {each.key: each.value.string_value for each in resource.attributes}
    assert names["service.name"] == "stalewatch"
    spans = [
        span
        for request in requests
        for holder in request.resource_spans
        for scope in holder.scope_spans
        for span in scope.spans
    ]
    by_id = {span.span_id: span for span in spans}
    rounds = [span for span in spans if span.name == "round"]
    assert said(rounds[0])["cache.keyspace"] == "product"
    reads = [span for span in spans if span.name == "read" and span.kind == Span.SPAN_KIND_CLIENT]
    fine = [span for span in reads if said(span).get("cache.node") == "n1"]
    assert said(fine[0])["server.address"] == "127.0.0.1"
    assert said(fine[0])["cache.layer"] == "cache"
    assert by_id[fine[0].parent_span_id].name == "round"
    down = [span for span in reads if said(span).get("cache.node") == "n2"]
    assert {span.status.code for span in down} == {Status.STATUS_CODE_ERROR}
    assert any(said(span).get("stalewatch.origin") == "shop" for span in reads)
    (poll, *_) = [span for span in spans if span.name == "poll traces"]
    assert poll.status.message == "connection refused"
    # What a server is asked with and answers stays at home.
    assert not [span for span in spans if "SELECT" in str(span)]


def test_its_own_receiver_takes_them_for_neither_invalidations_nor_receipts(
    tmp_path: Path, redis_server: RedisServer, start_up: StartUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    otlp = free_port()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{otlp}")
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "200")
    up = start_up(shop(tmp_path, redis_server.port, otlp)).ready()
    spans = 'stalewatch_otlp_spans_total{outcome="%s"}'
    wait_until(lambda: up.metric(spans % "other") > 20, "own spans are let go")
    assert up.metric(spans % "invalidation") == up.metric(spans % "receipt") == 0
    assert up.end() == 0
    store = SqliteStore(str(tmp_path / "s.db"))
    assert store.invalidations(0, 2**62).items == []
    assert store.orphan_receipts(0) == []
    store.close()
