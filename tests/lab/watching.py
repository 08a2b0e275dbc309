"""Watches nodes from outside while faults act on them: each copy, as often as it can be read."""

import contextlib
import json
import re
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx2
import redis

from collectors.projection import digest
from lab.catalogue import PRODUCTS
from lab.start import Lab
from tests.lab.reading import Reader

EVERY_S = 0.2
KEYS = [str(number) for number in range(1, PRODUCTS + 1)]


@dataclass(frozen=True, slots=True)
class Seen:
    """What one read of one copy showed; `version` None is a miss."""

    start_s: float
    end_s: float
    version: int | None
    projection: str | None = None
    age_s: float | None = None
    ttl_s: float | None = None
    """None where the copy does not say that it expires."""


class Watch:
    """Reads every node and the origin over their ports until it is told to stop."""

    def __init__(self, lab: Lab, edge_keys: Mapping[str, set[str]]) -> None:
        self._lab = lab
        self._edge_keys = edge_keys
        self._stopped = threading.Event()
        self._seen: dict[tuple[str, str], list[Seen]] = {}

    def of(self, node: str, key: str, start_s: float, end_s: float) -> Sequence[Seen]:
        """The reads that lie between two instants, oldest first."""
        seen = self._seen.get((node, key), [])
        return [each for each in seen if start_s <= each.start_s and each.end_s <= end_s]

    def all(self) -> Iterator[tuple[str, str, Seen]]:
        for (node, key), seen in self._seen.items():
            for each in seen:
                yield node, key, each

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        places = [(node["layer"], node["name"]) for node in self._lab.nodes]
        places += [("origin", "shop"), *_replicas(self._lab)]
        threads = [threading.Thread(target=self._run, args=place) for place in places]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stopped.set()
            for thread in threads:
                thread.join()

    def _run(self, layer: str, node: str) -> None:
        with Reader(self._lab) as reader:
            while not self._stopped.wait(EVERY_S):
                with contextlib.suppress(httpx2.HTTPError, redis.RedisError):
                    self._look(reader, layer, node)

    def _look(self, reader: Reader, layer: str, node: str) -> None:
        if layer == "edge":
            for key in sorted(self._edge_keys.get(node, ())):
                start_s = time.time()
                shown = _of_edge(reader, node, key)
                self._note(node, key, Seen(start_s, time.time(), **shown))
            return
        start_s = time.time()
        shown_of = {"app": _of_app, "regional": _of_regional, "origin": _of_origin}[layer]
        entries = shown_of(reader, node)
        end_s = time.time()
        for key, shown in entries.items():
            self._note(node, key, Seen(start_s, end_s, **shown))

    def _note(self, node: str, key: str, seen: Seen) -> None:
        self._seen.setdefault((node, key), []).append(seen)


def _of_edge(reader: Reader, node: str, key: str) -> dict[str, Any]:
    answer = reader.edge(node, key)
    if answer.status_code != 200:
        return {"version": None}
    ttl = re.search(r"ttl=(\d+)", answer.headers["cache-status"])
    return {
        "version": int(answer.headers["x-version"]),
        "projection": _projection(answer.json()),
        "age_s": float(answer.headers["age"]),
        "ttl_s": None if ttl is None else float(ttl[1]),
    }


def _of_app(reader: Reader, node: str) -> Mapping[str, dict[str, Any]]:
    known = ("version", "projection", "age_s", "ttl_s")
    return {
        entry["key"]: {"version": None} | {name: entry[name] for name in known if name in entry}
        for entry in reader.app(node, KEYS).json()["entries"]
    }


def _of_regional(reader: Reader, node: str) -> Mapping[str, dict[str, Any]]:
    pipeline = reader.redis(node).pipeline()
    for key in KEYS:
        pipeline.get(f"product:{key}")
        pipeline.pttl(f"product:{key}")
    replies: list[Any] = pipeline.execute()
    return {
        key: _of_value(value, ttl_ms)
        for key, value, ttl_ms in zip(KEYS, replies[::2], replies[1::2], strict=True)
    }


def _of_value(value: bytes | None, ttl_ms: int) -> dict[str, Any]:
    if value is None:
        return {"version": None}
    product = json.loads(value)
    ttl_s = None if ttl_ms < 0 else ttl_ms / 1000
    return {"version": product["version"], "projection": _projection(product), "ttl_s": ttl_s}


def _replicas(lab: Lab) -> list[tuple[str, str]]:
    return [("origin", f"replicas/{region}") for region in {n["region"] for n in lab.nodes}]


def _of_origin(reader: Reader, place: str) -> Mapping[str, dict[str, Any]]:
    origin = reader.config["origins"]["shop"]["url"] + ("" if place == "shop" else f"/{place}")
    items = reader.http.get(f"{origin}/products?ids={','.join(KEYS)}").json()["items"]
    return {
        item["id"]: {"version": item["version"], "projection": _projection(item)} for item in items
    }


def _projection(product: Mapping[str, Any]) -> str:
    return digest([product["name"], product["price"]])
