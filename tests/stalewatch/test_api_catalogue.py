"""The catalogue and config drift over a real server and store."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from store.sqlite import SqliteStore
from tests.dashboard.seed import HOUR, SECOND, seed
from tests.dashboard.seed_catalogue import seed_catalogue
from tests.stalewatch.serving import NOW, Visitor, make_app, served

API = "/api/v1"
PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text()


@pytest.fixture(scope="module")
def visitor() -> Iterator[Visitor]:
    store = SqliteStore()
    seed(store, NOW)
    seed_catalogue(store, NOW)
    with served(make_app(store)) as port:
        yield Visitor(port)
    store.close()


def items(visitor: Visitor, path: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = visitor.json(f"{API}/{path}")["items"]
    return found


def test_what_is_documented_with_its_promise_end_to_end(visitor: Visitor) -> None:
    found = {(each["section"], each["name"]): each for each in items(visitor, "catalogue")}
    assert [*found] == [
        ("layer", "edge"),
        ("layer", "in-process"),
        ("layer", "regional"),
        ("keyspace", "product"),
    ]
    regional = found["layer", "regional"]
    assert regional["documented"]["max_staleness_ns"] == 2 * SECOND
    assert regional["since_ns"] == NOW - 26 * HOUR
    assert found["layer", "in-process"]["end_to_end"] == {
        "kept": "exceeded",
        "max_staleness_ns": 10 * SECOND,
        "adds_up_ns": 30 * SECOND,
        "parts": [{"layer": "in-process", "ns": 30 * SECOND, "is_lifetime": True}],
    }
    assert "end_to_end" not in found["keyspace", "product"]


def test_what_changed_is_told_value_by_value(visitor: Visitor) -> None:
    newest, *older = items(visitor, "catalogue/history?section=layer&name=regional")
    assert newest["changes"][-1] == {
        "path": "max_staleness_ns",
        "before": 5 * SECOND,
        "after": 2 * SECOND,
    }
    assert len(older) == 1
    assert len(items(visitor, "catalogue/history?limit=3")) == 3


def test_drift_is_told_with_its_evidence_and_filtered(visitor: Visitor) -> None:
    drifts = [each for each in items(visitor, "config-drift") if each["standing"] == "drifts"]
    ttl = next(each for each in drifts if each["kind"] == "ttl")
    assert (ttl["node"], ttl["reason"], ttl["is_proof"]) == ("redis-us", "longer", True)
    assert ttl["figures"]["longest_ns"] == 86_000 * SECOND
    assert len(ttl["examples"]) == 1
    only = items(visitor, "config-drift?layer=regional&node=redis-us")
    assert {each["node"] for each in only} == {"redis-us", None}
    assert {each["layer"] for each in only} == {"regional"}


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        ("catalogue?layer=edge", "layer"),
        ("catalogue/history?section=layer", "name"),
        ("catalogue/history?name=edge", "section"),
        ("catalogue/history?section=node&name=a", "section"),
        ("catalogue/history?limit=0", "limit"),
        ("config-drift?window=1s", "window"),
    ],
)
def test_a_bad_parameter_is_named(visitor: Visitor, path: str, parameter: str) -> None:
    answer = visitor.get(f"{API}/{path}")
    assert answer.status_code == 400
    assert [each["parameter"] for each in answer.json()["errors"]] == [parameter]


def test_every_field_is_documented(visitor: Visitor) -> None:
    words = set(re.findall(r"`([a-z_]+)`", PAGE))
    for path in ("catalogue", "catalogue/history", "config-drift"):
        for item in items(visitor, path):
            assert item.keys() <= words, item.keys() - words
