"""The receiver under a real uvicorn and a real store, asked over real connections."""

import asyncio
import gzip
import resource
import socket
import sqlite3
import ssl
import threading
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import orjson
import pytest
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind

from stalewatch.clock import wall_ns
from stalewatch.config import load
from stalewatch.listening import AddressError
from stalewatch.mapping import KnownNodes
from stalewatch.metrics import Metrics
from stalewatch.receiver import Receiver
from stalewatch_sdk import attributes as names
from store.base import Batch
from store.sqlite import SqliteStore
from tests.collectors.otlp.spans import CONSUMER, PRODUCER, PUBLISHED, RECEIVED, as_json, request
from tests.servers import Authority, wait_until
from tests.stalewatch.config.configs import bent, written
from tests.store.rows import node

LISTEN = 'server: {listen: "127.0.0.1:8080"}'
PROTOBUF, JSON = "application/x-protobuf", "application/json"
MIB = 2**20


@dataclass
class Site:
    """A receiver that runs, and what it wrote."""

    store: SqliteStore
    path: Path
    port: int = 0
    metrics: Metrics = field(default_factory=Metrics)
    end: Callable[[], object] = lambda: None
    """Tells the receiver to stop, and does not wait for it."""

    def post(
        self, body: bytes, content_type: str = PROTOBUF, path: str = "/v1/traces", **headers: str
    ) -> httpx2.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return httpx2.post(
            f"http://127.0.0.1:{self.port}{path}",
            content=body,
            headers={"content-type": content_type, **named},
            timeout=30,
        )

    def ids(self) -> set[str]:
        """The ids of all invalidations that are stored."""
        page = self.store.invalidations(0, 2**62, limit=100_000)
        return {told.invalidation.id for told in page.items}

    def counted(self, name: str, **labels: str) -> float:
        return self.metrics.registry.get_sample_value(f"stalewatch_otlp_{name}", labels) or 0


@contextmanager
def receiving(folder: Path, otlp: str = "", traces: str = "") -> Iterator[Site]:
    """Run a receiver on a store in `folder` until the block ends."""
    section = f'server: {{otlp: {{listen: "127.0.0.1:0"{otlp}}}}}'
    config = load(written(folder, bent(LISTEN, section) + traces))
    assert config.server.otlp is not None
    path = folder / "s.db"
    site = Site(SqliteStore(str(path)), path)
    receiver = Receiver(config, config.server.otlp, site.store, site.store, site.metrics)
    ready, ended = threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()

    async def run() -> None:
        await receiver.start()
        site.port = receiver.address.port
        ready.set()
        await ended.wait()
        await receiver.stop()

    thread = threading.Thread(target=loop.run_until_complete, args=(run(),))
    thread.start()
    site.end = lambda: loop.call_soon_threadsafe(ended.set)
    try:
        assert ready.wait(20)
        wait_until(lambda: _listens(site.port), "the receiver listens")
        yield site
    finally:
        site.end()
        thread.join()
        loop.close()
        site.store.close()


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with receiving(tmp_path) as running:
        yield running


def told(id: str = "m1") -> ExportTraceServiceRequest:
    now = wall_ns()
    given = {**PUBLISHED, names.INVALIDATION_ID: id, names.WRITTEN_AT: now}
    return request(
        (PRODUCER, given), span_id=zlib.crc32(id.encode()).to_bytes(8, "big"),
        start_time_unix_nano=now, end_time_unix_nano=now,
    )  # fmt: skip


def error(answer: httpx2.Response) -> Any:
    """The google.rpc.Status of an answer in JSON."""
    assert answer.headers["content-type"] == JSON
    return orjson.loads(answer.content)


def test_protobuf_is_stored_before_it_is_acknowledged(site: Site) -> None:
    answer = site.post(told().SerializeToString())
    assert (answer.status_code, answer.headers["content-type"]) == (200, PROTOBUF)
    assert ExportTraceServiceResponse.FromString(answer.content) == ExportTraceServiceResponse()
    assert site.ids() == {"m1"}
    assert site.counted("spans_total", outcome="invalidation") == 1
    assert site.counted("requests_total", status="200") == 1


