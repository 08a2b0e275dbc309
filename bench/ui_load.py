"""p99 of qe - qs with the web UI under load and without, in one run, in turn.

    python -m bench.ui_load [--clients 20] [--rate 2] [--seconds 20] [--times 3]

The whole server runs in this process on real Redis nodes, and every read's qe - qs is kept as the
collectors stamp it. The visitors (`bench/visitors.py`) are a process of their own: pages held open
over websockets, and pages and JSON loaded at a bounded rate.
"""

import argparse
import asyncio
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

import uvicorn

from bench.probe_rate import fill
from stalewatch.clock import wall_ns
from stalewatch.config import load
from stalewatch.logs import set_up_logs
from stalewatch.metrics import Metrics
from stalewatch.runtime import Runtime
from stalewatch.server import create_app, server_config
from store.sqlite import SqliteStore
from tests.servers import RedisServer, eventually, free_port

NODES, KEYS = 3, 200
WARM_UP_S = 3.0
MS = 1000
CONFIG = """\
store: {{path: bench.db}}
origins:
  shop: {{kind: redis, host: 127.0.0.1, port: {origin}, linearizable: true, limit: 1000/s}}
layers:
  regional:
    kind: redis
    mechanism: purge
    max_staleness: 1s
    limit: 1000/s
    nodes: [{nodes}]
keyspaces:
  product:
    origin: {{name: shop, key: "product:{{key}}", version: {{json: $.version}}}}
    version: {{type: integer, order: counter}}
    layers: {{regional: {{key: "product:{{key}}", version: {{json: $.version}}}}}}
    keys: {{range: {{from: 0, to: {last}}}}}
    sample: {{interval: 200ms, size: {keys}, recent: 0%, random: 100%}}
"""


class Recording(Metrics):
    """The metrics, and each read at a node on its own, in seconds."""

    def __init__(self) -> None:
        super().__init__()
        self.reads: list[float] = []

    def observe_read(self, layer: str, seconds: float) -> None:
        """Keep it."""
        super().observe_read(layer, seconds)
        self.reads.append(seconds)

    def take(self) -> list[float]:
        """All since the last call."""
        taken, self.reads = self.reads, []
        return taken


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("--rate", type=float, default=2.0, help="requests a second and client")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each stretch")
    parser.add_argument("--times", type=int, default=3)
    asyncio.run(measure(parser.parse_args()))


async def measure(args: argparse.Namespace) -> None:
    """Print a row for each stretch, then all of a kind together."""
    set_up_logs(is_quiet=True)
    quiet: list[float] = []
    loaded: list[float] = []
    async with _served() as (address, metrics):
        await asyncio.sleep(WARM_UP_S)
        print(f"{'':<10}{'reads':>8}{'p50 ms':>9}{'p99 ms':>9}{'max ms':>9}")
        for _ in range(args.times):
            quiet += await _stretch("quiet", metrics, args.seconds)
            visitors = _visitors(address, args)
            await asyncio.sleep(WARM_UP_S)
            loaded += await _stretch("loaded", metrics, args.seconds)
            told, _ = await asyncio.to_thread(visitors.communicate)
            print(f"  {told.strip()}")
    _print_row("all quiet", quiet)
    _print_row("all loaded", loaded)
    print(f"p99 loaded / quiet: {_quantile(loaded, 0.99) / _quantile(quiet, 0.99):.2f}")


@asynccontextmanager
async def _served() -> AsyncIterator[tuple[str, Recording]]:
    """A server that probes; its address."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="stalewatch-bench-")))
        servers = [stack.enter_context(RedisServer()) for _ in range(NODES + 1)]
        for server in servers:
            await fill(server.port, [str(number) for number in range(KEYS)])
        config = load(_written(folder, [server.port for server in servers]))
        store, metrics = SqliteStore(str(config.store.path)), Recording()
        stack.callback(store.close)
        runtime = Runtime(config, store, metrics)
        app = create_app(store=store, metrics=metrics, runtime=runtime, now_ns=wall_ns)
        port = free_port()
        web = uvicorn.Server(server_config(app, "127.0.0.1", port))
        serving = asyncio.create_task(web.serve())
        await eventually(lambda: web.started, "the server to start")
        yield f"http://127.0.0.1:{port}/", metrics
        web.should_exit = True
        await serving


def _written(folder: Path, ports: Sequence[int]) -> Path:
    nodes = ", ".join(f'{{static: "127.0.0.1:{port}", name: "n{port}"}}' for port in ports[1:])
    file = folder / "stalewatch.yaml"
    file.write_text(CONFIG.format(origin=ports[0], nodes=nodes, keys=KEYS, last=KEYS - 1))
    return file


def _visitors(address: str, args: argparse.Namespace) -> subprocess.Popen[str]:
    options = ["--clients", str(args.clients), "--rate", str(args.rate)]
    return subprocess.Popen(
        [sys.executable, "-m", "bench.visitors", address, *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


async def _stretch(name: str, metrics: Recording, seconds: float) -> list[float]:
    metrics.take()
    await asyncio.sleep(seconds)
    reads = metrics.take()
    _print_row(name, reads)
    return reads


def _print_row(name: str, reads: Sequence[float]) -> None:
    p50, p99, most = (MS * _quantile(reads, share) for share in (0.5, 0.99, 1.0))
    print(f"{name:<10}{len(reads):>8}{p50:>9.2f}{p99:>9.2f}{most:>9.2f}", flush=True)


def _quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that so many are not above."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


if __name__ == "__main__":
    main()
