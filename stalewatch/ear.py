"""Who listens to one tap: what it hears becomes durable, and so does when it could not hear."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

import structlog

from collectors.base import NowNs
from collectors.naming import Naming
from collectors.taps.coverage import Coverage
from stalewatch.tap_metrics import TapMetrics
from store.base import BatchError, StoreError
from store.gaps import GapRow, PlaceRow
from store.messages import InvalidationRow, ReceiptRow

RETRY_S: Final = 1.0
TELL_EVERY_NS: Final = 60 * 10**9
"""How often a tap may say in the log that it refuses messages."""
_NS: Final = 10**9

Evidence = Callable[[Sequence[InvalidationRow]], None]
"""Takes messages that bound their commit, keys as they are; called on the server's loop."""

log = structlog.get_logger()


class Sink(Protocol):
    """Where messages become durable; called from a thread."""

    def write_messages(
        self, invalidations: Sequence[InvalidationRow], receipts: Sequence[ReceiptRow]
    ) -> None:
        """Make them durable in one transaction."""
        ...


@dataclass(frozen=True, slots=True)
class Books:
    """What the ears of all taps have in common."""

    sink: Sink
    naming: Naming
    evidence: Evidence
    metrics: TapMetrics
    now_ns: NowNs


class TapEar:
    """The ear of one tap. `place` is where an earlier process left it, None where there was none.

    `proves` says whether its messages come after their commit.
    """

    def __init__(
        self, about: str, coverage: Coverage, books: Books, position: str, *, proves: bool
    ) -> None:
        self.coverage = coverage
        self.changed = asyncio.Event()
        """Set where a gap opened or ended, and is to be written."""
        self._about, self._books, self._proves = about, books, proves
        self._position = position
        self._has_heard = False
        self._refused = 0
        self._told_at_ns = 0

    @property
    def position(self) -> str:
        """Where the last message that is durable stood."""
        return self._position

    async def hear(self, rows: Sequence[InvalidationRow], position: str | None = None) -> None:
        """Durable when it returns; it waits for a store that takes nothing now."""
        if rows:
            kept = await self._write(rows)
            self._books.metrics.note_heard(self.coverage.source, len(kept))
            proving = [row for row in kept if row.version is not None and row.scope == "key"]
            if self._proves and proving:
                self._books.evidence(proving)
        if position is not None:
            self._position = position

    async def _write(self, rows: Sequence[InvalidationRow]) -> Sequence[InvalidationRow]:
        """Those that the store took: one that it can never take takes no other with it."""
        named = [replace(row, keys=tuple(map(self._books.naming, row.keys))) for row in rows]
        while True:
            try:
                await asyncio.to_thread(self._books.sink.write_messages, named, [])
            except BatchError as error:
                return await self._write_apart(rows, error)
            except StoreError as error:
                log.error("the store takes no messages", tap=self.coverage.source, why=str(error))
                await asyncio.sleep(RETRY_S)
            except Exception as error:
                return await self._write_apart(rows, error)
            else:
                return rows

    async def _write_apart(
        self, rows: Sequence[InvalidationRow], error: Exception
    ) -> Sequence[InvalidationRow]:
        if len(rows) > 1:
            return [kept for row in rows for kept in await self._write([row])]
        log.error("a message cannot be stored", tap=self.coverage.source, why=repr(error))
        self.refuse("cannot be stored")
        return []

    def refuse(self, why: str) -> None:
        """One message made no sense; the log is told now and then."""
        self._books.metrics.note_refused(self.coverage.source)
        self._refused += 1
        now_ns = self._books.now_ns()
        if now_ns - self._told_at_ns >= TELL_EVERY_NS:
            log.warning("messages refused", tap=self.coverage.source, why=why, count=self._refused)
            self._told_at_ns, self._refused = now_ns, 0

    def hears_from(self, at_ns: int, missed: str = "") -> None:
        """All that is said from this instant on is heard."""
        lost_ns = self.coverage.hears_from(at_ns, missed, has_place=bool(self._position))
        source = self.coverage.source
        self._books.metrics.note_connected(source, is_connected=True)
        self._books.metrics.note_gap(source, lost_ns / _NS)
        if missed or lost_ns:
            log.warning("messages may have been lost", tap=source, seconds=lost_ns / _NS)
        if not self._has_heard:
            log.info("listening", tap=source, to=self._about)
        self._has_heard = True
        self.changed.set()

    def sure_until(self, at_ns: int) -> None:
        """All that was said before this instant has been handed over."""
        self.coverage.sure(at_ns)

    def lost(self, why: str) -> None:
        """Nothing more is heard: the session is over."""
        was_hearing, self._has_heard = self._has_heard, False
        if was_hearing or self.coverage.open is None:
            log.warning("a tap hears nothing", tap=self.coverage.source, why=why)
        self.coverage.lost(self._books.now_ns(), why)
        self._books.metrics.note_connected(self.coverage.source, is_connected=False)
        self.changed.set()

    def take_books(self) -> tuple[list[GapRow], list[GapRow], PlaceRow]:
        """What is to be written: gaps, those that are taken back, and where the tap stands."""
        self.changed.clear()
        written, withdrawn = self.coverage.take()
        source, sure = self.coverage.source, self.coverage.sure_until_ns
        return written, withdrawn, PlaceRow(source, self._about, self._position, sure)

    def give_back(self, written: Sequence[GapRow], withdrawn: Sequence[GapRow]) -> None:
        """What could not be written is owed again."""
        self.coverage.written[:0] = written
        self.coverage.withdrawn[:0] = withdrawn
