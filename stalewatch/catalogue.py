"""The catalogue that a config documents: a plain document for each layer, keyspace and objective.

Documents hold what people promise of their caches, and no secret; durations are nanoseconds.
"""

from typing import Any

from freshness.promise import Tier
from settings import Section
from stalewatch.config.model import Accepts, Config, Keyspace, Layer
from store.catalogue_history import Document, Entry


def catalogue_of(config: Config) -> dict[Entry, Document]:
    """Everything that is documented, by what it is about."""
    layers = {Entry("layer", name): _layer(layer) for name, layer in config.layers.items()}
    keyspaces = {Entry("keyspace", name): _keyspace(one) for name, one in config.keyspaces.items()}
    promised = {Entry("objective", name): _written(one) for name, one in config.objectives.items()}
    return {**layers, **keyspaces, **promised}


def tiers_of(config: Config) -> dict[str, Tier]:
    """The layers as `freshness.promise` weighs them."""
    return {
        name: Tier(
            layer.mechanism,
            layer.max_staleness.ns,
            None if layer.documented_ttl is None else layer.documented_ttl.ns + layer.ttl_jitter.ns,
            layer.fills_from,
        )
        for name, layer in config.layers.items()
    }


def _layer(layer: Layer) -> Document:
    return {
        "kind": layer.kind,
        "owner": layer.owner,
        "mechanism": layer.mechanism,
        "max_staleness_ns": layer.max_staleness.ns,
        "accepts_ns": _accepted(layer),
        "documented_ttl_ns": None if layer.documented_ttl is None else layer.documented_ttl.ns,
        "ttl_jitter_ns": layer.ttl_jitter.ns,
        "placement": layer.placement,
        "regions": sorted({node.region for node in layer.nodes if node.region}),
        "fills_from": list(layer.fills_from),
        "replica": layer.replica,
    }


def _accepted(layer: Layer) -> dict[str, int]:
    given = {
        info.alias or field: getattr(layer.accepts, field)
        for field, info in Accepts.model_fields.items()
    }
    return {name: (one or layer.max_staleness).ns for name, one in given.items()}


def _keyspace(keyspace: Keyspace) -> Document:
    version = keyspace.version
    return {
        "owner": keyspace.owner,
        "origin": keyspace.origin.name,
        "version": {"type": version.type.value, "order": version.order.value},
        "addressing": {name: _addressed(one) for name, one in keyspace.layers.items()},
    }


def _addressed(binding: Any) -> Document:
    """A binding as the file has it; what is left out there is left out here, the key excepted."""
    key = getattr(binding, "key", None)
    said = _written(binding)
    return {"key": str(key), **said} if key is not None else said


def _written(section: Section) -> Document:
    """A section as the file has it; what is left out there is left out here."""
    said: Document = section.model_dump(
        mode="json", by_alias=True, exclude_defaults=True, exclude_none=True
    )
    return said
