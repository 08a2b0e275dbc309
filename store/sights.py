"""What probes saw of the keys of invalidations, read once a key."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from freshness.propagation import Sight
from store.base import ORIGIN, Span, Store
from store.streams import NodeName

BEFORE_NS: Final = 600 * 10**9
AFTER_NS: Final = 3_600 * 10**9
MOST_KEYS: Final = 300
"""Keys whose probes are read for one question."""


@dataclass(frozen=True, slots=True)
class Seen:
    """Probes of one key around one message, at its origin and at each node."""

    origin: Sequence[Sight]
    nodes: Mapping[NodeName, Sequence[Sight]]


class Sightings:
    """Reads the probes of a key when they are first asked for, and so many keys at most."""

    def __init__(self, store: Store, now_ns: int) -> None:
        self._store = store
        self._now_ns = now_ns
        self._seen: dict[tuple[str, str, int], Seen] = {}

    def of(self, keyspace: str, key: str, at_ns: int) -> Seen | None:
        """From some time before an instant to an hour after it; None where it is too much."""
        # Messages of one key that come close together share what is read.
        slot = at_ns // BEFORE_NS
        name = keyspace, key, slot
        if name not in self._seen:
            if len(self._seen) >= MOST_KEYS:
                return None
            since_ns = (slot - 1) * BEFORE_NS
            until_ns = min(self._now_ns, (slot + 1) * BEFORE_NS + AFTER_NS)
            self._seen[name] = _sort(self._store.spans(keyspace, key, since_ns, until_ns))
        return self._seen[name]


def _sort(spans: Sequence[Span]) -> Seen:
    origin: list[Sight] = []
    nodes: defaultdict[NodeName, list[Sight]] = defaultdict(list)
    for span in spans:
        at = origin if span.layer == ORIGIN else nodes[span.layer, span.node]
        at.append(_sight(span))
    return Seen(origin, nodes)


def _sight(span: Span) -> Sight:
    return Sight(
        span.result,
        None if span.value is None else span.value.version,
        span.first_at_ns,
        span.first_ended_at_ns,
        span.last_started_at_ns,
        span.last_at_ns,
        span.linearizable,
        span.ended_by,
    )
