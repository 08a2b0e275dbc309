"""Findings as the pages list them: open ones first, then what healed in the window."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from dashboard.address import Window
from dashboard.wording import SECOND_NS
from store.base import FindingRow, Store

SHOWN: Final = 50
SHOWN_HEALED: Final = 12
_BEFORE_NS: Final = 60 * SECOND_NS
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
    """Open findings whenever they opened, and those of the window that are open no more."""
    page = store.findings(open_only=True, keyspace=keyspace, key=key, limit=SHOWN)
    past = store.findings(keyspace=keyspace, key=key, since_ns=window.since_ns, limit=4 * SHOWN)

    def is_shown(row: FindingRow) -> bool:
        return layer in {None, row.layer} and node in {None, row.node}

    healed = [row for row in past.items if row.state not in OPEN and is_shown(row)]
    opened = [row for row in page.items if is_shown(row)]
    shown = healed[:SHOWN_HEALED]
    return FindingsView(opened, shown, page.next is not None, len(healed) > SHOWN_HEALED)


def window_of(row: FindingRow, now_ns: int) -> Window:
    """The absolute window that shows a finding whole, with some time around it."""
    ended_ns = row.healed_at_ns or now_ns
    began_ns = row.opened_at_ns - row.lower_ns
    around_ns = max(_BEFORE_NS, (ended_ns - began_ns) // 4)
    return Window(began_ns - around_ns, ended_ns + around_ns)
