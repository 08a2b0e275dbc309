"""A SQLite store in a file, and a way to look at the file beside it."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from store.base import Batch
from store.sqlite import SqliteStore
from tests.store.rows import CLOCK

Ask = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "sw.db")


@pytest.fixture
def store(path: str) -> Iterator[SqliteStore]:
    with closing(SqliteStore(path, app_version="1.2.3")) as store:
        store.write(Batch(clocks=[CLOCK]))
        yield store


@pytest.fixture
def ask(path: str) -> Ask:
    """Runs SQL on the file over a connection that is not the store's."""

    def ask(sql: str, **asked: object) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(path)) as connection, connection:
            return connection.execute(sql, asked).fetchall()

    return ask
