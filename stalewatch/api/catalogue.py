"""The catalogue, its history and config drift as JSON."""

from typing import Any

from freshness.promise import Promise
from stalewatch.api.asked import WindowAsked
from stalewatch.api.items import Item, times
from store.base import Store
from store.catalogue_history import CatalogueRow, Entry
from store.config_drift import DriftRow, read_config_drift
from store.promises import read_promises


def catalogue_of(store: Store) -> list[Item]:
    """What is documented now; of a layer, with the sum of lifetimes beside its promise."""
    promises = read_promises(store)
    return [_entry(row, promises.get(row.entry)) for row in store.catalogue()]


def _entry(row: CatalogueRow, promise: Promise | None) -> Item:
    item: dict[str, Any] = {
        **_named(row.entry),
        **times(since=row.at_ns),
        "documented": row.document,
    }
    if promise is not None:
        item["end_to_end"] = {
            "kept": promise.kept,
            "max_staleness_ns": promise.max_staleness_ns,
            "adds_up_ns": promise.adds_up_ns,
            "parts": [part._asdict() for part in promise.parts],
        }
    return item


def change_item(row: CatalogueRow) -> Item:
    """One change, value by value; `documented` is null where the entry is documented no more."""
    return {
        **_named(row.entry),
        **times(at=row.at_ns),
        "documented": row.document,
        "changes": [change._asdict() for change in row.changes],
    }


def _named(entry: Entry) -> Item:
    return {"section": entry.section, "name": entry.name}


def config_drift_of(store: Store, asked: WindowAsked, now_ns: int) -> list[Item]:
    """Comparisons of the window; those of a layer as a whole are of each keyspace and node."""
    rows = read_config_drift(store, now_ns, asked.window)
    return [_drift_item(row) for row in rows if _is_asked(row, asked)]


def _is_asked(row: DriftRow, asked: WindowAsked) -> bool:
    pairs = ((asked.layer, row.layer), (asked.keyspace, row.keyspace), (asked.node, row.node))
    return all(wanted is None or have in ("", wanted) for wanted, have in pairs)


def _drift_item(row: DriftRow) -> Item:
    said = row.result
    return {
        "kind": said.kind,
        "layer": row.layer,
        "keyspace": row.keyspace or None,
        "node": row.node or None,
        "documented": row.documented,
        "standing": said.standing,
        "is_proof": said.is_proof,
        "reason": said.reason,
        "said": said.said,
        "figures": dict(said.figures),
        "examples": list(said.examples),
    }
