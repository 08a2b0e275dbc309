"""The names of the span attributes that say "this span is an invalidation" or "a receipt".

One place for both sides of the wire: the SDK writes these names, the Stalewatch server reads them.
There is no OpenTelemetry convention for caches yet; the `messaging.*` names are OpenTelemetry's.
"""

from enum import StrEnum
from typing import Final

INVALIDATION_ID: Final = "cache.invalidation.id"
"""Both spans: a string, unique for each message."""
INVALIDATION_SCOPE: Final = "cache.invalidation.scope"
"""Publish span: one of `Scope`; absent means `key`."""
INVALIDATION_OUTCOME: Final = "cache.invalidation.outcome"
"""Receipt span: one of `Outcome`."""
KEYSPACE: Final = "cache.keyspace"
"""Both spans: a string."""
KEY: Final = "cache.key"
"""Both spans: a string or an array of strings."""
VERSION: Final = "cache.version"
"""Both spans: an int or a string."""
WRITTEN_AT: Final = "cache.written_at"
"""Publish span: the commit instant in Unix nanoseconds; the span's start where absent."""
PUBLISHER_ID: Final = "cache.publisher.id"
"""Both spans: who counts `PUBLISHER_SEQUENCE`."""
PUBLISHER_SEQUENCE: Final = "cache.publisher.sequence"
"""Both spans: an int, one more for each message of the publisher, so that a gap is proof."""
LAYER: Final = "cache.layer"
"""Receipt span: the layer's name as in the catalogue."""
NODE: Final = "cache.node"
"""Receipt span: the node's name as in the catalogue."""

MESSAGING_SYSTEM: Final = "messaging.system"
MESSAGING_DESTINATION: Final = "messaging.destination.name"
MESSAGING_OPERATION_NAME: Final = "messaging.operation.name"
MESSAGING_OPERATION_TYPE: Final = "messaging.operation.type"
MESSAGING_MESSAGE_ID: Final = "messaging.message.id"
MESSAGING_BODY_SIZE: Final = "messaging.message.body.size"


class Scope(StrEnum):
    """What one invalidation speaks for."""

    KEY = "key"
    TAG = "tag"
    PREFIX = "prefix"
    ALL = "all"


class Outcome(StrEnum):
    """One node's word on one invalidation."""

    APPLIED = "applied"
    DUPLICATE = "duplicate"
    SUPERSEDED = "superseded"
    FAILED = "failed"
