"""One invalidation as one JSON message: what goes over the bus.

{"id": "...", "keyspace": "product", "key": "42", "version": 3, "scope": "key",
 "written_at": 1700000000000000000, "publisher": {"id": "shop-1", "sequence": 7},
 "context": {"traceparent": "00-..."}}
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from stalewatch_sdk.attributes import Scope


@dataclass(frozen=True, slots=True)
class Invalidation:
    """The message that `version` of `key` exists. `written_at_ns` is Unix time, None if unknown."""

    id: str
    keyspace: str
    key: str
    version: int | str
    publisher_id: str
    publisher_sequence: int
    scope: Scope = Scope.KEY
    written_at_ns: int | None = None
    context: Mapping[str, str] = field(default_factory=dict)
    """The carrier of the trace context (W3C `traceparent`, `tracestate`)."""


class MessageError(ValueError):
    """The bytes are no invalidation; the text says what is wrong with them."""


def encode(invalidation: Invalidation) -> bytes:
    """The message's bytes: JSON in ASCII, without spaces."""
    document = {
        "id": invalidation.id,
        "keyspace": invalidation.keyspace,
        "key": invalidation.key,
        "version": invalidation.version,
        "scope": invalidation.scope.value,
        "written_at": invalidation.written_at_ns,
        "publisher": {
            "id": invalidation.publisher_id,
            "sequence": invalidation.publisher_sequence,
        },
        "context": dict(invalidation.context),
    }
    return json.dumps(document, separators=(",", ":")).encode()


def decode(payload: bytes) -> Invalidation:
    """The invalidation in a message. Unknown members are ignored. Raises MessageError."""
    try:
        document = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise MessageError(f"not JSON: {error}") from error
    if not isinstance(document, dict):
        raise MessageError("not a JSON object")
    publisher = _member(document, "publisher", dict)
    return Invalidation(
        id=_member(document, "id", str),
        keyspace=_member(document, "keyspace", str),
        key=_member(document, "key", str),
        version=_member(document, "version", int, str),
        publisher_id=_member(publisher, "id", str),
        publisher_sequence=_member(publisher, "sequence", int),
        scope=_scope(document.get("scope", Scope.KEY)),
        written_at_ns=_member(document, "written_at", int, type(None)),
        context=_carrier(document.get("context", {})),
    )


def _member(document: dict[str, Any], name: str, *kinds: type) -> Any:
    value = document.get(name)
    if not isinstance(value, kinds) or isinstance(value, bool):
        wanted = " or ".join(kind.__name__ for kind in kinds)
        raise MessageError(f"{name}: expected {wanted}, got {value!r}")
    return value


def _scope(value: object) -> Scope:
    try:
        return Scope(value)  # type: ignore[arg-type]  # anything else raises, which is the test
    except ValueError as error:
        raise MessageError(f"scope: {error}") from error


def _carrier(value: object) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
        raise MessageError("context: expected an object of strings")
    return value
