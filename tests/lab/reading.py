"""Reads a lab as a probe does: by what the config says, over the network."""

import contextlib
import json
from collections.abc import Mapping
from typing import Any, Self

import httpx2
import redis
from ruamel.yaml import YAML

from lab.start import Lab
from tests.servers import NO_RETRY


class Reader(contextlib.ExitStack):
    """Versions held by nodes and by the origin."""

    def __init__(self, lab: Lab) -> None:
        super().__init__()
        self.config: dict[str, Any] = YAML(typ="safe").load(lab.config)
        token_file = self.config["layers"]["app"]["auth"]["token"]["file"]
        with open(token_file, encoding="ascii") as file:  # noqa: PTH123  # the config has a text
            self.bearer = {"Authorization": f"Bearer {file.read()}"}
        self.http = self.enter_context(httpx2.Client(timeout=10, trust_env=False))
        self._addresses = {node["name"]: node["address"] for node in lab.nodes}
        self._redis: dict[str, redis.Redis] = {}

    def __enter__(self) -> Self:
        return self

    def url(self, node: str) -> str:
        return f"http://{self._addresses[node]}"

    def redis(self, node: str) -> redis.Redis:
        if node not in self._redis:
            host, port = self._addresses[node].split(":")
            client = redis.Redis(host=host, port=int(port), retry=NO_RETRY)
            self._redis[node] = client
            self.callback(client.close)
        return self._redis[node]

    def edge(self, node: str, key: str, **headers: str) -> httpx2.Response:
        """What the edge node holds of the key."""
        asked = {"Cache-Control": "only-if-cached"} | headers
        return self.http.get(f"{self.url(node)}/products/{key}", headers=asked)

    def app(self, node: str, keys: list[str]) -> httpx2.Response:
        """What the application node holds of the keys."""
        body = {"keyspace": "product", "keys": keys}
        return self.http.post(f"{self.url(node)}/cache/v1/read", json=body, headers=self.bearer)

    def held(self, layer: str, node: str, key: str) -> int | None:
        """The version that a node holds."""
        match layer:
            case "edge":
                version = self.edge(node, key).headers.get("x-version")
                return None if version is None else int(version)
            case "regional":
                value: Any = self.redis(node).get(f"product:{key}")
                return None if value is None else int(json.loads(value)["version"])
        (entry,) = self.app(node, [key]).json()["entries"]
        return int(entry["version"]) if entry["state"] == "hit" else None

    def latest(self, *keys: str) -> Mapping[str, int]:
        """The origin's versions."""
        origin = self.config["origins"]["shop"]["url"]
        items = self.http.get(f"{origin}/products?ids={','.join(keys)}").json()["items"]
        return {item["id"]: item["version"] for item in items}

    def is_stale(self, layer: str, node: str, *keys: str) -> bool:
        """Whether a copy of one of the keys is proven stale: origin first, then the node."""
        latest = self.latest(*keys)
        held = {key: self.held(layer, node, key) for key in keys}
        return any(version is not None and version < latest[key] for key, version in held.items())
