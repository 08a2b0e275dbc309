"""What a config documents, and that a running server keeps it as it changes."""

import json
from pathlib import Path

import redis

from stalewatch.catalogue import catalogue_of, tiers_of
from stalewatch.config import load
from stalewatch.metrics import Metrics
from stalewatch.runtime import Runtime
from store.catalogue_history import Entry
from store.promises import read_promises
from store.sqlite import SqliteStore
from tests.servers import RedisServer, eventually

S = 10**9
EXAMPLE = Path(__file__).parents[2] / "examples" / "stalewatch.yaml"
CONFIG = """
store: {{path: {folder}/sw.db}}
origins:
  shop: {{kind: redis, host: 127.0.0.1, port: {port}, linearizable: true}}
layers:
  cache:
    kind: redis
    mechanism: ttl
    max_staleness: {limit}
    documented_ttl: 10m
    nodes: [{{static: "127.0.0.1:{port}", name: n1, region: eu}}]
    database: 1
keyspaces:
  product:
    origin: {{name: shop, key: "p:{{key}}", version: {{text: true}}}}
    version: {{type: integer, order: counter}}
    layers:
      cache: {{key: "c:{{key}}", version: {{text: true}}}}
    keys: {{range: {{from: 1, to: 5}}}}
"""


def test_the_example_is_documented_without_its_secrets() -> None:
    documents = catalogue_of(load(EXAMPLE, with_sources=False))
    regional = documents[Entry("layer", "regional")]
    assert regional["max_staleness_ns"] == 2 * S
    assert regional["accepts_ns"] == {
        "normal": 2 * S,
        "partial-outage": 30 * S,
        "high-load": 10 * S,
    }
    assert (regional["owner"], regional["regions"]) == ("team-platform", ["eu", "us"])
    assert documents[Entry("layer", "edge")]["accepts_ns"]["high-load"] == 5 * S
    addressing = documents[Entry("keyspace", "product")]["addressing"]
    assert addressing["regional"] == {"key": "product:{key}", "version": {"json": "$.version"}}
    text = json.dumps([*documents.values()])
    for secret in ("secret", "password", "username", "/run", "postgresql"):
        assert secret not in text


async def test_a_start_and_a_reload_keep_what_changed(
    tmp_path: Path, redis_server: RedisServer
) -> None:
    with redis.Redis(port=redis_server.port, db=1) as client:
        for n in range(1, 6):
            client.set(f"c:{n}", 3, ex=900)
    file = tmp_path / "sw.yaml"
    placed = {"folder": tmp_path, "port": redis_server.port}
    file.write_text(CONFIG.format(**placed, limit="15m"))
    store = SqliteStore()
    runtime = Runtime(load(file), store, Metrics())
    await runtime.start()
    try:
        assert {row.entry.name for row in store.catalogue()} == {"cache", "product"}
        file.write_text(CONFIG.format(**placed, limit="20m"))
        config = load(file)
        await runtime.reload(config)
        await runtime.reload(config)
        newest, *first = store.catalogue_history()
        assert len(first) == 2
        assert [change.path for change in newest.changes] == [
            "accepts_ns.high-load",
            "accepts_ns.normal",
            "accepts_ns.partial-outage",
            "max_staleness_ns",
        ]
        tiers = tiers_of(config)
        assert tiers["cache"].longest_ttl_ns == 600 * S
        assert read_promises(store)[Entry("layer", "cache")].adds_up_ns == 600 * S
        await eventually(lambda: bool(store.ttl_samples(0, 2**62)), "times to live are kept")
        [(key, cell)] = store.ttl_samples(0, 2**62)
        assert (key.layer, key.node, cell.n) == ("cache", "n1", 5)
        assert (cell.longest_ns or 0) > 600 * S
    finally:
        await runtime.stop()
        store.close()
