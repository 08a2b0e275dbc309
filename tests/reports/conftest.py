"""The generated month, seeded once and copied for each test that writes."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from store.base import Store
from store.sqlite import SqliteStore
from tests.reports.month import seed_month


@pytest.fixture(scope="session")
def month_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a store with the month."""
    folder = tmp_path_factory.mktemp("month")
    with closing(SqliteStore(str(folder / "seeded.db"))) as store:
        seed_month(store)
        store.backup(str(folder / "month.db"))
    return folder / "month.db"


@pytest.fixture
def month(month_file: Path, tmp_path: Path) -> Iterator[Store]:
    """The month in a store of one's own."""
    path = tmp_path / "sw.db"
    path.write_bytes(month_file.read_bytes())
    with closing(SqliteStore(str(path))) as store:
        yield store


@pytest.fixture(scope="module")
def read_month(month_file: Path) -> Iterator[Store]:
    """The same for tests that only read."""
    with closing(SqliteStore(str(month_file))) as store:
        yield store
