"""Writes `stalewatch.yaml`: all that the server is told of the lab."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from lab.catalogue import HOST, KEYSPACE, PRODUCTS, SHARD, TTL_S, NodeAddress, Topology

FILE_NAME = "stalewatch.yaml"
REPLICA_LAG = "1h"
PROJECTION = "projection: [$.name, $.price]"


class _Replicas(NamedTuple):
    """What the config says of the origin's replicas; nothing where they are not read."""

    layer: str = ""
    addressing: str = ""
    fills_regional: str = ""
    fills_app: str = "[regional]"


def write_config(
    lab_dir: Path,
    topology: Topology,
    token_file: Path,
    listen: str,
    mail_port: int,
    *,
    reads_replicas: bool = False,
) -> Path:
    """Writes the config into the lab's directory; `listen` is the server's host:port."""
    path = lab_dir / FILE_NAME
    replicas = _replicas(topology) if reads_replicas else _Replicas()
    text = _config(lab_dir, topology, token_file, listen, replicas) + _telling(mail_port)
    path.write_text(text, encoding="utf-8")
    return path


def _telling(mail_port: int) -> str:
    rule = "for: 2s, keep_firing_for: 10s, channels: [inbox]"
    return f"""\
objectives:
  product-fresh: {{keyspace: {KEYSPACE}, target: 99.9%, window: 28d}}
  product-told: {{keyspace: {KEYSPACE}, indicator: propagation-claimed, max_staleness: 1s, \
target: 99%, window: 28d}}
  product-not-stuck: {{keyspace: {KEYSPACE}, indicator: stale-key-seconds, target: 99.5%, \
window: 28d}}
rules:
  edge-stale: {{kind: staleness, layer: edge, {rule}}}
  regional-stale: {{kind: staleness, layer: regional, {rule}}}
  app-stale: {{kind: staleness, layer: app, {rule}}}
channels:
  inbox: {{kind: mail, smtp: "{HOST}:{mail_port}", tls: none, from: stalewatch@shop.example, \
to: [oncall@shop.example], group: {{wait: 0s, interval: 5s}}}}
"""


def _config(
    lab_dir: Path, topology: Topology, token_file: Path, listen: str, replicas: _Replicas
) -> str:
    return f"""\
# A shop on this machine: edge HTTP caches over application servers over a Redis a region.
server:
  listen: {_quoted(listen)}
  otlp: {{listen: "{HOST}:{topology.traces_port}"}}
store: {{engine: sqlite, path: {_quoted(str(lab_dir / "stalewatch.db"))}}}
origins:
  shop:
    kind: http
    url: "http://{HOST}:{topology.origin_port}"
    linearizable: true
    limit: 50/s
    batch: {{keys: {PRODUCTS}}}
layers:
  edge:
    kind: http
    fills_from: [app]
    mechanism: purge
    placement: all
    max_staleness: 300ms
    documented_ttl: {TTL_S["edge"]:g}s
    single_tier: true
    nodes:
{_nodes(topology.of("edge"))}
    connections: 20
    request: {{host: shop.example, only_cached: true, served_by: X-Served-By}}
    limit: 200/s
  regional:
    kind: redis{replicas.fills_regional}
    mechanism: purge
    placement: all
    max_staleness: 300ms
    documented_ttl: {TTL_S["regional"]:g}s
    nodes:
{_nodes(topology.of("regional"))}
    limit: 200/s
  app:
    kind: inprocess
    fills_from: {replicas.fills_app}
    mechanism: purge
    placement: all
    max_staleness: 300ms
    documented_ttl: {TTL_S["app"]:g}s
    nodes:
{_nodes(topology.of("app"))}
    auth: {{token: {{file: {_quoted(str(token_file))}}}}}
    limit: 200/s{replicas.layer}{_shard_layer(topology)}
keyspaces:
  {KEYSPACE}:
    owner: team-catalogue
    origin: {{name: shop, path: "/products?ids={{keys}}", items: $.items, key: $.id, \
version: {{json: $.version}}, {PROJECTION}}}
    version: {{type: integer, order: counter}}
    layers:
      edge: {{key: "/products/{{key}}", version: {{header: X-Version}}, {PROJECTION}}}
      regional: {{key: "product:{{key}}", version: {{json: $.version}}, {PROJECTION}}}
      app: {{key: "{{key}}"}}{replicas.addressing}{_shard_entry(topology)}
    keys: {{range: {{from: 1, to: {PRODUCTS}}}}}
    sample: {{interval: 1s, size: {PRODUCTS}, recent: 0%, random: 100%}}
"""


def _replicas(topology: Topology) -> _Replicas:
    """Replicas as a layer that the caches are filled from.

    Nobody is promised a fresh replica: that one lags is no finding, and says why a cache is stale.
    """
    layer = f"""
  replica:
    kind: http
    replica: true
    mechanism: ttl
    placement: all
    max_staleness: {REPLICA_LAG}
    nodes:
{_nodes(topology.replicas)}
    limit: 200/s"""
    addressing = f"""
      replica: {{key: "/products/{{key}}", version: {{json: $.version}}, {PROJECTION}}}"""
    return _Replicas(layer, addressing, "\n    fills_from: [replica]", "[regional, replica]")


def _shard_layer(topology: Topology) -> str:
    """Redis nodes over which a ring spreads the keys; nothing where there are none."""
    if not topology.of(SHARD):
        return ""
    return f"""
  {SHARD}:
    kind: redis
    mechanism: purge
    placement: ring
    ring: {{hash: ketama}}
    max_staleness: 300ms
    documented_ttl: {TTL_S[SHARD]:g}s
    nodes:
{_nodes(topology.of(SHARD))}
    limit: 200/s"""


def _shard_entry(topology: Topology) -> str:
    if not topology.of(SHARD):
        return ""
    return f"""
      {SHARD}: {{key: "product:{{key}}", version: {{json: $.version}}, {PROJECTION}}}"""


def _nodes(nodes: Iterable[NodeAddress]) -> str:
    return "\n".join(
        f'      - {{static: "{node.target}", name: {node.name}, region: {node.region}}}'
        for node in nodes
    )


def _quoted(text: str) -> str:
    return json.dumps(text)  # a JSON string is a YAML one
