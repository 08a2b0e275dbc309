"""Findings as the pages list them: open ones first, then those that are over."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from dashboard.address import Window
from dashboard.wording import SECOND_NS
from store.base import FindingRow, Store

SHOWN: Final = 50
SHOWN_HEALED: Final = 12
_BEFORE_NS: Final = 60 * SECOND_NS
_OPEN_FOR_NS: Final = 86_400 * SECOND_NS
"""A finding that healed in a window is looked for as far back as this."""
_MOST_PAGES: Final = 10
OPEN: Final = ("opened", "confirmed")


@dataclass(frozen=True, slots=True)
class FindingsView:
    """`open` and `healed` newest first; `more_open` and `more_healed` say where a list was cut."""

    open: Sequence[FindingRow]
    healed: Sequence[FindingRow]
    more_open: bool
    more_healed: bool = False


def findings(
    store: Store,
    window: Window,
    keyspace: str | None = None,
    layer: str | None = None,
    node: str | None = None,
    key: str | None = None,
) -> FindingsView:
    """Findings that overlap the window: opened before it ended, not over before it began."""
    page = store.findings(open_only=True, keyspace=keyspace, key=key, limit=SHOWN)
    past = _opened_until(store, window, keyspace, key)

    def is_shown(row: FindingRow) -> bool:
        is_left = layer in {None, row.layer} and node in {None, row.node}
        return is_left and row.opened_at_ns < window.until_ns

    opened = [row for row in page.items if is_shown(row)]
    healed = [row for row in past if is_shown(row) and _is_over_in(row, window)]
    most = SHOWN if window.name == "custom" else SHOWN_HEALED
    more_open, more_healed = page.next is not None, len(healed) > most
    return FindingsView(opened, healed[:most], more_open, more_healed)


def _is_over_in(row: FindingRow, window: Window) -> bool:
    return row.state not in OPEN and (row.healed_at_ns or row.opened_at_ns) >= window.since_ns


def _opened_until(
    store: Store, window: Window, keyspace: str | None, key: str | None
) -> list[FindingRow]:
    """Newest first, from a day before the window on; what opened after it fills no page of it."""
    rows: list[FindingRow] = []
    cursor = None
    since_ns = window.since_ns - _OPEN_FOR_NS
    for _ in range(_MOST_PAGES):
        page = store.findings(
            keyspace=keyspace, key=key, since_ns=since_ns, limit=4 * SHOWN, cursor=cursor
        )
        rows += [row for row in page.items if row.opened_at_ns < window.until_ns]
        cursor = page.next
        if cursor is None or len(rows) >= 4 * SHOWN:
            break
    return rows


def window_of(row: FindingRow, now_ns: int) -> Window:
    """The absolute window that shows a finding whole, with some time around it."""
    ended_ns = row.healed_at_ns or now_ns
    began_ns = row.opened_at_ns - row.lower_ns
    around_ns = max(_BEFORE_NS, (ended_ns - began_ns) // 4)
    return Window(began_ns - around_ns, ended_ns + around_ns)
