"""Findings as the pages list them: open ones first, then those that are over."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from dashboard.address import Window
from dashboard.wording import SECOND_NS
from store.base import FindingRow, Store

SHOWN: Final = 50
SHOWN_OF_NODE: Final = 5
"""As many of one node are listed where all nodes are: one that is cut off holds every key."""
SHOWN_HEALED: Final = 12
_READ: Final = 500
_BEFORE_NS: Final = 60 * SECOND_NS
_OPEN_FOR_NS: Final = 86_400 * SECOND_NS
"""A finding that healed in a window is looked for as far back as this."""
OPEN: Final = ("opened", "confirmed")


@dataclass(frozen=True, slots=True)
class FindingsView:
    """`open` and `healed` newest first; `more_open` and `more_healed` say where a list was cut.

    `folded` are open ones that are not listed, by node: a lower bound of them with `more_open`.
    """

    open: Sequence[FindingRow]
    healed: Sequence[FindingRow]
    more_open: bool
    more_healed: bool = False
    folded: Mapping[str, int] = field(default_factory=dict)


def findings(
    store: Store,
    window: Window,
    keyspace: str | None = None,
    layer: str | None = None,
    node: str | None = None,
    key: str | None = None,
) -> FindingsView:
    """Findings that overlap the window: opened before it ended, not over before it began."""
    asked = partial(
        store.findings, keyspace=keyspace, key=key, layer=layer, node=node, until_ns=window.until_ns
    )
    page = asked(open_only=True, limit=_READ)
    opened, folded = _folded(page.items, SHOWN_OF_NODE if key is node is None else SHOWN)
    past = asked(since_ns=window.since_ns - _OPEN_FOR_NS, limit=_READ)
    healed = [row for row in past.items if _is_over_in(row, window)]
    most = SHOWN if window.name == "custom" else SHOWN_HEALED
    more_open, more_healed = page.next is not None, len(healed) > most or past.next is not None
    return FindingsView(opened, healed[:most], more_open, more_healed, folded)


def _is_over_in(row: FindingRow, window: Window) -> bool:
    return row.state not in OPEN and (row.healed_at_ns or row.opened_at_ns) >= window.since_ns


def _folded(rows: Sequence[FindingRow], most: int) -> tuple[list[FindingRow], Counter[str]]:
    """The newest of each node, at most SHOWN in all, and how many others each has."""
    listed: list[FindingRow] = []
    of_node, folded = Counter[str](), Counter[str]()
    for row in rows:
        of_node[row.node] += 1
        if of_node[row.node] > most or len(listed) == SHOWN:
            folded[row.node] += 1
        else:
            listed.append(row)
    return listed, folded


def window_of(row: FindingRow, now_ns: int) -> Window:
    """The absolute window that shows a finding whole, with some time around it."""
    ended_ns = row.healed_at_ns or now_ns
    began_ns = row.opened_at_ns - row.lower_ns
    around_ns = max(_BEFORE_NS, (ended_ns - began_ns) // 4)
    return Window(began_ns - around_ns, ended_ns + around_ns)
