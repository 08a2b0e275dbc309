"""The source of truth: one table of products, written here and read by all over HTTP."""

import json
import random
import sqlite3
import time
from collections.abc import Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Final

from lab.catalogue import PRODUCTS, Product
from lab.http_service import Reply, Request
from lab.truth import TruthLog

MAX_IDS: Final = 1000
_ADJECTIVES = ("Plain", "Tall", "Quiet", "Bright", "Folding", "Heavy", "Round", "Soft")
_NOUNS = ("lamp", "chair", "kettle", "table", "blanket", "clock", "shelf", "mirror")


class Origin:
    """Linearizable: one connection, and a write is committed before `write` returns."""

    def __init__(self, lab_dir: Path, truth: TruthLog, seed: int) -> None:
        self._truth = truth
        self._database = sqlite3.connect(lab_dir / "origin.db", isolation_level=None)
        # Nothing here must outlive the machine, and an fsync a write would stall the event loop.
        self._database.executescript(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; DROP TABLE IF EXISTS product;"
            "CREATE TABLE product (id TEXT PRIMARY KEY, version INTEGER NOT NULL,"
            " name TEXT NOT NULL, price INTEGER NOT NULL) STRICT;"
        )
        for product in _stock(random.Random(f"{seed}:stock")):
            now_ns = time.time_ns()
            self._database.execute(
                "INSERT INTO product VALUES (?, ?, ?, ?)",
                (product.id, product.version, product.name, product.price),
            )
            truth.committed(product.id, product.version, now_ns, time.time_ns())

    def write(self, key: str, price: int) -> tuple[int, int]:
        """Commits a new version of `key`; returns it and the commit's instant (Unix ns)."""
        started_ns = time.time_ns()
        (version,) = self._database.execute(
            "UPDATE product SET version = version + 1, price = ? WHERE id = ? RETURNING version",
            (price, key),
        ).fetchone()
        committed_ns = time.time_ns()
        self._truth.committed(key, version, started_ns, committed_ns)
        return version, committed_ns

    def read(self, keys: Sequence[str]) -> list[Product]:
        """The current values of those of `keys` that exist, by one query."""
        rows = self._database.execute(
            "SELECT id, version, name, price FROM product"
            " WHERE id IN (SELECT value FROM json_each(?))",
            (json.dumps(list(keys)),),
        )
        return [Product(*row) for row in rows]

    def close(self) -> None:
        """Closes the database."""
        self._database.close()

    async def answer(self, request: Request) -> Reply:
        """`GET /products?ids=1,2` and `GET /products/1`."""
        if request.method not in {"GET", "HEAD"}:
            return Reply(HTTPStatus.METHOD_NOT_ALLOWED)
        if request.path == "/products":
            ids = (request.first("ids") or "").split(",")
            if len(ids) > MAX_IDS:
                return Reply(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            items = b",".join(product.encode() for product in self.read(ids))
            return Reply(HTTPStatus.OK, b'{"items":[' + items + b"]}")
        collection, _, key = request.path.removeprefix("/").partition("/")
        found = self.read([key]) if collection == "products" else []
        return Reply(HTTPStatus.OK, found[0].encode()) if found else Reply(HTTPStatus.NOT_FOUND)


def _stock(rng: random.Random) -> list[Product]:
    return [
        Product(
            id=str(number),
            version=1,
            name=f"{rng.choice(_ADJECTIVES)} {rng.choice(_NOUNS)}",
            price=rng.randrange(500, 20_000),
        )
        for number in range(1, PRODUCTS + 1)
    ]
