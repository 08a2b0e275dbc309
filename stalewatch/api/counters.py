"""What nodes count of themselves, as JSON: our own reads beside, and taken out of the hit rate."""

from stalewatch.api.asked import CountersAsked
from stalewatch.api.items import Item, times
from store.base import Store
from store.counters import CounterRow
from store.node_counters import (
    NS,
    NodeCounts,
    mean_request_s,
    others_hits,
    others_misses,
    rate_of,
    read_counts,
)


def counters_of(store: Store, asked: CountersAsked, now_ns: int) -> Item:
    """The whole document; `items` are nodes, each as each source counts it."""
    since_ns, until_ns = asked.span(now_ns)
    window = read_counts(store, since_ns, until_ns, asked.layer, asked.node)
    return {
        "window": times(since=window.since_ns, until=window.until_ns),
        "bucket_s": window.width_ns // NS,
        "items": [_node(each) for each in window.nodes],
        "next": None,
    }


def _node(each: NodeCounts) -> Item:
    total = each.total
    return {
        "layer": total.layer,
        "node": total.node,
        "source": total.source,
        **_counts(total),
        "why": total.why or None,
        **times(last_at=total.last_at_ns),
        "buckets": [
            {**times(start_at=bucket.start_s * NS), **_counts(bucket)} for bucket in each.buckets
        ],
    }


def _counts(row: CounterRow) -> Item:
    rate, hits, misses = rate_of(row), others_hits(row), others_misses(row)
    return {
        "covered_ns": row.covered_ns,
        "looks": {"answered": row.answered, "unanswered": row.unanswered},
        "restarts": row.restarts,
        "hit_rate": None
        if rate is None
        else {"share": rate.share, "bounds": [rate.lower, rate.upper], "lookups": rate.lookups},
        "hits": None if hits is None else list(hits),
        "misses": None if misses is None else list(misses),
        "own": {"hits": list(row.own_hits), "misses": list(row.own_misses)},
        "counted": {"hits": row.hits, "misses": row.misses},
        "evictions": row.evictions,
        "expirations": row.expirations,
        "invalidations": row.invalidations,
        "requests": row.requests,
        "mean_request_s": mean_request_s(row),
        "memory_bytes": row.memory_bytes,
        "memory_limit_bytes": row.memory_limit_bytes,
        "entries": row.items,
    }
