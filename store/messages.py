"""Invalidations and what nodes said of them: the rows, and the protocol of whoever keeps them.

Instants of spans are wall time of the host that made them, Unix nanoseconds: they order events of
that host alone. `received_at_ns` is wall time of the observer, when the message reached it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from store.page import Page

Scope = Literal["key", "tag", "prefix", "all"]
Outcome = Literal["applied", "duplicate", "superseded", "failed"]


@dataclass(frozen=True, slots=True)
class InvalidationRow:
    """A message that a version of some keys exists. `id` is unique; the first word of it stands.

    `version` is an integer where it orders, `version_text` what was said. `stream` names the
    sequence that `sequence` counts in, with `publisher`. Ids of spans are lowercase hex, empty
    where unknown.
    """

    id: str
    keyspace: str
    scope: Scope
    keys: Sequence[str]
    version: int | None
    version_text: str
    publisher: str
    stream: str
    sequence: int | None
    written_at_ns: int
    received_at_ns: int
    host: str = ""
    trace_id: str = ""
    span_id: str = ""


@dataclass(frozen=True, slots=True)
class ReceiptRow:
    """One node's word on one invalidation.

    `invalidation` is the id that the receipt names, empty where it names none: then it is joined by
    its parent span or by a link. `is_known` says whether the catalogue has the layer and node.
    """

    invalidation: str
    layer: str
    node: str
    outcome: Outcome
    at_ns: int
    received_at_ns: int
    is_known: bool
    publisher: str = ""
    stream: str = ""
    sequence: int | None = None
    host: str = ""
    trace_id: str = ""
    span_id: str = ""
    parent_span_id: str = ""
    links: Sequence[tuple[str, str]] = ()
    """(trace id, span id) of each link."""


@dataclass(frozen=True, slots=True)
class Told:
    """An invalidation with every receipt that belongs to it, oldest first."""

    invalidation: InvalidationRow
    receipts: Sequence[ReceiptRow]


class Messages(Protocol):
    """Invalidations and receipts, as they came."""

    def write_messages(
        self, invalidations: Sequence[InvalidationRow], receipts: Sequence[ReceiptRow]
    ) -> None:
        """Make them durable in one transaction; what is there already changes nothing.

        An invalidation is there by its id or by its span, a receipt by its span and the id that it
        names. Raises StoreError, and then nothing is written.
        """
        ...

    def invalidations(
        self,
        since_ns: int,
        until_ns: int,
        keyspace: str | None = None,
        key: str | None = None,
        limit: int = 100,
        cursor: str | None = None,
    ) -> Page[Told]:
        """Those received in [since, until), newest first; `key` is one of their keys as it stands.

        Raises CursorError for a cursor that is none.
        """
        ...

    def invalidation(self, id: str) -> Told | None:
        """One, with its receipts; receipts are joined by id, by parent span and by link."""
        ...

    def newest_invalidations(
        self, keyspace: str, since_ns: int, limit: int
    ) -> Sequence[InvalidationRow]:
        """The newest of a keyspace that were received since then, oldest first."""
        ...

    def sequences(self, since_ns: int) -> Sequence[tuple[str, str, str, str, int]]:
        """(publisher, stream, layer, node, sequence) of the receipts since then."""
        ...

    def receipt_counts(
        self, since_ns: int, until_ns: int | None = None
    ) -> Sequence[tuple[str, str, int]]:
        """(layer, node, how many receipts came in [since, until)) of known nodes that sent any.

        Without `until_ns`, all since then.
        """
        ...

    def orphan_receipts(self, since_ns: int, limit: int = 100) -> Sequence[ReceiptRow]:
        """Receipts received since then whose invalidation never came, newest first."""
        ...
