"""Copies that disagree, and nodes that went back, as JSON."""

from stalewatch.api.asked import WindowAsked
from stalewatch.api.items import Item, times, value_item
from store.base import FindingRow, Store
from store.drift import Drift, DriftView, Held, Row, WentBack, read_drift


def drift_of(store: Store, asked: WindowAsked, now_ns: int) -> Item:
    """The whole document; `items` are the disagreements, those that go on first."""
    where = asked.keyspace, asked.layer, asked.node
    return _document(read_drift(store, now_ns - asked.window, now_ns, *where))


def _document(view: DriftView) -> Item:
    return {
        "window": times(since=view.since_ns, until=view.until_ns),
        "looked_at": {"keys": view.keys, "nodes": view.nodes, "is_all": view.is_all},
        "items": [_drift(each) for each in view.drifts],
        "regressions": [_went_back(each) for each in view.regressions],
        "differ_now": [_row(each) for each in view.rows],
        "next": None,
    }


def _drift(drift: Drift) -> Item:
    scope, found = drift.scope, drift.found
    return {
        "keyspace": drift.keyspace,
        "key": drift.key,
        "scope": {
            "kind": scope.kind,
            "region": scope.region or None,
            "layers": list(scope.layers),
        },
        "older": _held(drift.older),
        "newer": _held(drift.newer),
        "pairs": drift.pairs,
        "proof": found.proof,
        "standing": drift.standing,
        "is_over": found.is_over,
        **times(since_after=found.since_lower, since_by=found.since_upper),
        "lasted_ns": [found.lower, found.upper],
        "behind_at_least_ns": found.behind,
        "max_staleness_ns": drift.limit_ns,
        "finding": _finding(drift.finding),
    }


def _went_back(went: WentBack) -> Item:
    found = went.found
    return {
        "keyspace": went.keyspace,
        "key": went.key,
        "layer": went.layer,
        "node": went.node,
        "region": went.region,
        "proof": found.proof,
        "before": value_item(found.before),
        "then": value_item(found.then),
        **times(after=found.after, by=found.by),
        "has_restarted": found.has_restarted,
        "finding": _finding(went.finding),
    }


def _row(row: Row) -> Item:
    return {
        "keyspace": row.keyspace,
        "key": row.key,
        "latest": value_item(row.latest),
        "nodes": [
            {
                **_held(each),
                "region": each.region,
                "result": each.result,
                "known_versions_behind": each.versions_behind,
            }
            for each in row.nodes
        ],
    }


def _held(held: Held) -> Item:
    return {
        "layer": held.layer,
        "node": held.node,
        "value": value_item(held.value),
        **times(seen_at=held.seen_at_ns),
    }


def _finding(row: FindingRow | None) -> Item | None:
    return None if row is None else {"id": row.id, "state": row.state, "cause": row.cause}
