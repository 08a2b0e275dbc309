"""Who spent the budget of an objective: by node, layer, key and publisher."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from freshness.attribution import Attribution, attribute, regroup
from freshness.objective import Measure
from freshness.pairs import Side, bad_pairs
from freshness.rollup import Grain
from freshness.series import Place
from freshness.status import At, ErrorBudget
from freshness.window import Window
from store.base import Store
from store.objective_feed import NS
from store.objective_spec import Spec
from store.pair_counting import make_pairs
from store.propagation import read_lag

MOST_NAMED: Final = 10
_SIDES: Final[Mapping[Measure, Side]] = {Measure.CLAIMED: "claimed", Measure.OBSERVED: "observed"}


class KeyName(NamedTuple):
    """A key, and where its keyspace is."""

    keyspace: str
    key: str


class Bill(NamedTuple):
    """What was spent in a window, and what was bad at each place."""

    window: Window
    by_node: Attribution[Place]
    parts: Mapping[Place, float]


@dataclass(frozen=True, slots=True)
class Blame:
    """Each adds up to what was spent; `by_publisher` is None where no messages are counted.

    Keys and publishers are told of what is still kept of single reads and messages; the rest is
    unattributed.
    """

    window: Window
    by_node: Attribution[Place]
    by_layer: Attribution[str]
    by_key: Attribution[KeyName]
    by_publisher: Attribution[str] | None


def make_bill(budget: ErrorBudget, at: At, window: Window | None = None) -> Bill:
    """What the window at a watermark spent, or what another one took of its budget."""
    if window is None:
        window = budget.objective.window_at(at.watermark_s, at.period)
    parts = {place: each.proven_weight for place, each in budget.track.by_place(window).items()}
    return Bill(window, budget.attribution(at, MOST_NAMED, window), parts)


def read_blame(
    store: Store, spec: Spec, bill: Bill, regions: Mapping[tuple[str, str], str]
) -> Blame:
    """A bill by whom it was spent on. Raises StoreError."""
    bad, spent = float(bill.by_node.whole.bad), bill.by_node.whole.spent
    layers = regroup(bill.parts, lambda place: place.layer)
    keys, publishers = _named(store, spec, bill.window, regions) if bad else ({}, {})
    is_of_messages = not spec.measure.is_on_grid
    return Blame(
        bill.window,
        bill.by_node,
        attribute(spent, bad, layers, MOST_NAMED),
        attribute(spent, bad, keys, MOST_NAMED),
        attribute(spent, bad, publishers, MOST_NAMED) if is_of_messages else None,
    )


def _named(
    store: Store, spec: Spec, window: Window, regions: Mapping[tuple[str, str], str]
) -> tuple[dict[KeyName, float], dict[str, float]]:
    side = _SIDES.get(spec.measure)
    if side is not None:
        return _of_pairs(store, spec, window, side, regions)
    if spec.measure is Measure.STALE_TIME:
        return _of_time(store, spec, window, regions), {}
    keys: defaultdict[KeyName, float] = defaultdict(float)
    for keyspace in spec.placement:
        for key, layer, node, reads in store.stale_reads(
            keyspace,
            window.since_s * NS,
            window.until_s * NS,
            spec.stratum,
            spec.max_staleness_ns,
        ):
            if spec.covers(Place(keyspace, layer, node), regions):
                keys[KeyName(keyspace, key)] += reads
    return keys, {}


def _of_time(
    store: Store, spec: Spec, window: Window, regions: Mapping[tuple[str, str], str]
) -> dict[KeyName, float]:
    """By the hour up to the last one, which is read by the minute; a short window wholly is."""
    last_s = window.until_s - window.until_s % Grain.HOUR
    if window.length_s <= spec.minutes_s:
        last_s = window.since_s
    parts = ((Grain.HOUR, window.since_s, last_s), (Grain.MINUTE, last_s, window.until_s))
    keys: defaultdict[KeyName, float] = defaultdict(float)
    for keyspace in spec.placement:
        for grain, since_s, until_s in parts:
            found = store.stale_seconds(keyspace, grain, since_s, until_s)
            for (layer, node, key), stale_s in found.items():
                if spec.covers(Place(keyspace, layer, node), regions):
                    keys[KeyName(keyspace, key)] += stale_s
    return keys


def _of_pairs(
    store: Store,
    spec: Spec,
    window: Window,
    side: Side,
    regions: Mapping[tuple[str, str], str],
) -> tuple[dict[KeyName, float], dict[str, float]]:
    """Of the newest messages of the window, as many as one question reads."""
    keys: dict[KeyName, float] = {}
    publishers: defaultdict[str, float] = defaultdict(float)
    for keyspace in spec.placement:
        since_ns, until_ns = window.since_s * NS, window.until_s * NS
        lag = read_lag(store, since_ns, until_ns, keyspace, limit_ns=spec.max_staleness_ns)
        pairs = [each for each in make_pairs(lag.spreads) if spec.covers(each.place, regions)]
        for key, bad in bad_pairs(pairs, side, "key", window).items():
            keys[KeyName(keyspace, key)] = bad
        for publisher, bad in bad_pairs(pairs, side, "publisher", window).items():
            publishers[publisher] += bad
    return keys, publishers
