"""A config that is right, to be bent by tests."""

from pathlib import Path

GOOD = """\
server: {listen: "127.0.0.1:8080"}
origins:
  shop: {kind: http, url: "http://shop.test"}
layers:
  edge:
    kind: http
    mechanism: purge
    max_staleness: 300ms
    nodes: [{static: "127.0.0.1:5", name: e1, region: eu}]
  regional:
    kind: redis
    mechanism: versioned
    max_staleness: 2s
    nodes: [{static: ["127.0.0.1:6", "127.0.0.1:7"]}]
keyspaces:
  product:
    origin: {name: shop, path: "/products?ids={keys}", version: {json: $.version}}
    version: {type: integer, order: counter}
    layers:
      edge: {key: "/products/{key}", version: {header: X-Version}}
      regional: {key: "product:{key}", version: {json: $.version}}
    keys: {range: {from: 1, to: 100}}
    sample: {interval: 1s}
"""


def bent(old: str, new: str) -> str:
    """The good config with one thing changed."""
    assert GOOD.count(old) == 1, f"{old!r} is not there exactly once"
    return GOOD.replace(old, new)


def written(folder: Path, text: str) -> Path:
    """The config as a file."""
    file = folder / "stalewatch.yaml"
    file.write_text(text, encoding="utf-8")
    return file
