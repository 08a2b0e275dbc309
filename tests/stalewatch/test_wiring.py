"""From a config to watches."""

from pathlib import Path

from collectors.journal import Ids
from stalewatch.clock import ObserverClock
from stalewatch.config import load
from stalewatch.wiring import watch_all, wire

CONFIG = """
store: {{path: {folder}/sw.db}}
origins:
  shop: {{kind: http, url: "http://127.0.0.1:1"}}
layers:
  cdn:
    kind: cdn
    dialect: fastly
    mechanism: purge
    max_staleness: 5s
    nodes: [{{static: "127.0.0.1:1"}}]
  edge:
    kind: varnish
    mechanism: purge
    max_staleness: 5s
    nodes: [{{static: "127.0.0.1:2"}}]
keyspaces:
  product:
    owner: team
    origin: {{name: shop, path: "/{{key}}", version: {{header: X-Version}}}}
    version: {{type: integer, order: counter}}
    layers:
      cdn: {{key: "/{{key}}", version: {{header: X-Version}}}}
      edge: {{key: "/{{key}}", version: {{header: X-Version}}}}
    keys: {{list: ["1"]}}
"""


async def test_a_cdn_is_watched_as_a_pool_from_the_start(tmp_path: Path) -> None:
    (tmp_path / "sw.yaml").write_text(CONFIG.format(folder=tmp_path))
    wiring = wire(load(tmp_path / "sw.yaml"), ObserverClock())
    await watch_all(wiring, Ids(), lambda _: None)
    nodes = wiring.watches["product"].nodes
    assert {node.settings.layer: node.findings.is_pool for node in nodes} == {
        "cdn": True,
        "edge": False,
    }
    await wiring.close()
