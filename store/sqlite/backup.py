"""A copy of the whole file while it is in use."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from store.base import StoreError
from store.sqlite.connections import Connections
from store.sqlite.errors import told_as_store_error


def copy_database(connections: Connections, path: str) -> None:
    """Copy to a new file, which appears under its name only once it is whole and on disk.

    Reads one snapshot in one step, so writers go on, and do not make it start again.
    Raises StoreError where `path` exists.
    """
    part = Path(f"{path}.part")
    with told_as_store_error(path):
        try:
            # Reserves the name: nobody's file is ever replaced.
            Path(path).touch(exist_ok=False)
        except FileExistsError as error:
            raise StoreError(f"{path}: the file exists; choose another name") from error
        try:
            with connections.reader() as source:
                _copy(source, part)
            part.replace(path)
            _sync(Path(path).absolute().parent)
        except BaseException:
            Path(path).unlink(missing_ok=True)
            raise


def _copy(source: sqlite3.Connection, part: Path) -> None:
    part.unlink(missing_ok=True)  # of an attempt that was killed
    with closing(sqlite3.connect(part)) as target:
        source.backup(target)
        # The copy stands alone: without a log beside it, one file is the whole backup.
        target.execute("PRAGMA journal_mode = DELETE")
    _sync(part)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
