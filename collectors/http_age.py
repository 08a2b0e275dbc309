"""Whether a cache counts the Age that it tells, or keeps it with its copy.

A cache that knows nothing of Age hands out the one of the tier above for as long as it holds the
copy; such an Age dates nothing.
"""

from collections import OrderedDict
from typing import Final

from freshness.model import Value

STANDS_STILL_NS: Final = 2_500_000_000
"""An Age (whole seconds) that is the same after this long is not counted up."""
SLACK_NS: Final = 2_000_000_000
"""How far a counted Age may be off the time that went by: its resolution, and the way here."""
REMEMBERED_KEYS: Final = 10_000


class Ages:
    """The Ages of one node, by key. They are trusted until one stands still.

    An entry that was filled anew with the same value may tell the same Age again: then a good Age
    goes unused for a while, which costs a cause and no verdict.
    """

    def __init__(self, remembered_keys: int = REMEMBERED_KEYS) -> None:
        self._limit = remembered_keys
        self._is_trusted = True
        self._last: OrderedDict[str, tuple[Value | None, float, int]] = OrderedDict()

    def is_trusted(self, key: str, value: Value | None, age_s: float, at_ns: int) -> bool:
        """Take one Age, read at a stamp; whether it may be believed."""
        last = self._last.pop(key, None)
        if last is None or last[:2] != (value, age_s):
            self._note_counted(last, value, age_s, at_ns)
            last = value, age_s, at_ns
        elif at_ns - last[2] >= STANDS_STILL_NS:
            self._is_trusted = False
        if len(self._last) >= self._limit:
            self._last.popitem(last=False)
        self._last[key] = last
        return self._is_trusted

    def _note_counted(
        self, last: tuple[Value | None, float, int] | None, value: Value | None, age_s: float,
        at_ns: int,
    ) -> None:  # fmt: skip
        """An Age that grew with time is counted after all."""
        if last is None or last[0] != value or age_s <= last[1]:
            return
        off_ns = abs(age_s - last[1]) * 1e9 - (at_ns - last[2])
        if abs(off_ns) <= SLACK_NS:
            self._is_trusted = True
