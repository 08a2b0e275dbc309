"""Each part answers over the network as its kind does."""

import time
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from lab.catalogue import Product
from lab.layers.copies import Copies
from lab.start import Lab
from lab.truth import TruthLog
from tests.lab.reading import Reader
from tests.servers import wait_until

DOCUMENT = Path(__file__).parents[2] / "docs" / "inprocess-cache.openapi.yaml"


@pytest.fixture
def filled_key(reader: Reader) -> str:
    """A key that every node of the region `eu` holds."""

    def find() -> list[str]:
        keys = [str(number) for number in range(1, 61)]
        entries = reader.app("eu-app-1", keys).json()["entries"]
        apps = [entry["key"] for entry in entries if entry["state"] == "hit"]
        return [
            key
            for key in apps
            if reader.held("edge", "eu-edge-1", key) and reader.held("regional", "eu-redis-1", key)
        ]

    wait_until(find, "a key held everywhere")
    return find()[0]


def test_an_edge_hit_says_so(reader: Reader, filled_key: str) -> None:
    reader.http.get(f"{reader.url('eu-edge-1')}/products/{filled_key}")
    answer = reader.edge("eu-edge-1", filled_key, Host="shop.example")
    assert answer.status_code == 200
    headers = answer.headers
    assert headers["x-version"] == str(answer.json()["version"])
    assert headers["etag"] == f'"v{headers["x-version"]}"'
    assert (headers["x-cache"], headers["x-served-by"]) == ("HIT", "eu-edge-1")
    assert headers["cache-status"].startswith("eu-edge-1; hit; ttl=")
    assert 0 <= int(headers["age"]) <= 120


def test_an_edge_miss_is_not_filled_by_only_if_cached(reader: Reader) -> None:
    for _ in range(2):
        answer = reader.edge("eu-edge-1", "no-such-product")
        assert (answer.status_code, answer.headers["x-cache"]) == (504, "MISS")
    url = f"{reader.url('eu-edge-1')}/products/no-such-product"
    assert reader.http.get(url).status_code == 404


def test_an_edge_node_takes_a_purge(reader: Reader, filled_key: str) -> None:
    url = f"{reader.url('us-edge-1')}/products/{filled_key}"
    assert reader.http.request("PURGE", url).status_code == 200
    answer = reader.http.get(url)
    assert answer.headers["x-served-by"] == "us-edge-1"
    assert reader.http.request("DELETE", url).status_code == 405


def test_redis_holds_json_with_a_lifetime(reader: Reader, filled_key: str) -> None:
    wait_until(lambda: reader.held("regional", "eu-redis-1", filled_key), "a copy")
    assert -2 <= int(str(reader.redis("eu-redis-1").pttl(f"product:{filled_key}"))) <= 120_000


def test_an_app_node_answers_the_contract(reader: Reader, filled_key: str) -> None:
    answer = reader.app("eu-app-1", ["no-such-product", filled_key]).json()
    assert answer["node"] == "eu-app-1"
    assert [entry["key"] for entry in answer["entries"]] == ["no-such-product", filled_key]
    url = reader.url("eu-app-1")
    info = reader.http.get(f"{url}/cache/v1/info", headers=reader.bearer).json()
    assert (info["instance"], info["keyspaces"]) == (answer["instance"], ["product"])
    assert reader.http.get(f"{url}/cache/v1/info").status_code == 401


def test_the_contract_is_kept_for_any_request(reader: Reader) -> None:
    schema = schemathesis.openapi.from_path(str(DOCUMENT))
    url = reader.url("eu-app-1")
    checks = [
        not_a_server_error,
        status_code_conformance,
        content_type_conformance,
        response_schema_conformance,
    ]
    for path, method in (("/cache/v1/read", "POST"), ("/cache/v1/info", "GET")):

        @given(case=schema[path][method].as_strategy())
        @settings(max_examples=25, suppress_health_check=list(HealthCheck))
        def ask(case: schemathesis.Case[Any]) -> None:
            case.call_and_validate(base_url=url, headers=reader.bearer, checks=checks)

        ask()


def test_a_probe_leaves_no_trace_in_the_counters(tmp_path: Path) -> None:
    copies = Copies(("app", "eu-app-1"), 60.0, TruthLog(tmp_path, "one"))
    copies.put(Product("7", 1, "Plain lamp", 500))
    copies.peek("7")
    copies.peek("8")
    assert (copies.hits, copies.misses) == (0, 0)
    copies.get("7")
    copies.get("8")
    assert (copies.hits, copies.misses) == (1, 1)


def test_the_origin_reads_many_keys_at_once(reader: Reader) -> None:
    assert set(reader.latest("1", "60", "61")) == {"1", "60"}
    origin = reader.config["origins"]["shop"]["url"]
    assert reader.http.get(f"{origin}/products/1").json()["id"] == "1"
    assert reader.http.get(f"{origin}/products/61").status_code == 404
    assert reader.http.post(f"{origin}/products/1").status_code == 405
    assert reader.http.get(f"{origin}/replicas/eu/products/1").json()["id"] == "1"
    for nowhere in ("replicas/mars/products", "replicas/mars/products/1", "products/1/price"):
        assert reader.http.get(f"{origin}/{nowhere}").status_code == 404


def test_the_config_names_every_node(quiet_lab: Lab, reader: Reader) -> None:
    named = {
        (layer, node["name"], node["region"], node["static"])
        for layer, described in reader.config["layers"].items()
        for node in described["nodes"]
    }
    told = {(n["layer"], n["name"], n["region"], n["address"]) for n in quiet_lab.nodes}
    assert named == told
    assert len(named) == 8
    assert reader.config["server"]["listen"] == "127.0.0.1:8080"
    assert reader.config["server"]["otlp"]["listen"].startswith("127.0.0.1:")


def test_the_lab_is_of_one_machine_alone(quiet_lab: Lab) -> None:
    assert {node["address"].split(":")[0] for node in quiet_lab.nodes} == {"127.0.0.1"}
    assert quiet_lab.truth().until_s <= time.time()
