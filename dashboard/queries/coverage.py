"""Coverage as the pages show it: what the evidence of a window can speak for."""

from collections.abc import Sequence
from dataclasses import dataclass

from dashboard.address import Address, Window
from dashboard.queries.begin import shown_window
from dashboard.wording import REASONS
from freshness.indicator import unknown_share
from freshness.model import Verdict
from store.base import NodeRow, Store
from store.begin import data_begins_ns
from store.cells import read_cells
from store.coverage import Coverage, read_coverage


@dataclass(frozen=True, slots=True)
class CoverageView:
    """The coverage of a window, with the figures of its sampled reads.

    Shares are None where there was no read at all. Reasons are (words, reads), commonest first,
    of the newest reads that were not judged fresh or stale.
    """

    window: Window
    seen: Coverage

    @property
    def nodes_answering(self) -> int:
        """Listed nodes that answer."""
        return sum(row.state == "up" for row in self.seen.listed)

    @property
    def nodes_listed(self) -> int:
        """Nodes that discovery has not dropped."""
        return len(self.seen.listed)

    @property
    def silent(self) -> Sequence[NodeRow]:
        """Nodes that do not answer, or that discovery dropped."""
        return self.seen.silent

    @property
    def counted_from_ns(self) -> int:
        """The window's start, or the data's in it."""
        return self.seen.counted_from_ns

    @property
    def keys(self) -> int:
        """Known keys of all keyspaces."""
        return sum(each.seen for each in self.seen.keys)

    @property
    def has_more_keys(self) -> bool:
        """Whether there are more than were counted."""
        return not all(each.is_all for each in self.seen.keys)

    @property
    def reads(self) -> int:
        """Sampled reads."""
        return self.seen.reads

    @property
    def stale(self) -> int:
        """Sampled reads that were proven stale."""
        return self.seen.total.stale.n

    @property
    def indeterminate_share(self) -> float | None:
        """Of judged reads."""
        judged = self.seen.total.judged.n
        return self.seen.total.indeterminate.n / judged if judged else None

    @property
    def unknown_share(self) -> float | None:
        """Of all reads but misses, by weight."""
        return unknown_share(self.seen.total)

    def why(self, verdict: Verdict) -> Sequence[tuple[str, int]]:
        """Reasons of a verdict in words, and how many reads each."""
        return [(REASONS[reason], reads) for reason, reads in self.seen.why[verdict]]


def coverage(store: Store, address: Address, now_ns: int) -> CoverageView:
    """What the window of an address can speak for, of what its filters leave."""
    asked = address.window(now_ns)
    begins_ns = data_begins_ns(store, asked.since_ns, store.nodes())
    window = shown_window(asked, address, begins_ns)
    named = address.only_keyspace, address.layer, address.node
    cells = read_cells(store, window.since_ns, window.until_ns, *named)
    return CoverageView(window, read_coverage(store, cells, begins_ns, *named))
