"""Spans a second that the receiver makes durable, and what it answers above its capacity.

    python -m bench.otlp_rate [--spans 200000] [--batch 512] [--senders 4] [--visitors 20]

One process receives: a real uvicorn, and a store on disk that syncs each commit. Senders are a
process of their own. In the same run, the parts that nobody could leave out are done in series, by
one thread and without a network: parse, read eight attributes, insert into the same tables in
transactions of the same size. Last, more senders than the queue has room for send requests of
the largest size, and the answers are counted by status. With `--visitors` the web UI is served by
the same process over the same store, and so many visitors hold pages open and load others.
"""

import argparse
import asyncio
import http.client
import multiprocessing
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from multiprocessing.connection import Connection
from pathlib import Path

import uvicorn
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from collectors.otlp.intake import GROUP_ROWS
from collectors.otlp.mapping import Mapper, names_of
from collectors.otlp.protobuf import decode_protobuf
from collectors.otlp.span import Outcome
from stalewatch.clock import wall_ns
from stalewatch.config import load
from stalewatch.metrics import Metrics
from stalewatch.receiver import Receiver
from stalewatch.runtime import SWITCH_INTERVAL_S
from stalewatch.server import create_app, server_config
from stalewatch_sdk import attributes as names
from store.messages import InvalidationRow, ReceiptRow, Told
from store.sqlite import SqliteStore
from tests.servers import eventually, free_port

