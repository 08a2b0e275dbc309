"""What is documented beside what is observed, and how the documents changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from dashboard.address import Address, Window
from freshness.config_drift import Kind, Standing
from freshness.promise import Promise
from store.base import ORIGIN, NodeRow, Store
from store.catalogue_history import CatalogueRow, Document
from store.config_drift import DriftRow, read_config_drift
from store.promises import read_promises

MOST_CHANGES: Final = 50


@dataclass(frozen=True, slots=True)
class LayerView:
    """One layer as documented, its nodes, its promise end to end, and comparisons by kind."""

    name: str
    said: Document
    nodes: Sequence[NodeRow]
    promise: Promise
    compared: Mapping[Kind, Sequence[DriftRow]]


@dataclass(frozen=True, slots=True)
class CatalogueView:
    """What the filters leave; `changes` are newest first, `now_ns` is wall time."""

    window: Window
    layers: Sequence[LayerView]
    keyspaces: Sequence[CatalogueRow]
    changes: Sequence[CatalogueRow]
    now_ns: int

    def count(self, *, is_proof: bool) -> int:
        """How many comparisons drift, proven or suggested."""
        rows = (row for layer in self.layers for each in layer.compared.values() for row in each)
        return sum(
            row.result.standing is Standing.DRIFTS and row.result.is_proof is is_proof
            for row in rows
        )


def catalogue(store: Store, address: Address, now_ns: int) -> CatalogueView:
    """What is documented now, beside what was observed in the window; it ends now."""
    window = address.window(now_ns)
    rows, nodes, promises = store.catalogue(), store.nodes(), read_promises(store)
    drifts = [
        row
        for row in read_config_drift(store, now_ns, window.until_ns - window.since_ns)
        if address.only_keyspace in (None, row.keyspace) or not row.keyspace
    ]
    layers = [
        LayerView(
            name=row.entry.name,
            said=row.document or {},
            nodes=[n for n in nodes if n.layer == row.entry.name and n.layer != ORIGIN],
            promise=promises[row.entry],
            compared=_by_kind(drifts, row.entry.name),
        )
        for row in rows
        if row.entry.section == "layer" and address.layer in (None, row.entry.name)
    ]
    return CatalogueView(
        window=window,
        layers=layers,
        keyspaces=[
            row
            for row in rows
            if row.entry.section == "keyspace" and address.only_keyspace in (None, row.entry.name)
        ],
        changes=store.catalogue_history(limit=MOST_CHANGES),
        now_ns=now_ns,
    )


def _by_kind(drifts: Sequence[DriftRow], layer: str) -> dict[Kind, list[DriftRow]]:
    own = [row for row in drifts if row.layer == layer]
    return {kind: [row for row in own if row.result.kind is kind] for kind in Kind}
