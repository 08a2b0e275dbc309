"""What the shop sells, and where its parts listen."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

KEYSPACE: Final = "product"
PRODUCTS: Final = 60
CHANNEL: Final = "invalidations"
HOST: Final = "127.0.0.1"
TTL_S: Final[Mapping[str, float]] = {"edge": 120.0, "regional": 120.0, "app": 60.0, "shard": 120.0}
SHARD: Final = "shard"
"""The layer whose keys a ring spreads over its nodes, where there is one."""


@dataclass(frozen=True, slots=True)
class Product:
    """One value of a key. `version` counts up by one from 1."""

    id: str
    version: int
    name: str
    price: int
    """In cents."""

    def encode(self) -> bytes:
        """The JSON object that every layer carries."""
        return json.dumps(asdict(self), separators=(",", ":")).encode()

    def projection(self) -> str:
        """The digest of name and price: docs/collectors/projection.md."""
        # Plain ASCII and whole numbers: this is their canonical JSON (RFC 8785), too.
        content = json.dumps([self.name, self.price], separators=(",", ":"))
        return hashlib.blake2b(content.encode(), digest_size=16).hexdigest()


def product_from(document: Mapping[str, Any]) -> Product:
    """The product in a decoded JSON object. Raises KeyError."""
    return Product(document["id"], document["version"], document["name"], document["price"])


@dataclass(frozen=True, slots=True)
class NodeAddress:
    """One cache node: where it listens and what it is called in config and truth."""

    layer: str
    name: str
    region: str
    port: int

    @property
    def target(self) -> str:
        """`host:port`."""
        return f"{HOST}:{self.port}"


@dataclass(frozen=True, slots=True)
class Topology:
    """Every address of one running lab."""

    origin_port: int
    bus_port: int
    nodes: tuple[NodeAddress, ...]
    traces_port: int
    """Where the server is to take traces."""
    replicas: tuple[NodeAddress, ...] = ()
    """The followers of the origin, one a region; no fault strikes them as a node."""

    def of(self, layer: str, region: str | None = None) -> tuple[NodeAddress, ...]:
        """The nodes of a layer, in one region or in all."""
        return tuple(
            node for node in self.nodes if node.layer == layer and region in {None, node.region}
        )
