"""What was documented, a row for each change; a document is canonical JSON."""

import json
import sqlite3
from collections.abc import Iterable, Mapping
from typing import Final

from store.catalogue_history import CatalogueRow, Document, Entry

_NEWEST: Final = """
SELECT section, name, at_ns, document FROM catalogue
WHERE seq IN (SELECT max(seq) FROM catalogue GROUP BY section, name)
ORDER BY section DESC, name
"""

HISTORY: Final = """
SELECT section, name, at_ns, document, (
  SELECT document FROM catalogue AS older
  WHERE older.section = newer.section AND older.name = newer.name AND older.seq < newer.seq
  ORDER BY older.seq DESC LIMIT 1
) FROM catalogue AS newer
WHERE (:section IS NULL OR section = :section) AND (:name IS NULL OR name = :name)
ORDER BY seq DESC LIMIT :limit
"""


def write_catalogue(
    connection: sqlite3.Connection, documents: Mapping[Entry, Document], at_ns: int
) -> list[CatalogueRow]:
    """Add what changed."""
    known = {Entry(*row[:2]): str(row[3]) for row in connection.execute(_NEWEST)}
    texts = {entry: _canonical(document) for entry, document in documents.items()}
    gone = {entry: "" for entry in known if entry not in texts}
    new = {entry: text for entry, text in {**texts, **gone}.items() if text != known.get(entry, "")}
    connection.executemany(
        "INSERT INTO catalogue (section, name, at_ns, document) VALUES (?, ?, ?, ?)",
        [(*entry, at_ns, text) for entry, text in new.items()],
    )
    return [
        CatalogueRow(entry, at_ns, _read(text), _read(known.get(entry, "")))
        for entry, text in new.items()
    ]


def has_news(connection: sqlite3.Connection, documents: Mapping[Entry, Document]) -> bool:
    """Whether anything is documented otherwise than the store has it."""
    known = {row.entry: row.document for row in read_catalogue(connection)}
    return known != {entry: json.loads(_canonical(each)) for entry, each in documents.items()}


def read_catalogue(connection: sqlite3.Connection) -> list[CatalogueRow]:
    """What is documented now."""
    rows = _rows((*row, None) for row in connection.execute(_NEWEST))
    return [row for row in rows if row.document is not None]


def read_history(
    connection: sqlite3.Connection, entry: Entry | None, limit: int
) -> list[CatalogueRow]:
    """Newest first, each with what stood there before."""
    section, name = entry or (None, None)
    asked = {"section": section, "name": name, "limit": limit}
    return _rows(connection.execute(HISTORY, asked))


def _rows(found: Iterable[tuple[str, str, int, str, str | None]]) -> list[CatalogueRow]:
    return [
        CatalogueRow(Entry(section, name), at_ns, _read(text), _read(before))  # type: ignore[arg-type]
        for section, name, at_ns, text, before in found
    ]


def _read(text: str | None) -> Document | None:
    return json.loads(text) if text else None


def _canonical(document: Document) -> str:
    return json.dumps(document, sort_keys=True, separators=(",", ":"))