NODES = 3
SETTLES_S = 2.0
"""Until the visitors have their pages open."""
LARGE_BYTES = 7 * 2**20
HEADERS = {"content-type": "application/x-protobuf"}
CONFIG = """\
server: {otlp: {listen: "127.0.0.1:0"}}
store: {path: bench.db}
origins: {shop: {kind: http, url: "http://127.0.0.1:9"}}
layers:
  edge:
    kind: http
    mechanism: purge
    max_staleness: 1s
    nodes:
      - {static: "127.0.0.1:5", name: e0}
      - {static: "127.0.0.1:6", name: e1}
      - {static: "127.0.0.1:7", name: e2}
keyspaces:
  product:
    origin: {name: shop, path: "/products?ids={keys}", version: {json: $.version}}
    version: {type: integer, order: counter}
    layers: {edge: {key: "/products/{key}", version: {header: X-Version}}}
    keys: {range: {from: 1, to: 100}}
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spans", type=int, default=200_000)
    parser.add_argument("--batch", type=int, default=512)
    parser.add_argument("--senders", type=int, default=4)
    parser.add_argument("--visitors", type=int, default=0)
    args = parser.parse_args()
    sys.setswitchinterval(SWITCH_INTERVAL_S)  # as `up` does
    bodies = requests(args.spans, args.batch)
    count = len(bodies) * args.batch
    size = sum(map(len, bodies)) / count
    print(f"{count:,} spans of {size:.0f} bytes, {args.batch} a request, {args.senders} senders")
    with tempfile.TemporaryDirectory(prefix="stalewatch-bench-") as folder:
        series_s = in_series(bodies, Path(folder) / "series.db")
        print(f"in series, no network: {count / series_s:>9,.0f} spans/s")
        asyncio.run(received(bodies, args.senders, Path(folder), count, series_s, args.visitors))


def requests(spans: int, batch: int) -> list[bytes]:
    """Requests of invalidations, each followed by the receipts of every node."""
    now, bodies, number = wall_ns(), [], 0
    while number < spans:
        request = ExportTraceServiceRequest()
        resource = request.resource_spans.add()
        resource.resource.attributes.add(key="host.name").value.string_value = "web-1"
        scope = resource.scope_spans.add()
        for _ in range(batch):
            _fill(scope.spans.add(), number, now)
            number += 1
        bodies.append(request.SerializeToString())
    return bodies


def _fill(span: Span, number: int, now_ns: int) -> None:
    message, place = divmod(number, NODES + 1)
    given: dict[str, str | int] = {
        names.INVALIDATION_ID: f"{message:032x}",
        names.KEYSPACE: "product",
        names.KEY: str(message % 1000),
        names.VERSION: message,
        names.PUBLISHER_ID: "shop-1",
        names.PUBLISHER_SEQUENCE: message,
        names.MESSAGING_DESTINATION: "invalidations",
    }
    own = (
        {names.WRITTEN_AT: now_ns}
        if place == 0
        else {
            names.LAYER: "edge",
            names.NODE: f"e{place - 1}",
            names.INVALIDATION_OUTCOME: "applied",
        }
    )
    span.kind = Span.SPAN_KIND_PRODUCER if place == 0 else Span.SPAN_KIND_CONSUMER
    span.trace_id = message.to_bytes(16, "big")
    span.span_id = (number + 1).to_bytes(8, "big")
    span.start_time_unix_nano = span.end_time_unix_nano = now_ns
    for key, value in {**given, **own}.items():
        attribute = span.attributes.add(key=key)
        if isinstance(value, int):
            attribute.value.int_value = value
        else:
            attribute.value.string_value = value


def in_series(bodies: Sequence[bytes], path: Path) -> float:
    """Seconds that one thread takes to parse, read and insert, and does nothing else."""
    mapper, read, now = Mapper(lambda _layer, _node: True), names_of({}), wall_ns()
    store = SqliteStore(str(path))
    began = time.perf_counter()
    invalidations: list[InvalidationRow] = []
    receipts: list[ReceiptRow] = []
    for number, body in enumerate(bodies, 1):
        for span in decode_protobuf(body, read):
            row = span if isinstance(span, Outcome) else mapper.row(span, now)
            if isinstance(row, InvalidationRow):
                invalidations.append(row)
            elif isinstance(row, ReceiptRow):
                receipts.append(row)
        if len(invalidations) + len(receipts) >= GROUP_ROWS or number == len(bodies):
            store.write_messages(invalidations, receipts)
            invalidations, receipts = [], []
    took_s = time.perf_counter() - began
    store.close()
    return took_s


async def received(
    bodies: Sequence[bytes],
    senders: int,
    folder: Path,
    count: int,
    series_s: float,
    visitors: int,
) -> None:
    """Send everything to a receiver, then more than it can take."""
    file = folder / "stalewatch.yaml"
    file.write_text(CONFIG)
    config = load(file)
    assert config.server.otlp is not None
    store = SqliteStore(str(folder / "bench.db"))
    receiver = Receiver(config, config.server.otlp, store, store, Metrics())
    await receiver.start()
    port = receiver.address.port
    async with visited(store, visitors):
        took_s, answers = await asyncio.to_thread(sent, port, bodies, senders)
    print(
        f"received and durable:  {count / took_s:>9,.0f} spans/s, {series_s / took_s:.0%} of that"
    )
    print(f"  answers by status: {dict(answers)}")
    # Requests joined are one request.
    large = [b"".join(bodies[: LARGE_BYTES // len(bodies[0])])] * 128
    took_s, answers = await asyncio.to_thread(sent, port, large, 64)
    size = f"{len(large[0]) / 2**20:.1f} MiB"
    print(f"above capacity: {len(large)} requests of {size} by 64 senders in {took_s:.1f} s")
    print(f"  answers by status: {dict(answers)}")
    await receiver.stop()
    stored = sum(1 for _ in _all(store))
    print(f"stored invalidations: {stored:,}, of {-(-count // (NODES + 1)):,} sent")
    store.close()


class _NoRuntime:
    """Nothing probes beside the UI."""

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    def readiness(self) -> Sequence[str]:
        return []


@asynccontextmanager
async def visited(store: SqliteStore, visitors: int) -> AsyncIterator[None]:
    """Serve the UI to so many visitors meanwhile; to none where there are none."""
    if not visitors:
        yield
        return
    app = create_app(store=store, metrics=Metrics(), runtime=_NoRuntime(), now_ns=wall_ns)
    port = free_port()
    web = uvicorn.Server(server_config(app, "127.0.0.1", port))
    serving = asyncio.create_task(web.serve())
    await eventually(lambda: web.started, "the server to start")
    told = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.visitors", f"http://127.0.0.1:{port}/"),
        *("--clients", str(visitors)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    await asyncio.sleep(SETTLES_S)
    yield
    said, _ = await told.communicate(b"")
    print(f"  {said.decode().strip()}")
    web.should_exit = True
    await serving


def sent(port: int, bodies: Sequence[bytes], senders: int) -> tuple[float, Counter[int]]:
    """Seconds until all is answered, and the answers by status, of a process of its own."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_send_all, args=(port, bodies, senders, there))
    process.start()
    result: tuple[float, Counter[int]] = here.recv()
    process.join()
    return result


def _send_all(port: int, bodies: Sequence[bytes], senders: int, answer_to: Connection) -> None:
    answers: Counter[int] = Counter()
    lock, waiting = threading.Lock(), iter(bodies)

    def send() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        while True:
            with lock:
                body = next(waiting, None)
            if body is None:
                break
            connection.request("POST", "/v1/traces", body, HEADERS)
            answer = connection.getresponse()
            answer.read()
            with lock:
                answers[answer.status] += 1
        connection.close()

    threads = [threading.Thread(target=send) for _ in range(senders)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    answer_to.send((time.perf_counter() - began, answers))


def _all(store: SqliteStore) -> Iterator[Told]:
    cursor = None
    while True:
        page = store.invalidations(0, 2**62, limit=10_000, cursor=cursor)
        yield from page.items
        cursor = page.next
        if cursor is None:
            return


if __name__ == "__main__":
    main()
