"""The SQLite engine: one file, one writer, readers that never block it."""

from store.retention import Retention
from store.sqlite.store import SqliteStore

__all__ = ["Retention", "SqliteStore"]
