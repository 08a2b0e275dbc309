"""Messages in SQLite: invalidations, receipts, and when they could not be heard."""

from collections.abc import Sequence

from store.gaps import GapRow, PlaceRow
from store.messages import InvalidationRow, ReceiptRow, Told
from store.page import Page
from store.sqlite import (
    gaps,
    invalidations,
    receipts,
)
from store.sqlite.engine import Engine
from store.sqlite.gaps import write_gaps
from store.sqlite.invalidations import write_invalidations
from store.sqlite.receipts import write_receipts


class MessageStore(Engine):
    """Implements `Messages` and `Gaps`."""

    def write_messages(
        self, invalidations: Sequence[InvalidationRow], receipts: Sequence[ReceiptRow]
    ) -> None:
        """Make them durable in one transaction; what is there already changes nothing."""
        with self._transaction() as db:
            write_invalidations(db.conn, invalidations)
            write_receipts(db.conn, receipts)

    def invalidations(
        self,
        since_ns: int,
        until_ns: int,
        keyspace: str | None = None,
        key: str | None = None,
        limit: int = 100,
        cursor: str | None = None,
    ) -> Page[Told]:
        """Those received in [since, until), newest first."""
        with self._connections.reader() as connection:
            return invalidations.read_invalidations(
                connection, since_ns, until_ns, keyspace, key, limit, cursor
            )

    def invalidation(self, id: str) -> Told | None:
        """One, with its receipts."""
        with self._connections.reader() as connection:
            return invalidations.read_invalidation(connection, id)

    def newest_invalidations(
        self, keyspace: str, since_ns: int, limit: int
    ) -> Sequence[InvalidationRow]:
        """The newest of a keyspace that were received since then, oldest first."""
        with self._connections.reader() as connection:
            return invalidations.read_newest(connection, keyspace, since_ns, limit)

    def sequences(self, since_ns: int) -> Sequence[tuple[str, str, str, str, int]]:
        """(publisher, stream, layer, node, sequence) of the receipts since then."""
        with self._connections.reader() as connection:
            return receipts.read_sequences(connection, since_ns)

    def receipt_counts(
        self, since_ns: int, until_ns: int | None = None
    ) -> Sequence[tuple[str, str, int]]:
        """(layer, node, how many receipts came in [since, until)) of known nodes that sent any."""
        with self._connections.reader() as connection:
            return receipts.read_counts(connection, since_ns, until_ns)

    def orphan_receipts(self, since_ns: int, limit: int = 100) -> Sequence[ReceiptRow]:
        """Receipts whose invalidation never came, newest first."""
        with self._connections.reader() as connection:
            return receipts.read_orphans(connection, since_ns, limit)

    def write_gaps(
        self,
        gaps: Sequence[GapRow] = (),
        withdrawn: Sequence[GapRow] = (),
        places: Sequence[PlaceRow] = (),
    ) -> None:
        """Write gaps and places, and take back gaps that proved to be none."""
        with self._transaction() as db:
            write_gaps(db.conn, gaps, withdrawn, places)

    def gaps(
        self, since_ns: int, until_ns: int, source: str | None = None, limit: int = 1000
    ) -> Sequence[GapRow]:
        """Those that overlap [since, until), newest first."""
        with self._connections.reader() as connection:
            return gaps.read_gaps(connection, since_ns, until_ns, source, limit)

    def place(self, source: str) -> PlaceRow | None:
        """Where a source was left, None where it never was."""
        with self._connections.reader() as connection:
            return gaps.read_place(connection, source)
