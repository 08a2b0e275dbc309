"""One key over time: what its origin and every node had, and the reads that were not fresh."""

from collections import defaultdict

from stalewatch.api.asked import HistoryAsked
from stalewatch.api.items import Item, finding_item, read_item, span_item, times
from store.base import ORIGIN, Span, Store


def history_of(store: Store, keyspace: str, key: str, asked: HistoryAsked, now_ns: int) -> Item:
    """The whole document; the newest `limit` reads and findings. Raises ParameterError."""
    since_ns, until_ns = asked.span(now_ns)
    places: defaultdict[tuple[str, str], list[Span]] = defaultdict(list)
    for span in store.spans(keyspace, key, since_ns, until_ns):
        places[span.layer, span.node].append(span)
    reads = store.reads(keyspace, key, None, since_ns, until_ns, asked.limit)
    findings = store.findings(keyspace=keyspace, key=key, limit=asked.limit)
    return {
        "keyspace": keyspace,
        "key": key,
        "is_known": key in store.keys(keyspace, key, 1),
        "window": times(since=since_ns, until=until_ns),
        "origin": _places(places, of_origin=True),
        "nodes": _places(places, of_origin=False),
        "reads": [read_item(row, at_ns) for row, at_ns in reads],
        "findings": [finding_item(row) for row in findings.items],
    }


def _places(places: dict[tuple[str, str], list[Span]], *, of_origin: bool) -> list[Item]:
    return [
        {
            "layer": None if of_origin else layer,
            "node": node,
            "spans": [span_item(span) for span in places[layer, node]],
        }
        for layer, node in sorted(places)
        if (layer == ORIGIN) is of_origin
    ]
