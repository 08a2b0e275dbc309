"""The source of truth: one table of products, written here and read by all over HTTP."""

import json
import random
import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from typing import Final

from lab.catalogue import PRODUCTS, Product
from lab.http_service import Handler, Reply, Request
from lab.replica import History, Replica
from lab.truth import TruthLog

Read = Callable[[Sequence[str]], list[Product]]
MAX_IDS: Final = 1000
_ADJECTIVES = ("Plain", "Tall", "Quiet", "Bright", "Folding", "Heavy", "Round", "Soft")
_NOUNS = ("lamp", "chair", "kettle", "table", "blanket", "clock", "shelf", "mirror")


class Origin:
    """Linearizable: one connection, and a write is committed before `write` returns."""

    def __init__(
        self, lab_dir: Path, truth: TruthLog, seed: int, regions: Sequence[str] = ()
    ) -> None:
        self._truth = truth
        self._history = History()
        self._replicas = {region: Replica(self._history) for region in regions}
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
            self._committed(product, now_ns, time.time_ns())

    def write(self, key: str, price: int) -> tuple[int, int]:
        """Commits a new version of `key`; returns it and the commit's instant (Unix ns)."""
        started_ns = time.time_ns()
        row = self._database.execute(
            "UPDATE product SET version = version + 1, price = ? WHERE id = ?"
            " RETURNING id, version, name, price",
            (price, key),
        ).fetchone()
        committed_ns = time.time_ns()
        product = Product(*row)
        self._committed(product, started_ns, committed_ns)
        return product.version, committed_ns

    def read(self, keys: Sequence[str]) -> list[Product]:
        """The current values of those of `keys` that exist, by one query."""
        rows = self._database.execute(
            "SELECT id, version, name, price FROM product"
            " WHERE id IN (SELECT value FROM json_each(?))",
            (json.dumps(list(keys)),),
        )
        return [Product(*row) for row in rows]

    def replica(self, region: str) -> Replica:
        """The region's follower, which is never behind unless a fault stalls it."""
        return self._replicas[region]

    def close(self) -> None:
        """Closes the database."""
        self._database.close()

    async def answer(self, request: Request) -> Reply:
        """`GET /products?ids=1,2`, `GET /products/1`, and both below `/replicas/{region}`."""
        if request.method not in {"GET", "HEAD"}:
            return Reply(HTTPStatus.METHOD_NOT_ALLOWED)
        match request.path.split("/"):
            case ["", *place, "products"]:
                ids = (request.first("ids") or "").split(",")
            case ["", *place, "products", key]:
                return self._one(self._reader(place), key)
            case _:
                return Reply(HTTPStatus.NOT_FOUND)
        read = self._reader(place)
        if read is None:
            return Reply(HTTPStatus.NOT_FOUND)
        if len(ids) > MAX_IDS:
            return Reply(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        items = b",".join(product.encode() for product in read(ids))
        return Reply(HTTPStatus.OK, b'{"items":[' + items + b"]}")

    def answer_as(self, region: str) -> Handler:
        """What the region's replica answers at an address of its own."""

        async def answer(request: Request) -> Reply:
            return await self.answer(replace(request, path=f"/replicas/{region}{request.path}"))

        return answer

    def _reader(self, place: Sequence[str]) -> Read | None:
        match place:
            case []:
                return self.read
            case ["replicas", region] if region in self._replicas:
                return self.replica(region).read
        return None

    @staticmethod
    def _one(read: Read | None, key: str) -> Reply:
        found = read([key]) if read is not None else []
        return Reply(HTTPStatus.OK, found[0].encode()) if found else Reply(HTTPStatus.NOT_FOUND)

    def _committed(self, product: Product, started_ns: int, ended_ns: int) -> None:
        self._history.add(product, ended_ns)
        self._truth.committed(
            product.id, product.version, started_ns, ended_ns, price=product.price
        )


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
