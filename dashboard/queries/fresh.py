"""Freshness now: what the sampled reads of a window say about each keyspace, and how firmly."""

from dataclasses import dataclass

from freshness.budget import count_nines
from freshness.counts import count_reads
from freshness.indicator import Indicator, indicator, unknown_share
from freshness.nines import clean_reads_needed
from store.cells import Cells, add_up


@dataclass(frozen=True, slots=True)
class KeyspaceFreshness:
    """One keyspace. `indicator` is None where nothing was judged: no data is no share.

    `nines` is what the sample supports at 95 %; `clusters` are distinct (node, minute) pairs;
    `missing_for_next` is how many clean clusters one nine more would take (None: not reachable
    by clean ones alone).
    """

    keyspace: str
    indicator: Indicator | None
    fresh: int
    stale: int
    indeterminate: int
    unknown: int
    misses: int
    unknown_share: float | None
    nines: int
    clusters: int
    missing_for_next: int | None

    @property
    def judged(self) -> int:
        """Reads with a verdict."""
        return self.fresh + self.stale + self.indeterminate


def freshness_now(cells: Cells) -> list[KeyspaceFreshness]:
    """Every keyspace that was read in the window, by name."""
    keyspaces = sorted({place.keyspace for place in cells.sampled})
    return [_of_keyspace(keyspace, cells) for keyspace in keyspaces]


def _of_keyspace(keyspace: str, cells: Cells) -> KeyspaceFreshness:
    cell = add_up(each for place, each in cells.sampled.items() if place.keyspace == keyspace)
    nines = count_nines(count_reads(cell))
    wanted = clean_reads_needed(nines + 1) - cell.clusters
    return KeyspaceFreshness(
        keyspace=keyspace,
        indicator=indicator(cell),
        fresh=cell.fresh.n,
        stale=cell.stale.n,
        indeterminate=cell.indeterminate.n,
        unknown=cell.unknown.n,
        misses=cell.misses,
        unknown_share=unknown_share(cell),
        nines=nines,
        clusters=cell.clusters,
        missing_for_next=None if cell.stale.n else max(wanted, 0),
    )
