"""From cells of roll-ups to series: the counts of each place by slice, and of groups of places."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple, TypeVar

from freshness.counts import NOTHING, Counts, count_reads
from freshness.rollup import Grain, Rollup, RollupKey
from freshness.strata import is_representative

Group = TypeVar("Group")


class Place(NamedTuple):
    """Where events happen: one node, for one keyspace."""

    keyspace: str
    layer: str
    node: str


Series = Mapping[Place, Mapping[int, Counts]]
"""The cells of each place, by the Unix second at which they begin."""


def read_series(
    rows: Iterable[tuple[RollupKey, Rollup]],
    stratum: str | None = None,
    max_staleness_ns: int | None = None,
    slice_s: int = Grain.MINUTE,
    grain_s: int = Grain.MINUTE,
) -> dict[Place, dict[int, Counts]]:
    """The reads of one stratum, at the maximum staleness asked for (None: as they were judged).

    Without a stratum, those of all that make up the share (R): see `freshness.strata`.
    `rows` are whole cells of one grain, as a store holds them. Cells narrower than a slice are put
    together. A place counts once a slice, whatever the number of definitions it was judged by; an
    hour counts as many slices as it has minutes with reads, but no more than it has slices.
    """
    minutes: defaultdict[tuple[Place, int], Counts] = defaultdict(Counts)
    for key, cell in rows:
        if is_representative(key.stratum) if stratum is None else key.stratum == stratum:
            at = Place(key.keyspace, key.layer, key.node), key.start_s
            known = minutes[at]
            counts = known.plus(count_reads(cell, key.max_staleness_ns, max_staleness_ns))
            clusters = max(known.clusters, counts.clusters - known.clusters)
            observed = max(known.observed, counts.observed - known.observed)
            minutes[at] = counts._replace(clusters=clusters, observed=observed)
    return in_slices(minutes, slice_s, grain_s)


def in_slices(
    cells: Mapping[tuple[Place, int], Counts], slice_s: int, grain_s: int = Grain.MINUTE
) -> dict[Place, dict[int, Counts]]:
    """Cells of one grain by place, those that are narrower than a slice put together."""
    width, most = max(slice_s, grain_s), max(1, grain_s // slice_s)
    series: defaultdict[Place, dict[int, Counts]] = defaultdict(dict)
    for (place, at_s), counts in cells.items():
        slices, start_s = series[place], at_s - at_s % width
        whole = slices.get(start_s, NOTHING).plus(counts)
        slices[start_s] = whole.capped(most)
    return dict(series)


def join(old: Series, new: Series, from_s: int) -> dict[Place, dict[int, Counts]]:
    """One series of two grains: cells of `old` that begin before an instant, of `new` after it.

    `from_s` begins a cell of the wider grain.
    """
    joined: defaultdict[Place, dict[int, Counts]] = defaultdict(dict)
    for series, is_new in ((old, False), (new, True)):
        for place, cells in series.items():
            kept = {start: cell for start, cell in cells.items() if (start >= from_s) is is_new}
            joined[place].update(kept)
    return dict(joined)


def group(series: Series, name: Callable[[Place], Group | None]) -> dict[Group, Series]:
    """The places of each group, whole; those that `name` has no group for are left out."""
    groups: defaultdict[Group, dict[Place, Mapping[int, Counts]]] = defaultdict(dict)
    for place, cells in series.items():
        named = name(place)
        if named is not None:
            groups[named][place] = cells
    return dict(groups)


def by_keyspace(place: Place) -> str:
    """For `group`: the keyspace."""
    return place.keyspace


def by_layer(place: Place) -> str:
    """For `group`: the layer."""
    return place.layer


def by_region(regions: Mapping[tuple[str, str], str]) -> Callable[[Place], str | None]:
    """For `group`: the region of a (layer, node)."""
    return lambda place: regions.get((place.layer, place.node))


def by_owner(owners: Mapping[str, str]) -> Callable[[Place], str | None]:
    """For `group`: who owns a keyspace."""
    return lambda place: owners.get(place.keyspace)
