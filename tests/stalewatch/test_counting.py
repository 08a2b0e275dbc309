"""Counters on the schedule: a config's nodes are looked at, and what has come is kept."""

from pathlib import Path

import pytest

from collectors.journal import Ids
from stalewatch.clock import ObserverClock
from stalewatch.config import ConfigError, load
from stalewatch.counting import Counting
from stalewatch.metrics import Metrics
from stalewatch.wiring import watch_all, wire
from store.sqlite import SqliteStore
from tests.collectors.web import serving
from tests.servers import RedisServer

CONFIG = """
origins:
  db: {{kind: redis, host: 127.0.0.1, port: {port}, linearizable: true}}
layers:
  regional:
    kind: redis
    mechanism: versioned
    max_staleness: 2s
    nodes: [{{static: ["127.0.0.1:{port}"]}}]
    {counters}
keyspaces:
  product:
    origin: {{name: db, key: "origin:{{key}}", version: {{json: $.version}}}}
    version: {{type: integer, order: counter}}
    layers: {{regional: {{key: "product:{{key}}", version: {{json: $.version}}}}}}
    keys: {{list: [a, b]}}
{more}
"""
PROMETHEUS = """
prometheus:
  main:
    url: {url}
    queries:
      - {{layer: {layer}, preset: redis_exporter, nodes: {{"a:9121": "127.0.0.1:{port}"}}}}
"""


def written(folder: Path, port: int, counters: str = "", more: str = "") -> Path:
    file = folder / "stalewatch.yaml"
    file.write_text(CONFIG.format(port=port, counters=counters, more=more))
    return file


async def test_nodes_are_looked_at_and_our_reads_taken_out(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    redis_server.client.set("product:a", '{"version": 1}')
    node = f"127.0.0.1:{redis_server.port}"
    with serving(lambda _: (500, {}, b"down")) as web:
        more = PROMETHEUS.format(
            url=f"http://127.0.0.1:{web.port}", layer="regional", port=redis_server.port
        )
        config = load(written(tmp_path, redis_server.port, more=more))
        store, wiring, metrics = SqliteStore(), wire(config, ObserverClock()), Metrics()
        await watch_all(wiring, Ids(0, 0), lambda _: None)
        counting = Counting(wiring, store, metrics.counters)
        assert [(job.name, job.every_s) for job in counting.jobs()] == [
            ("counters regional", 15), ("prometheus main", 30),
        ]  # fmt: skip
        layer = wiring.layers["regional"]
        await counting.look_at_layer(layer)
        cache = wiring.open_cache("product", layer, layer.nodes[node][1])
        await cache.read(["a", "b"])
        await cache.inspect(["a"])
        redis_server.client.get("product:a")
        await counting.look_at_layer(layer)
        await counting.look_at_prometheus("main")
        await counting.close()
        await wiring.close()
    rows = store.counters("hour", 0, 2**62)
    told = {row.source: row for row in rows}
    ours = told["node"]
    assert (ours.layer, ours.node, ours.answered) == ("regional", node, 2)
    assert (ours.hits, ours.misses) == (4, 1)
    assert (ours.own_hits, ours.own_misses) == ((3, 3, 3), (1, 1, 1))
    assert told["prometheus:main"].unanswered == 1
    value = metrics.registry.get_sample_value
    labels = {"layer": "regional", "source": "node", "outcome": "answered"}
    assert value("stalewatch_counter_looks_total", labels) == 2
    store.close()


def test_a_layer_can_be_left_out(tmp_path: Path) -> None:
    config = load(written(tmp_path, 6379, "counters: {enabled: false}"))
    wiring, store = wire(config, ObserverClock()), SqliteStore()
    assert list(Counting(wiring, store, Metrics().counters).jobs()) == []
    store.close()


@pytest.mark.parametrize(
    ("counters", "more", "why"),
    [
        pytest.param("counters: {interval: 10ms}", "", "at least 1s", id="too often"),
        pytest.param(
            "counters: {nginx: {nodes: {a: b.log}}}", "", "expected a layer of kind nginx or http",
            id="a log of a Redis",
        ),
        pytest.param(
            "", PROMETHEUS.format(url="http://p:1", layer="regionl", port=1),
            "no such entry in layers; did you mean regional?", id="no such layer",
        ),
        pytest.param(
            "", PROMETHEUS.format(url="http://u:p@p:1", layer="regional", port=1),
            "expected a URL such as", id="a login in the URL",
        ),
        pytest.param(
            "", PROMETHEUS.format(url="http://p:1", layer="regional, counter: hits", port=1),
            "expected a preset, or counter and promql", id="half a query",
        ),
    ],
)  # fmt: skip
def test_a_mistake_is_told(tmp_path: Path, counters: str, more: str, why: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(written(tmp_path, 6379, counters, more))
    assert why in str(caught.value)
