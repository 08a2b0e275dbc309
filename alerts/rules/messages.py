"""The newest messages of a window, with their receipts: as many as one look reads."""

from typing import Final

from store.base import Store
from store.messages import Told

MOST_MESSAGES: Final = 500


def newest_told(
    store: Store, since_ns: int, until_ns: int, keyspace: str | None, most: int = MOST_MESSAGES
) -> tuple[list[Told], bool]:
    """Those received in [since, until), newest first, and whether these are all."""
    told: list[Told] = []
    cursor: str | None = None
    while len(told) < most:
        page = store.invalidations(since_ns, until_ns, keyspace, limit=100, cursor=cursor)
        told += page.items
        cursor = page.next
        if cursor is None:
            return told, True
    return told, False
