"""The promises of the layers that a store's catalogue documents, end to end."""

from collections.abc import Mapping
from typing import Any

from freshness.promise import Promise, Tier, weigh_promise
from store.catalogue_history import CatalogueHistory, Entry


def read_promises(store: CatalogueHistory) -> Mapping[Entry, Promise]:
    """The promise of each layer."""
    documents = {row.entry: row.document or {} for row in store.catalogue()}
    tiers = {e.name: _tier(said) for e, said in documents.items() if e.section == "layer"}
    return {Entry("layer", name): weigh_promise(name, tiers) for name in tiers}


def _tier(said: Mapping[str, Any]) -> Tier:
    ttl_ns = said["documented_ttl_ns"]
    return Tier(
        said["mechanism"],
        said["max_staleness_ns"],
        None if ttl_ns is None else ttl_ns + said["ttl_jitter_ns"],
        said["fills_from"],
    )
