"""What Stalewatch at its defaults puts on a Redis node, and what that does to the node's clients.

    python -m bench.node_load [--rate 1000] [--seconds 6] [--pairs 12] [--nodes 3] [--keys 10000]

Stretches without `stalewatch up` and with it, in turn, on real Redis nodes under a steady load of
GETs from a process of its own. Each GET has an instant at which it is due, and its latency counts
from that, so that one which is slow makes those behind it late as well. What is ours is the node's
own account less the client's. The limit is what the defaults of a layer allow: batches a second,
keys and bytes of a batch; exits 1 where more came.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis

from bench.node_client import Client, name_of
from collectors.options import BatchOptions
from stalewatch.config.model import Layer
from tests.e2e.running import Up
from tests.servers import RedisServer

VALUE_BYTES = 200
WARM_UP_S = 5.0
STARTS_S = 0.2
US = 1_000_000
CLIENT = "cmdstat_get"
ASKING = "cmdstat_info"
COUNTED = (
    "keyspace_hits", "keyspace_misses", "total_net_input_bytes", "total_net_output_bytes"
)  # fmt: skip
CONFIG = """\
store: {{path: bench.db}}
origins:
  shop: {{kind: redis, host: 127.0.0.1, port: {origin}, linearizable: true}}
layers:
  regional:
    kind: redis
    mechanism: purge
    max_staleness: 2s
    nodes: [{nodes}]
keyspaces:
  product:
    origin: {{name: shop, key: "product:{{key}}", version: {{json: $.version}}}}
    version: {{type: integer, order: counter}}
    layers: {{regional: {{key: "product:{{key}}", version: {{json: $.version}}}}}}
    keys: {{range: {{from: 0, to: {last}}}}}
"""


@dataclass(frozen=True)
class Stretch:
    """One stretch of the load: latencies in seconds, and what the node counted meanwhile.

    `calls` are commands by name without our own asking here, `took_us` the microseconds that the
    node spent on each; `keys` are looked up in all, `received` and `sent` bytes of its network.
    """

    is_watched: bool
    seconds: float
    latencies: Sequence[float]
    calls: Mapping[str, int]
    took_us: Mapping[str, int]
    keys: int
    received: int
    sent: int

    @property
    def ours(self) -> Mapping[str, float]:
        """Commands a second that are not the client's, by name."""
        rates = {name: n / self.seconds for name, n in self.calls.items() if n and name != CLIENT}
        return {name.removeprefix("cmdstat_"): rate for name, rate in sorted(rates.items())}

    @property
    def keys_rate(self) -> float:
        """Keys a second that somebody else than the client looked up."""
        return (self.keys - self.calls[CLIENT]) / self.seconds

    @property
    def time_share(self) -> float:
        """The share of the time that the node spent on commands of others than the client."""
        spent = sum(us for name, us in self.took_us.items() if name not in (CLIENT, ASKING))
        return spent / US / self.seconds


def main() -> int:
    """Measure; 1 where the limit was passed."""
    args = _arguments()
    stretches: list[Stretch] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="stalewatch-bench-")))
        servers = [stack.enter_context(RedisServer()) for _ in range(args.nodes + 1)]
        for server in servers:
            _fill(server.client, args.keys)
        client = Client(servers[1].port, args.keys, args.rate)
        stack.callback(client.stop)
        config = _written(folder, [server.port for server in servers], args.keys)
        client.run(STARTS_S)
        for _ in range(args.pairs):
            for is_watched in (False, True):
                with _watching(config, is_watched):
                    stretches.append(_measure(servers[1].client, client, args.seconds, is_watched))
                if not args.json:
                    _print_stretch(stretches[-1])
    result = _sum_up(stretches, args)
    print(json.dumps(result) if args.json else _say(result))
    return 1 if result["is_over"] else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=1_000.0, help="GETs a second of the client")
    parser.add_argument("--seconds", type=float, default=6.0, help="of each stretch")
    parser.add_argument("--pairs", type=int, default=12, help="stretches of each kind")
    parser.add_argument("--nodes", type=int, default=3)
    parser.add_argument("--keys", type=int, default=10_000)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser.parse_args()


@contextmanager
def _watching(config: Path, is_watched: bool) -> Iterator[None]:
    """Stalewatch is up and past its start; or is not."""
    if not is_watched:
        time.sleep(WARM_UP_S)
        yield
        return
    with Up(config) as up:
        up.ready()
        time.sleep(WARM_UP_S)
        yield
        up.end()


def _measure(node: redis.Redis, client: Client, seconds: float, is_watched: bool) -> Stretch:
    before, began = node.info("all"), time.monotonic()
    latencies = client.run(seconds)
    taken_s, after = time.monotonic() - began, node.info("all")
    calls, took_us = (_grown_by_command(before, after, part) for part in ("calls", "usec"))
    calls[ASKING] -= 1  # the first of our two
    grown = {name: int(after[name]) - int(before[name]) for name in COUNTED}
    looked_up = grown["keyspace_hits"] + grown["keyspace_misses"]
    traffic = grown["total_net_input_bytes"], grown["total_net_output_bytes"]
    return Stretch(is_watched, taken_s, latencies, calls, took_us, looked_up, *traffic)


def _grown_by_command(
    before: Mapping[str, Any], after: Mapping[str, Any], part: str
) -> Counter[str]:
    """What a part of the statistics of commands grew by, by command."""
    grown: Counter[str] = Counter()
    for name, told in after.items():
        if name.startswith("cmdstat_"):
            grown[name] = int(told[part]) - int(before.get(name, {}).get(part, 0))
    return grown