def test_json_and_gzip(site: Site) -> None:
    packed = gzip.compress(as_json(told()))
    answer = site.post(packed, "application/json; charset=utf-8", content_encoding="gzip")
    assert (answer.status_code, answer.content) == (200, b"{}")
    assert site.ids() == {"m1"}


def test_the_same_request_twice_changes_nothing(site: Site) -> None:
    for _ in range(2):
        assert site.post(told().SerializeToString()).status_code == 200
    assert site.ids() == {"m1"}


def test_receipts_are_joined_and_an_unknown_node_is_told_as_such(site: Site) -> None:
    now = wall_ns()
    made = told()
    for number, name in enumerate(("e1", "forged")):
        receipt = request(
            (CONSUMER, {**RECEIVED, names.NODE: name}), span_id=bytes([9, number] * 4),
            start_time_unix_nano=now, end_time_unix_nano=now,
        )  # fmt: skip
        made.MergeFrom(receipt)
    assert site.post(made.SerializeToString()).status_code == 200
    found = site.store.invalidation("m1")
    assert found is not None
    assert {row.node: row.is_known for row in found.receipts} == {"e1": True, "forged": False}


def test_refused_spans_are_told_in_a_partial_success(site: Site) -> None:
    made = told()
    bad = {**PUBLISHED, names.INVALIDATION_ID: "m2", names.WRITTEN_AT: wall_ns() + 10**12}
    made.MergeFrom(request((PRODUCER, bad), (PRODUCER, {**PUBLISHED, names.KEY: 5})))
    answer = site.post(made.SerializeToString())
    partial = ExportTraceServiceResponse.FromString(answer.content).partial_success
    assert (answer.status_code, partial.rejected_spans) == (200, 2)
    assert "1 future, 1 wrong-type" in partial.error_message
    in_json = orjson.loads(site.post(as_json(made), JSON).content)
    assert in_json["partialSuccess"]["rejectedSpans"] == "2"
    assert site.ids() == {"m1"}
    assert site.counted("spans_total", outcome="future") == 2


def test_other_paths_methods_and_types(site: Site) -> None:
    good = told().SerializeToString()
    assert site.post(good, path="/v1/metrics").status_code == 404
    assert site.post(good, path="/").status_code == 404
    got = httpx2.get(f"http://127.0.0.1:{site.port}/v1/traces")
    assert (got.status_code, got.headers["allow"]) == (405, "POST")
    assert error(got)["code"] == 12
    for wrong in ("text/plain", "application/protobuf", "application/grpc"):
        answer = site.post(good, wrong)
        assert answer.status_code == 415
        assert error(answer)["code"] == 3
    coded = site.post(good, content_encoding="br")
    assert (coded.status_code, coded.headers["accept-encoding"]) == (415, "gzip")
    assert site.ids() == set()


def test_errors_are_told_in_the_encoding_of_the_request(site: Site) -> None:
    in_json = site.post(b"[", JSON)
    assert in_json.status_code == 400
    assert error(in_json) == {"code": 3, "message": "the body is no JSON, or nested too deep"}
    answer = site.post(b"\xff" * 9)
    assert (answer.status_code, answer.headers["content-type"]) == (400, PROTOBUF)
    assert answer.content[:2] == b"\x08\x03"
    assert answer.content[4:] == b"the body is no protobuf ExportTraceServiceRequest"


def test_a_gzip_bomb_costs_no_more_than_the_bound(site: Site) -> None:
    bomb = _bomb(200 * MIB)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for content_type in (PROTOBUF, JSON):
        answer = site.post(bomb, content_type, content_encoding="gzip")
        assert answer.status_code == 413
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 64 * 1024, "KiB, of 200 MiB that each would be"
    cut = gzip.compress(told().SerializeToString())[:-4]
    for broken in (cut, b"no gzip", gzip.compress(b"") * 2):
        assert site.post(broken, content_encoding="gzip").status_code == 400
    assert site.post(told().SerializeToString()).status_code == 200


