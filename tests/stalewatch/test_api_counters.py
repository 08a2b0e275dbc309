"""What nodes count, over a real server and store: others apart from our own reads, and unknown."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stalewatch.api.items import time_text
from store.counters import CounterRow
from store.sqlite import SqliteStore
from tests.stalewatch.serving import Visitor, make_app, served
from tests.store.rows import S

API = "/api/v1/counters"
PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
NOW = 100 * 3_600 * S


def minute(back: int, **changes: Any) -> CounterRow:
    """A minute of regional/r1: 90 of 100 lookups hit, 40 of the hits were ours."""
    start_s = NOW // S - 60 * back
    row: dict[str, Any] = {
        "start_s": start_s, "layer": "regional", "node": "r1", "source": "node",
        "covered_ns": 60 * S, "answered": 4, "hits": 90, "misses": 10, "own_hits": (40, 40, 41),
        "evictions": 3, "requests": 200, "request_us": 1_000, "memory_bytes": 7,
        "last_at_ns": start_s * S + 50 * S,
    }  # fmt: skip
    return CounterRow(**{**row, **changes})


@pytest.fixture
def visitor() -> Iterator[Visitor]:
    store = SqliteStore()
    store.write_counters([minute(back) for back in (1, 2, 59, 600)])
    store.write_counters([
        minute(1, node="r2", hits=None, misses=None, evictions=None, requests=None),
        minute(1, layer="edge", node="e1", source="prometheus:main", why="timed out"),
    ])  # fmt: skip
    with served(make_app(store, now_ns=lambda: NOW)) as port:
        yield Visitor(port)
    store.close()


def test_the_last_hour_is_told_by_node_and_minute(visitor: Visitor) -> None:
    found = visitor.json(API)
    assert found["bucket_s"] == 60
    edge, first, second = found["items"]
    assert (edge["node"], edge["source"], edge["why"]) == ("e1", "prometheus:main", "timed out")
    assert (first["node"], first["covered_ns"], len(first["buckets"])) == ("r1", 180 * S, 3)
    assert (first["hits"], first["misses"]) == ([147, 150, 150], [30, 30, 30])
    assert first["counted"] == {"hits": 270, "misses": 30}
    assert first["own"] == {"hits": [120, 120, 123], "misses": [0, 0, 0]}
    rate = first["hit_rate"]
    assert (rate["share"], rate["lookups"]) == (pytest.approx(150 / 180), 180)
    assert rate["bounds"] == [pytest.approx(147 / 177), pytest.approx(150 / 180)]
    assert first["mean_request_s"] == pytest.approx(5e-6)
    assert first["buckets"][0]["start_at_ns"] == NOW - 59 * 60 * S
    assert second["hit_rate"] is second["hits"] is second["evictions"] is None
    assert second["mean_request_s"] is None


def test_counters_are_filtered_and_a_long_window_is_told_by_hours(visitor: Visitor) -> None:
    assert len(visitor.json(f"{API}?layer=regional")["items"]) == 2
    assert visitor.json(f"{API}?node=none")["items"] == []
    since, until = (time_text(NOW - hours * 3_600 * S) for hours in (12, 0))
    found = visitor.json(f"{API}?since={since}&until={until}&node=r1")
    assert found["bucket_s"] == 3_600
    [node] = found["items"]
    assert [bucket["counted"]["hits"] for bucket in node["buckets"]] == [90, 270]


def test_the_page_names_every_field(visitor: Visitor) -> None:
    told = set(re.findall(r"`(\w+)`", PAGE))
    assert set(_fields(visitor.json(API))) - told == set()


def _fields(found: Any) -> Iterator[str]:
    if isinstance(found, dict):
        yield from found
    for each in found.values() if isinstance(found, dict) else found:
        if isinstance(each, dict | list):
            yield from _fields(each)
