"""A config that is right is read whole."""

from pathlib import Path

from collectors.base import VersionType
from collectors.http import HttpBinding
from collectors.redis_server import RedisOptions
from freshness.model import Order
from stalewatch.config import load
from tests.stalewatch.config.configs import GOOD, bent, written

ROOT = Path(__file__).parents[3]


def test_a_file_becomes_settings_of_each_kind(tmp_path: Path) -> None:
    config = load(written(tmp_path, GOOD))
    product = config.keyspaces["product"]
    assert isinstance(config.layers["regional"], RedisOptions)
    assert isinstance(product.layers["edge"], HttpBinding)
    assert product.origin.name == "shop"
    assert (product.version.type, product.version.order) == (VersionType.INTEGER, Order.COUNTER)
    assert config.layers["edge"].max_staleness.ns == 300_000_000


def test_paths_stand_beside_the_file(tmp_path: Path) -> None:
    assert load(written(tmp_path, GOOD)).store.path == tmp_path / "stalewatch.db"
    other = load(written(tmp_path, "store: {path: /else/where.db}\n" + GOOD))
    assert other.store.path == Path("/else/where.db")


def test_numbers_serve_as_keys(tmp_path: Path) -> None:
    config = load(written(tmp_path, bent("{range: {from: 1, to: 100}}", "{list: [1, a, '2']}")))
    assert config.keyspaces["product"].keys.keys == ("1", "a", "2")


def test_without_a_version_values_are_compared_by_projection(tmp_path: Path) -> None:
    text = bent("    version: {type: integer, order: counter}\n", "")
    text = text.replace("version: {json: $.version}", "projection: [$.price]")
    text = text.replace("version: {header: X-Version}", "projection: [$.price]")
    assert load(written(tmp_path, text)).keyspaces["product"].version.order is Order.OPAQUE


def test_an_external_url_is_an_origin_and_a_path(tmp_path: Path) -> None:
    listen = 'server: {listen: "127.0.0.1:8080"}'
    text = bent(listen, "server: {external_url: https://Ops.test/stale/watch}")
    url = load(written(tmp_path, text)).server.external_url
    assert url is not None
    assert (url.origin, url.path) == ("https://ops.test", "/stale/watch/")


def test_the_template_and_the_example_are_right() -> None:
    load(ROOT / "stalewatch" / "config" / "template.yaml", with_sources=False)
    load(ROOT / "examples" / "stalewatch.yaml", with_sources=False)
