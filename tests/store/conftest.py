"""Stores of every engine, each empty."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import pytest

from store.base import Batch, Store
from store.retention import Retention
from store.sqlite import SqliteStore
from tests.store.rows import CLOCK


class OpenStore(Protocol):
    def __call__(self, retention: Retention | None = None) -> Store: ...


def _sqlite_file(tmp_path: Path) -> str:
    return str(tmp_path / "sw.db")


def _sqlite_memory(tmp_path: Path) -> str:
    return ":memory:"


@pytest.fixture(
    params=[
        pytest.param(_sqlite_file, id="SQLite file"),
        pytest.param(_sqlite_memory, id="SQLite in memory"),
    ]
)
def open_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OpenStore]:
    """Opens an empty store of each engine in turn, which knows one clock."""
    path: Callable[[Path], str] = request.param
    opened: list[Store] = []

    def open_one(retention: Retention | None = None) -> Store:
        store = SqliteStore(path(tmp_path), retention=retention)
        opened.append(store)
        store.write(Batch(clocks=[CLOCK]))
        return store

    yield open_one
    for store in opened:
        store.close()


@pytest.fixture
def store(open_store: OpenStore) -> Store:
    return open_store()
