"""Versions of the schema, and how a file gets from one to the next.

A file of ours carries `APPLICATION_ID`, and its version as `user_version`. A migration is one
function named v1, v2 …; all that are pending run in one transaction, so a killed migration leaves
the version before it.
"""

import sqlite3
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Final

from sqlite_utils import Database, Migrations

from store.base import StoreError
from store.sqlite.backup import copy_database
from store.sqlite.connections import MEMORY, Connections

APPLICATION_ID: Final = 0x5354_4C57  # "STLW"

migrations = Migrations("stalewatch")


@migrations()
def v1(db: Database) -> None:
    """Dictionaries, runs, reads, findings, nodes and roll-ups."""
    _run(db, "v1.sql")


@migrations()
def v2(db: Database) -> None:
    """Invalidations and receipts."""
    _run(db, "v2.sql")


@migrations()
def v3(db: Database) -> None:
    """The alert book: alerts, their transitions, and the outbox."""
    _run(db, "v3.sql")


@migrations()
def v4(db: Database) -> None:
    """Event-triggered checks."""
    _run(db, "v4.sql")


@migrations()
def v5(db: Database) -> None:
    """Sweeps."""
    _run(db, "v5.sql")


@migrations()
def v6(db: Database) -> None:
    """Diagnoses of findings."""
    _run(db, "v6.sql")


@migrations()
def v7(db: Database) -> None:
    """Counters of nodes."""
    _run(db, "v7.sql")


@migrations()
def v8(db: Database) -> None:
    """Gaps of sources of invalidations, and where each was left."""
    _run(db, "v8.sql")


@migrations()
def v9(db: Database) -> None:
    """What a node is beside the others of its layer."""
    _run(db, "v9.sql")


@migrations()
def v10(db: Database) -> None:
    """What was documented, and times to live that were found."""
    _run(db, "v10.sql")


@migrations()
def v11(db: Database) -> None:
    """Groups of alerts, silences and acknowledgements."""
    _run(db, "v11.sql")


@migrations()
def v12(db: Database) -> None:
    """Counts of pairs."""
    _run(db, "v12.sql")


@migrations()
def v13(db: Database) -> None:
    """Reports."""
    _run(db, "v13.sql")


@migrations()
def v14(db: Database) -> None:
    """Seconds of copies."""
    _run(db, "v14.sql")


@migrations()
def v15(db: Database) -> None:
    """Minutes that were measured."""
    _run(db, "v15.sql")


def migrate(connections: Connections, known: Migrations = migrations) -> None:
    """Bring a file to the newest of the `known` versions, after copying an existing one aside.

    Call it within `Connections.opening`. Raises StoreError, with the file as it was, for a newer
    schema and for a file that is not ours.
    """
    with Database(memory=True) as empty:
        newest = len(known.pending(empty))
    with connections.writer() as db:
        found = _version(db, connections.path)
        if found > newest:
            raise StoreError(
                f"{connections.path}: its schema is version {found}, newer than the {newest} of "
                "this Stalewatch; start a newer Stalewatch, or restore a backup"
            )
        if found < newest:
            if found and connections.path != MEMORY:
                copy_database(connections, _free_name(f"{connections.path}.before-v{newest}"))
            _apply(db, known, newest)


def _apply(db: Database, known: Migrations, newest: int) -> None:
    # The write lock first: an older Stalewatch that still writes has to finish its batch.
    db.execute("BEGIN IMMEDIATE")
    try:
        known.apply(db)
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.execute(f"PRAGMA user_version = {newest}")
        db.commit()
    except BaseException:
        db.rollback()
        raise


def _version(db: Database, path: str) -> int:
    """The schema version of a file, 0 where it is empty; a StoreError where it is not ours."""
    asked = ("application_id", "user_version")
    mark, version = (db.execute(f"PRAGMA {name}").fetchone()[0] for name in asked)
    is_empty = db.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0] == 0
    if mark != APPLICATION_ID and not is_empty:
        raise StoreError(f"{path}: it is another application's database; choose another path")
    return int(version) if mark == APPLICATION_ID else 0


def _free_name(wanted: str) -> str:
    """The name, or with a number where an earlier attempt left one: a copy is never overwritten."""
    names = (wanted if n == 1 else f"{wanted}.{n}" for n in range(1, 1000))
    return next(name for name in names if not Path(name).exists())


def _run(db: Database, script: str) -> None:
    for statement in _statements(resources.files("store.sqlite").joinpath(script).read_text()):
        db.execute(statement)


def _statements(script: str) -> Iterator[str]:
    """One statement at a time: `executescript` would commit the migration's transaction."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
