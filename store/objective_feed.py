"""What a store has of an objective, as series; what several objectives ask for is read once."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final, Literal

from freshness.counts import NOTHING, Counts
from freshness.objective import Measure
from freshness.pairs import Side
from freshness.rollup import Rollup, RollupKey
from freshness.series import Place, in_slices, read_series
from store.base import ORIGIN, NodeRow, Store
from store.objective_spec import Spec
from store.pair_counts import OWN_LIMIT, PairsOf

NS: Final = 10**9
_WIDTHS: Final = {"minute": 60, "hour": 3_600}
Width = Literal["minute", "hour"]
Cells = dict[Place, dict[int, Counts]]
Rows = Sequence[tuple[RollupKey, Rollup]]


class Feed:
    """One look at a store: it keeps what it read, so make another for the next look."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._rows: dict[tuple[Width, int, int, str], Rows] = {}
        self.nodes: Sequence[NodeRow] = [row for row in store.nodes() if row.layer != ORIGIN]
        self.regions: Mapping[tuple[str, str], str] = {
            (row.layer, row.node): row.region for row in self.nodes
        }

    def read(self, spec: Spec, width: Width, since_s: int, until_s: int) -> Cells:
        """The cells of its places that begin in [since, until), whole slices of it at least.

        Both ends begin a slice, and a cell of this width.
        """
        if since_s >= until_s:
            return {}
        if spec.measure in (Measure.CLAIMED, Measure.OBSERVED):
            return self._pairs(spec, width, since_s, until_s)
        if spec.measure is Measure.STALE_TIME:
            return self._seconds(spec, width, since_s, until_s)
        rows = [
            row
            for keyspace in spec.placement
            for row in self._rollups(width, since_s, until_s, keyspace)
            if row[0].stratum == spec.stratum and spec.covers(_place(row[0]), self.regions)
        ]
        return read_series(
            rows,
            spec.stratum,
            spec.max_staleness_ns,
            spec.objective.slice_s,
            _WIDTHS[width],
        )

    def _rollups(self, width: Width, since_s: int, until_s: int, keyspace: str) -> Rows:
        asked = (width, since_s, until_s, keyspace)
        if asked not in self._rows:
            self._rows[asked] = self._store.rollups(width, since_s * NS, until_s * NS, keyspace)
        return self._rows[asked]

    def _seconds(self, spec: Spec, width: Width, since_s: int, until_s: int) -> Cells:
        grain_s = _WIDTHS[width]
        cells = self._measured(spec, width, since_s, until_s)
        for keyspace in spec.placement:
            found = self._store.copy_times(keyspace, grain_s, since_s, until_s)
            for (layer, node, start_s), counts in found.items():
                place = Place(keyspace, layer, node)
                if spec.covers(place, self.regions):
                    reads = cells.get((place, start_s), NOTHING)
                    observed = max(counts.observed, reads.observed)
                    cells[place, start_s] = counts._replace(observed=observed)
        return in_slices(cells, spec.objective.slice_s, grain_s)

    def _measured(
        self, spec: Spec, width: Width, since_s: int, until_s: int
    ) -> dict[tuple[Place, int], Counts]:
        """Where reads told what a place held: where that was no copy, there is none to be timed."""
        return {
            (place, start_s): Counts(observed=counts.observed)
            for keyspace in spec.placement
            for place, found in read_series(
                self._rollups(width, since_s, until_s, keyspace), grain_s=_WIDTHS[width]
            ).items()
            if spec.covers(place, self.regions)
            for start_s, counts in found.items()
        }

    def _pairs(self, spec: Spec, width: Width, since_s: int, until_s: int) -> Cells:
        series: defaultdict[Place, dict[int, Counts]] = defaultdict(dict)
        slice_s = max(spec.objective.slice_s, _WIDTHS[width])
        for of in pairs_of(spec):
            found = self._store.pair_counts(of, _WIDTHS[width], since_s, until_s)
            for (layer, node, start_s), counts in found.items():
                place = Place(of.keyspace, layer, node)
                if spec.covers(place, self.regions):
                    cells, at_s = series[place], start_s - start_s % slice_s
                    cells[at_s] = cells.get(at_s, NOTHING).plus(counts).capped(1)
        return dict(series)


def pairs_of(spec: Spec) -> list[PairsOf]:
    """The counts of pairs that it is made of; none where it counts no pairs."""
    sides: dict[Measure, Side] = {Measure.CLAIMED: "claimed", Measure.OBSERVED: "observed"}
    side = sides.get(spec.measure)
    limit_ns = OWN_LIMIT if spec.max_staleness_ns is None else spec.max_staleness_ns
    return [] if side is None else [PairsOf(side, name, limit_ns) for name in spec.placement]


def _place(key: RollupKey) -> Place:
    return Place(key.keyspace, key.layer, key.node)
