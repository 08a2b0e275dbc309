"""What SQLite reports, said so that a person knows what to do."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from store.base import BatchError, StoreError

_ADVICE: Final = {
    sqlite3.SQLITE_FULL: "the disk is full; free some space, nothing was written",
    sqlite3.SQLITE_READONLY: "the file or its directory cannot be written; check owner and mode",
    sqlite3.SQLITE_BUSY: "another process holds the file locked; stop it or try again",
    sqlite3.SQLITE_LOCKED: "another connection holds a table locked; try again",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened; check that its directory exists, owner and mode",
    sqlite3.SQLITE_NOTADB: "it is not an SQLite database; choose another path",
    sqlite3.SQLITE_CORRUPT: "the file is damaged; restore a backup of it",
    sqlite3.SQLITE_IOERR: "the disk failed to read or write; check it and its space",
    sqlite3.SQLITE_CONSTRAINT: "the batch contradicts the store, so nothing of it was written",
}


_OF_THE_BATCH: Final = (sqlite3.IntegrityError, sqlite3.DataError, sqlite3.InterfaceError)


@contextmanager
def told_as_store_error(path: str) -> Iterator[None]:
    """Turn whatever SQLite and its binding raise into a StoreError that names the file."""
    try:
        yield
    except sqlite3.Error as error:
        # Extended codes carry the primary code in their low byte.
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        advice = _ADVICE.get(code, "unexpected; please report it")
        kind = BatchError if isinstance(error, _OF_THE_BATCH) else StoreError
        raise kind(f"{path}: {advice} ({error})") from error
    except OverflowError as error:
        raise BatchError(f"{path}: a number is beyond 64 bits, nothing was written") from error
    except UnicodeEncodeError as error:
        raise BatchError(f"{path}: not Unicode text: {error.object[:80]!r}") from error
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror or error}") from error
