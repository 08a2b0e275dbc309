"""A span as both encodings give it, and what may become of one."""

from collections.abc import Mapping, Sequence
from enum import IntEnum, StrEnum
from typing import Any, Final, NamedTuple

MOST_ATTRIBUTES: Final = 1024
"""Attributes of one span that are looked at; OpenTelemetry's own limit is 128."""
MOST_LINKS: Final = 32
MOST_KEYS: Final = 1000
WRONG: Final = object()
"""An attribute's value of a type that none of ours has."""


class Kind(IntEnum):
    """The kinds of span that speak of messages, as OTLP numbers them."""

    PRODUCER = 4
    CONSUMER = 5


class Outcome(StrEnum):
    """What became of a span; a metric counts by it."""

    INVALIDATION = "invalidation"
    RECEIPT = "receipt"
    OTHER = "other"
    """Neither of them: let go, and not refused."""
    MALFORMED = "malformed"
    """Its ids or its shape are not as OTLP says."""
    INCOMPLETE = "incomplete"
    """An invalidation without a keyspace or a key, or a receipt without a layer or a node."""
    WRONG_TYPE = "wrong-type"
    """An attribute of ours with a value of another type, or outside its choices."""
    TOO_LONG = "too-long"
    """A text or a list above its bound."""
    FUTURE = "future"
    """A time more than five minutes ahead of ours."""
    NO_TIME = "no-time"
    """A time that is zero, negative or not there."""


KEPT: Final = frozenset({Outcome.INVALIDATION, Outcome.RECEIPT})
REFUSED: Final = frozenset(Outcome) - KEPT - {Outcome.OTHER}


class Span(NamedTuple):
    """A PRODUCER or CONSUMER span. `values` are the attributes that were asked for, by our names.

    Ids are lowercase hex, empty where there is none. A value is a str, an int, a tuple of str, or
    WRONG. Times are Unix nanoseconds, 0 where absent.
    """

    kind: Kind
    trace_id: str
    span_id: str
    parent_span_id: str
    start_ns: int
    end_ns: int
    has_failed: bool
    values: Mapping[str, Any]
    links: Sequence[tuple[str, str]]


Decoded = Span | Outcome
"""A span worth a look, or what became of one that is not."""


class DecodeError(Exception):
    """A request that is no trace export request; the message says why, and repeats none of it."""
