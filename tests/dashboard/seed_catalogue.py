"""What is documented of the believable hour's layers, how it changed, and what was seen of it.

`python -m tests.dashboard.seed_catalogue FILE` writes it, and the hour, to a new file.
"""

import sys
import time
from typing import Any, Final

from freshness.ttl_sample import GRAIN_S, TtlCell, TtlKey
from store.base import Batch, Store
from store.catalogue_history import Document, Entry
from tests.dashboard.seed import HOUR, KEYSPACE, SECOND, seed
from tests.store.rows import receipt

TTL: Final = 600 * SECOND


def _layer(kind: str, mechanism: str, limit_s: int, **changes: Any) -> Document:
    limit = limit_s * SECOND
    return {
        "kind": kind,
        "owner": "team-edge",
        "mechanism": mechanism,
        "max_staleness_ns": limit,
        "accepts_ns": {"normal": limit, "partial-outage": 15 * limit, "high-load": 5 * limit},
        "documented_ttl_ns": None,
        "ttl_jitter_ns": 0,
        "placement": "all",
        "regions": ["eu", "us"],
        "fills_from": [],
        "replica": False,
        **changes,
    }


LAYERS: Final = {
    "edge": _layer("http", "purge", 5, fills_from=["regional"]),
    "in-process": _layer("inprocess", "ttl", 10, documented_ttl_ns=30 * SECOND, owner="team-shop"),
    "regional": _layer("redis", "versioned", 2, documented_ttl_ns=TTL, ttl_jitter_ns=30 * SECOND),
}
PRODUCT: Final[Document] = {
    "owner": "team-catalogue",
    "origin": "shop-db",
    "version": {"type": "integer", "order": "counter"},
    "addressing": {
        "edge": {"key": "/products/{key}", "version": {"header": "X-Version"}},
        "in-process": {"key": "product:{key}"},
        "regional": {"key": "product:{key}", "version": {"json": "$.version"}},
    },
}


def documents(**layers: Document) -> dict[Entry, Document]:
    """Everything documented, some layers otherwise."""
    named = {**LAYERS, **layers}
    return {
        **{Entry("layer", name): said for name, said in named.items()},
        Entry("keyspace", KEYSPACE): PRODUCT,
    }


def ttls(now: int, node: str, longest_s: float, n: int = 120) -> tuple[TtlKey, TtlCell]:
    """Entries of a regional node that had up to so long left, in the last ten minutes."""
    cell = TtlCell()
    for at in range(n):
        cell.add(f"sku-{1_000 + at}", longest_s * (at + 1) / n, now - (n - at) * 4 * SECOND)
    start = (now - 480 * SECOND) // SECOND // GRAIN_S * GRAIN_S
    return TtlKey(start, KEYSPACE, "regional", node), cell


def seed_catalogue(store: Store, now: int) -> None:
    """The hour's layers as documented, with a promise that changed, and what was found."""
    earlier = _layer("redis", "versioned", 5, documented_ttl_ns=TTL, ttl_jitter_ns=30 * SECOND)
    store.write_catalogue(documents(regional=earlier), now - 30 * HOUR)
    store.write_catalogue(documents(), now - 26 * HOUR)
    found = dict([ttls(now, "redis-eu", 612.0), ttls(now, "redis-us", 86_000.0)])
    store.write(Batch(ttls=found))
    heard = [
        receipt(n, node, layer=layer, at_ns=now - n * SECOND, received_at_ns=now - n * SECOND)
        for n in range(1, 41)
        for layer, node in (
            ("regional", "redis-eu"),
            ("edge", "edge-eu-1"),
            ("edge", "edge-eu-2"),
        )
    ]
    store.write_messages((), heard)


if __name__ == "__main__":
    from store.sqlite import SqliteStore

    written, at = SqliteStore(sys.argv[1]), time.time_ns()
    seed(written, at)
    seed_catalogue(written, at)
    written.close()
