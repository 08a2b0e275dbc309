"""Messages of commit-ordered sources that no read of the origin has borne out yet.

A source may replay what a restore of the origin has undone. So a message is evidence only once the
origin has shown its version, or a newer one; where the leader, asked after it, still has an older
one, it is let go.
"""

from collections import deque
from collections.abc import Iterator
from typing import Final

from freshness.ledger import Look

MOST_EACH: Final = 8
"""Messages of one key that wait; of more, the newest."""


class Announced:
    """What waits, by key: a version, and the stamp from which on it was surely visible."""

    def __init__(self) -> None:
        self._waiting: dict[str, deque[tuple[int, int]]] = {}

    def add(self, key: str, version: int, received: int) -> None:
        """Take a message."""
        self._waiting.setdefault(key, deque(maxlen=MOST_EACH)).append((version, received))

    def clear(self) -> None:
        """The clock began anew."""
        self._waiting.clear()

    def borne_out(self, look: Look) -> Iterator[tuple[str, int, int]]:
        """Key, version and stamp of the messages that a look at the origin bears out."""
        if not self._waiting:
            return
        for key, value in zip(look.keys, look.values, strict=True):
            waiting = self._waiting.get(key)
            if waiting is None or value is None or value.version is None:
                continue
            left: deque[tuple[int, int]] = deque(maxlen=MOST_EACH)
            for version, received in waiting:
                if value.version >= version:
                    yield key, version, received
                elif not (look.linearizable and look.start > received):
                    left.append((version, received))
            if left:
                self._waiting[key] = left
            else:
                del self._waiting[key]