def _bomb(size: int) -> bytes:
    packer = zlib.compressobj(wbits=31)
    return b"".join(packer.compress(bytes(MIB)) for _ in range(size // MIB)) + packer.flush()


def test_a_body_above_the_bound_is_refused(tmp_path: Path) -> None:
    with receiving(tmp_path, ", max_request: 64KiB") as site:
        assert site.post(bytes(65 * 1024)).status_code == 413
        assert site.post(told().SerializeToString()).status_code == 200


def test_a_million_names_make_no_metric(site: Site) -> None:
    for number in range(10):
        made = told(f"m{number}")
        span = made.resource_spans[0].scope_spans[0].spans[0]
        for name in range(10_000):
            span.attributes.add(key=f"{number}.{name}").value.string_value = "x"
        forged = {**RECEIVED, names.NODE: f"n{number}", names.LAYER: f"l{number}"}
        made.MergeFrom(request((CONSUMER, forged)))
        assert site.post(made.SerializeToString()).status_code == 200
    assert len(site.ids()) == 10
    samples = [sample for m in site.metrics.registry.collect() for sample in m.samples]
    assert not [one for one in samples if set(one.labels.values()) & {"n1", "l1", "1.1"}]


def test_a_full_queue_turns_away_before_anybody_looks_inside(tmp_path: Path) -> None:
    with receiving(tmp_path) as site, ThreadPoolExecutor(12) as pool:
        blocker = sqlite3.connect(site.path, isolation_level=None)
        blocker.execute("BEGIN IMMEDIATE")
        first = pool.submit(site.post, told().SerializeToString())
        wait_until(lambda: site.counted("queue_bytes") > 0, "the first is taken")
        wait_until(lambda: site.counted("queue_requests") == 0, "the first is being written")
        large = b"\xff" * (7 * MIB)
        waiting = [pool.submit(site.post, large) for _ in range(4)]
        wait_until(lambda: site.counted("queue_requests") == 4, "the queue is filled")
        refused = site.post(large)
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        assert refused.content[:2] == b"\x08\x0e"
        blocker.execute("ROLLBACK")
        assert first.result().status_code == 200
        # Those that waited were no requests at all: that came out once somebody looked.
        assert {one.result().status_code for one in waiting} == {400}
        assert site.counted("queue_bytes") == 0
        assert site.post(told("m2").SerializeToString()).status_code == 200


def test_a_store_that_takes_nothing_acknowledges_nothing(site: Site) -> None:
    site.store.close()
    answer = site.post(told().SerializeToString())
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


def test_what_is_queued_at_the_end_is_answered(tmp_path: Path) -> None:
    with ThreadPoolExecutor(9) as pool, receiving(tmp_path) as site:
        blocker = sqlite3.connect(site.path, isolation_level=None, check_same_thread=False)
        blocker.execute("BEGIN IMMEDIATE")
        bodies = [told(f"m{number}").SerializeToString() for number in range(8)]
        answers = [pool.submit(site.post, body) for body in bodies]
        # One or more are being written, and wait for us; the others wait for them.
        wait_until(lambda: site.counted("queue_bytes") > 8 * 4096, "all are taken")
        site.end()
        wait_until(lambda: not _listens(site.port), "no more are taken")
        blocker.execute("ROLLBACK")
        assert {answer.result().status_code for answer in answers} == {200}
        assert site.ids() == {f"m{number}" for number in range(8)}


def test_a_client_that_goes_away_gives_its_room_back(site: Site) -> None:
    head = "POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-protobuf\r\n"
    with socket.create_connection(("127.0.0.1", site.port), 5) as connection:
        connection.sendall(f"{head}content-length: 1000000\r\n\r\n".encode() + bytes(500_000))
        wait_until(lambda: site.counted("queue_bytes") > 500_000, "half of it has come")
    wait_until(lambda: site.counted("queue_bytes") == 0, "its room is free again")
    assert site.post(told().SerializeToString()).status_code == 200


def test_a_port_that_is_taken_is_told(site: Site, tmp_path: Path) -> None:
    taken = f'server: {{otlp: {{listen: "127.0.0.1:{site.port}"}}}}'
    config = load(written(tmp_path, bent(LISTEN, taken)))
    assert config.server.otlp is not None
    receiver = Receiver(config, config.server.otlp, site.store, site.store, Metrics())
    with pytest.raises(AddressError, match=r"change server\.otlp\.listen"):
        asyncio.run(receiver.start())


def test_nodes_that_discovery_found_are_known(site: Site, tmp_path: Path) -> None:
    config = load(written(tmp_path, bent(LISTEN, "server: {}")))
    now_ns = 0
    known = KnownNodes(config, site.store, lambda: now_ns)
    assert known("edge", "e1"), "the config names it"
    assert not known("regional", "r7")
    site.store.write(Batch(nodes=[node("r7")]))
    assert not known("regional", "r7"), "the store is not asked for each span"
    now_ns = 2 * 10**9
    assert known("regional", "r7")
    assert known("edge", "e1")


def test_a_token_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTLP_TOKEN", "s3cret")
    with receiving(tmp_path, ", token: {env: OTLP_TOKEN}") as site:
        body = told().SerializeToString()
        for wrong in ({}, {"authorization": "Bearer x"}, {"authorization": "Basic s3cret"}):
            answer = site.post(body, **wrong)
            assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
        assert site.ids() == set()
        assert site.post(body, authorization="Bearer s3cret").status_code == 200


def test_a_client_shows_its_certificate(tmp_path: Path, authority: Authority) -> None:
    own = authority.server
    tls = f', tls: {{cert: "{own.cert}", key: "{own.key}", client_ca: "{authority.ca}"}}'
    with receiving(tmp_path, tls) as site:
        context = ssl.create_default_context(cafile=str(authority.ca))
        url = f"https://127.0.0.1:{site.port}/v1/traces"
        body, headers = told().SerializeToString(), {"content-type": PROTOBUF}
        with pytest.raises(httpx2.TransportError):
            httpx2.post(url, content=body, headers=headers, verify=context)
        context.load_cert_chain(authority.client.cert, authority.client.key)
        assert httpx2.post(url, content=body, headers=headers, verify=context).status_code == 200
        assert site.ids() == {"m1"}


@pytest.mark.parametrize("compression", [Compression.NoCompression, Compression.Gzip])
def test_the_sdk_of_opentelemetry_is_a_client(site: Site, compression: Compression) -> None:
    exporter = OTLPSpanExporter(
        endpoint=f"http://127.0.0.1:{site.port}/v1/traces", compression=compression
    )
    provider = TracerProvider(resource=Resource.create({"host.name": "web-1"}))
    provider.add_span_processor(BatchSpanProcessor(exporter))
    tracer = provider.get_tracer("test")
    for number in range(100):
        given = {**PUBLISHED, names.INVALIDATION_ID: f"m{number}", names.WRITTEN_AT: wall_ns()}
        with tracer.start_as_current_span("publish", kind=SpanKind.PRODUCER, attributes=given):
            place = {**RECEIVED, names.INVALIDATION_ID: f"m{number}"}
            with tracer.start_as_current_span("apply", kind=SpanKind.CONSUMER, attributes=place):
                pass
        with tracer.start_as_current_span("GET /"):
            pass
    provider.shutdown()
    assert len(site.ids()) == 100
    found = site.store.invalidation("m7")
    assert found is not None
    assert [row.node for row in found.receipts] == ["e1"]
    assert found.invalidation.host == "web-1"
    assert site.counted("spans_total", outcome="other") == 100


def test_own_names_come_from_the_config(tmp_path: Path) -> None:
    traces = "traces: {mapping: {cache.keyspace: shop.entity, cache.key: shop.id}}\n"
    with receiving(tmp_path, traces=traces) as site:
        now = wall_ns()
        given = {names.INVALIDATION_ID: "m1", "shop.entity": "product", "shop.id": "42"}
        made = request((PRODUCER, given), start_time_unix_nano=now, end_time_unix_nano=now)
        assert site.post(made.SerializeToString()).status_code == 200
        found = site.store.invalidation("m1")
        assert found is not None
        assert (found.invalidation.keyspace, list(found.invalidation.keys)) == ("product", ["42"])
