"""Spans reach the store through restarts and crashes: none that was acknowledged is lost."""

import signal
import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from hashlib import md5

import httpx2
import pytest
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Tracer
from ruamel.yaml import YAML

from lab.start import Lab
from stalewatch.clock import wall_ns
from stalewatch_sdk import attributes as names
from store.messages import ReceiptRow
from store.sqlite import SqliteStore
from tests.collectors.otlp.spans import PRODUCER, PUBLISHED, request
from tests.e2e.conftest import StartUp
from tests.e2e.running import Up
from tests.servers import wait_until

KILLS = 3
SENDERS = 4
LAYERS = {"edge", "regional", "app"}
PROTOBUF = {"content-type": "application/x-protobuf"}


@pytest.fixture
def url(shop: Lab) -> str:
    """Where the server of the shop's config takes traces."""
    config = YAML(typ="safe").load(shop.config)
    return f"http://{config['server']['otlp']['listen']}/v1/traces"


def stored(shop: Lab, prefix: str) -> set[str]:
    """The ids in the store that begin so."""
    store = SqliteStore(str(shop.dir / "stalewatch.db"))
    page = store.invalidations(0, 2**62, limit=100_000)
    store.close()
    return {told.invalidation.id for told in page.items if told.invalidation.id.startswith(prefix)}


def test_the_shop_tells_of_its_invalidations(shop: Lab, start_up: StartUp) -> None:
    up = start_up(shop.config).ready()
    spans = 'stalewatch_otlp_spans_total{outcome="%s"}'
    wait_until(lambda: up.metric(spans % "invalidation") > 10, "invalidations come", 60)
    wait_until(lambda: up.metric(spans % "receipt") > 40, "receipts come", 60)
    # Layers send their spans on their own: the first forty may be of two of them.
    wait_until(lambda: {row.layer for row in receipts(shop)} >= LAYERS, "each layer tells", 60)
    wait_until(partial(_has_checks, up), "nodes are checked for what came", 60)
    assert up.end() == 0
    told = receipts(shop)
    assert {row.layer for row in told if row.is_known} == LAYERS
    assert not [row for row in told if not row.is_known]


def receipts(shop: Lab) -> list[ReceiptRow]:
    """All that the store holds of nodes which took an invalidation."""
    store = SqliteStore(str(shop.dir / "stalewatch.db"))
    told = store.invalidations(0, 2**62, limit=100_000).items
    store.close()
    return [row for one in told for row in one.receipts]


def _has_checks(up: Up) -> bool:
    """Whether each layer was checked after a second."""
    checks = up.ask("api/v1/lag?window=15m").json()["checks"]
    late = [each for each in checks if each["horizon_ns"] >= 10**9 and each["shares"]]
    return {each["layer"] for each in late} == LAYERS


@pytest.mark.serial
def test_an_exporter_loses_nothing_through_restarts(shop: Lab, start_up: StartUp, url: str) -> None:
    provider = TracerProvider()
    # An exporter keeps a batch for as long as it may take, and no longer: ten seconds by default.
    provider.add_span_processor(
        BatchSpanProcessor(
            OTLPSpanExporter(endpoint=url, timeout=300),
            max_queue_size=100_000,
            schedule_delay_millis=50,
            max_export_batch_size=20,
        )
    )
    with sending(provider.get_tracer("test")) as sent:
        for _ in range(2):
            up = start_up(shop.config).ready()
            wait_until(partial(_has_more_than, sent, len(sent) + 100), "spans are made")
            assert up.end() == 0
        start_up(shop.config).ready()
    # It waits longer and longer between its attempts; asking it to end would end the waiting.
    wait_until(lambda: stored(shop, "sdk-") >= set(sent), "all that was sent is stored", 150)
    provider.shutdown()
    assert len(sent) > 200
    assert stored(shop, "sdk-") == set(sent)


def test_kill_9_loses_nothing_that_was_acknowledged(shop: Lab, start_up: StartUp, url: str) -> None:
    acknowledged: set[str] = set()
    for number in range(KILLS):
        up = start_up(shop.config).ready()
        is_over = threading.Event()
        many = partial(_has_more_than, acknowledged, len(acknowledged) + 100)
        senders = [
            threading.Thread(target=post, args=(url, f"kill-{number}-{n}-", acknowledged, is_over))
            for n in range(SENDERS)
        ]
        for sender in senders:
            sender.start()
        wait_until(many, "many are acknowledged", 60)
        up.end(signal.SIGKILL)
        is_over.set()
        for sender in senders:
            sender.join()
    assert acknowledged <= stored(shop, "kill-")


def _has_more_than(ids: Collection[str], count: int) -> bool:
    return len(ids) > count


def post(url: str, prefix: str, acknowledged: set[str], is_over: threading.Event) -> None:
    """Send requests of ten spans until the server is gone; note those that it acknowledged."""
    with httpx2.Client() as client:
        for number in range(100_000):
            if is_over.is_set():
                return
            ids = [f"{prefix}{number}-{n}" for n in range(10)]
            try:
                answer = client.post(url, content=body(ids), headers=PROTOBUF)
            except httpx2.TransportError:
                return
            if answer.status_code == 200:
                acknowledged.update(ids)


def body(ids: Sequence[str]) -> bytes:
    """A request with an invalidation of each id."""
    now = wall_ns()
    made = request(
        *((PRODUCER, {**PUBLISHED, names.INVALIDATION_ID: id, names.WRITTEN_AT: now}) for id in ids)
    )
    for resource, id in zip(made.resource_spans, ids, strict=True):
        resource.scope_spans[0].spans[0].span_id = md5(id.encode()).digest()[:8]
        resource.scope_spans[0].spans[0].start_time_unix_nano = now
        resource.scope_spans[0].spans[0].end_time_unix_nano = now
    return made.SerializeToString()


@contextmanager
def sending(tracer: Tracer) -> Iterator[list[str]]:
    """Make publish spans one after the other while the block runs; gives their ids."""
    sent: list[str] = []
    is_over = threading.Event()

    def run() -> None:
        while not is_over.wait(0.002):
            id = f"sdk-{len(sent)}"
            given = {**PUBLISHED, names.INVALIDATION_ID: id, names.WRITTEN_AT: wall_ns()}
            with tracer.start_as_current_span("publish", kind=SpanKind.PRODUCER, attributes=given):
                sent.append(id)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield sent
    finally:
        is_over.set()
        thread.join()
