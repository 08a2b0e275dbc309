"""Which definitions changed in the week: figures before and after are not of one promise."""

import json
from collections.abc import Iterator
from typing import Any, Final

from reports.ask import Ask
from reports.document import ChangeLine
from store.base import Store
from store.catalogue_history import CatalogueRow

MOST_READ: Final = 1_000
MOST_TOLD: Final = 100


def change_lines(store: Store, ask: Ask) -> list[ChangeLine]:
    """Layers, keyspaces and objectives, value by value, by time. Raises StoreError."""
    rows = store.catalogue_history(None, MOST_READ)
    own = [row for row in reversed(rows) if ask.since_ns <= row.at_ns < ask.until_ns]
    return [line for row in own for line in _lines(row)][:MOST_TOLD]


def _lines(row: CatalogueRow) -> Iterator[ChangeLine]:
    """What is new, or gone, is one line and not one a value."""
    about = f"{row.entry.section} {row.entry.name}"
    if row.before is None or row.document is None:
        before, after = ("", "documented") if row.before is None else ("documented", "")
        yield ChangeLine(row.at_ns, about, "", before, after)
        return
    for change in row.changes:
        before, after = _written(change.before), _written(change.after)
        yield ChangeLine(row.at_ns, about, change.path, before, after)


def _written(value: Any) -> str:
    return "" if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True)