def _sum_up(stretches: Sequence[Stretch], args: argparse.Namespace) -> dict[str, Any]:
    """All figures: of ours the medians of the stretches, of latencies all stretches of a kind."""
    bare = [each for each in stretches if not each.is_watched]
    watched = [each for each in stretches if each.is_watched]
    return {
        "nodes": args.nodes,
        "keys": args.keys,
        "load": os.getloadavg()[0],
        "nice": os.nice(0),
        **_ours(bare, watched),
        "without": _latencies(bare),
        "with": _latencies(watched),
        "ratios": _ratios(bare, watched),
    }


def _ours(bare: Sequence[Stretch], watched: Sequence[Stretch]) -> dict[str, Any]:
    """What is not the client's, beside its limits; the bytes of a GET are those of bare ones."""
    gets = sum(each.calls[CLIENT] for each in bare)
    received_each = sum(each.received for each in bare) / gets
    sent_each = sum(each.sent for each in bare) / gets
    received = [
        (each.received - received_each * each.calls[CLIENT]) / each.seconds for each in watched
    ]
    sent = [(each.sent - sent_each * each.calls[CLIENT]) / each.seconds for each in watched]
    names = sorted({name for each in watched for name in each.ours})
    batches_s, most_keys, most_bytes = _limits()
    keys_rate, sent_rate = _middle(each.keys_rate for each in watched), _middle(sent)
    most_keys_rate, most_sent_rate = batches_s * most_keys, batches_s * most_bytes
    return {
        "commands_per_s": {
            name: _middle(each.ours.get(name, 0.0) for each in watched) for name in names
        },
        "keys_per_s": keys_rate,
        "keys_per_s_limit": most_keys_rate,
        "bytes_in_per_s": _middle(received),
        "bytes_out_per_s": sent_rate,
        "bytes_out_per_s_limit": most_sent_rate,
        "time_share": _middle(each.time_share for each in watched),
        "is_over": keys_rate > most_keys_rate or sent_rate > most_sent_rate,
    }


def _limits() -> tuple[float, int, int]:
    """Batches a second, keys and bytes of a batch, as a layer has them where nothing is said."""
    batches_s = Layer.model_fields["limit"].default.per_second
    batch = BatchOptions()
    return batches_s, batch.keys, batch.bytes.bytes


def _latencies(stretches: Sequence[Stretch]) -> dict[str, float]:
    """p50 and p99 in ms of all GETs of some stretches."""
    every = [latency for each in stretches for latency in each.latencies]
    return {"p50_ms": 1e3 * _quantile(every, 0.5), "p99_ms": 1e3 * _quantile(every, 0.99)}


def _ratios(bare: Sequence[Stretch], watched: Sequence[Stretch]) -> dict[str, list[float]]:
    """Watched over bare, of each pair of stretches that followed one another."""
    return {
        name: [
            _quantile(each.latencies, share) / _quantile(other.latencies, share)
            for other, each in zip(bare, watched, strict=True)
        ]
        for name, share in (("p50", 0.5), ("p99", 0.99))
    }


def _print_stretch(each: Stretch) -> None:
    p50, p99, most = (1e3 * _quantile(each.latencies, share) for share in (0.5, 0.99, 1.0))
    kind = "with us" if each.is_watched else "without"
    rate = len(each.latencies) / each.seconds
    told = f"{kind}: {rate:,.0f} GETs/s, p50 {p50:.2f} ms, p99 {p99:.2f} ms, most {most:.1f} ms"
    print(f"{told}; others looked up {each.keys_rate:,.1f} keys/s", flush=True)


def _say(result: Mapping[str, Any]) -> str:
    ratios = {
        name: f"{', '.join(f'{r:.2f}' for r in each)} (middle {statistics.median(each):.2f})"
        for name, each in result["ratios"].items()
    }
    commands = ", ".join(f"{name} {n:.2f}" for name, n in result["commands_per_s"].items())
    bare, watched = result["without"], result["with"]
    return "\n".join(
        [
            f"ours at one of {result['nodes']} nodes, {result['keys']:,} keys: "
            f"{result['keys_per_s']:,.1f} keys/s (limit {result['keys_per_s_limit']:,.0f}), "
            f"{result['bytes_out_per_s']:,.0f} bytes/s out "
            f"(limit {result['bytes_out_per_s_limit']:,.0f}), "
            f"{result['bytes_in_per_s']:,.0f} bytes/s in, "
            f"{result['time_share']:.3%} of the node's time",
            f"commands/s: {commands}",
            f"GET without us p50 {bare['p50_ms']:.2f} ms, p99 {bare['p99_ms']:.2f} ms; "
            f"with us p50 {watched['p50_ms']:.2f} ms, p99 {watched['p99_ms']:.2f} ms",
            f"with / without, pair by pair: p50 {ratios['p50']}; p99 {ratios['p99']}",
            f"load {result['load']:.1f} on {os.cpu_count()} cores, niced by {result['nice']}",
        ]
    )


def _fill(client: redis.Redis, keys: int) -> None:
    value = json.dumps({"version": 7, "name": ""})
    value = json.dumps({"version": 7, "name": "x" * (VALUE_BYTES - len(value))})
    for at in range(0, keys, 1_000):
        client.mset({name_of(number): value for number in range(at, min(keys, at + 1_000))})


def _written(folder: Path, ports: Sequence[int], keys: int) -> Path:
    nodes = ", ".join(f'{{static: "127.0.0.1:{port}", name: "n{port}"}}' for port in ports[1:])
    file = folder / "stalewatch.yaml"
    file.write_text(CONFIG.format(origin=ports[0], nodes=nodes, last=keys - 1))
    return file


def _middle(values: Iterator[float] | Sequence[float]) -> float:
    return statistics.median(values)


def _quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that so many are not above."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


if __name__ == "__main__":
    sys.exit(main())
