"""Polls of one trace source: overlapping windows, spans to rows, what was cut off.

A poll asks for all that began since the one before, and for `lookback` before it again, so that
late spans are found; what is stored already changes nothing. A search that is full is asked anew in
two halves, down to a second.

Polled spans say nothing by their absence, since a search may leave out any of them: their sequence
numbers are let go, so that no gap is taken for a loss.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import structlog

from collectors.base import NowNs
from collectors.otlp.intake import Sink
from collectors.otlp.mapping import Mapper, Row
from collectors.otlp.span import Decoded, Outcome
from collectors.trace_link import SIDE_BY_SIDE
from collectors.traces import NS, Cut, Part, TraceError, TraceSource, Window
from store.base import StoreError
from store.messages import InvalidationRow, ReceiptRow

MOST_SEARCHES: Final = 64
"""Searches of one poll, halves included."""
CATCH_UP_NS: Final = 3600 * NS
"""How much more than `lookback` is asked for after an outage."""
GROUP_ROWS: Final = 5_000

log = structlog.get_logger()


@dataclass(slots=True)
class Polled:
    """What one poll brought: searches made, spans by what became of them, and what was cut off."""

    searches: int = 0
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    cut: Counter[Cut] = field(default_factory=Counter)


class Poller:
    """Polls one source; one poll at a time. `now_ns` is wall time, Unix nanoseconds."""

    def __init__(
        self, source: TraceSource, mapper: Mapper, sink: Sink, now_ns: NowNs, lookback_ns: int
    ) -> None:
        self._source, self._mapper, self._sink = source, mapper, sink
        self._now_ns, self._lookback_ns = now_ns, lookback_ns
        self._read_until_ns: int | None = None
        self._rows: list[Row] = []

    async def poll(self, polled: Polled) -> None:
        """Read and store what there is, and count it in `polled`. Raises TraceError, StoreError.

        After an error the next poll asks for the same again; what was stored until then stays.
        """
        now_ns = self._now_ns()
        window, is_gap = self._due(now_ns)
        self._rows.clear()
        read: set[str] = set()
        try:
            for which in range(self._source.searches):
                await self._read(which, window, read, polled)
        finally:
            await self._flush(polled)
        self._read_until_ns = now_ns
        if is_gap:
            polled.cut[Cut.OUTAGE] += 1

    def _due(self, now_ns: int) -> tuple[Window, bool]:
        """What is to be asked for, and whether some time before it is given up."""
        if self._read_until_ns is None:
            self._read_until_ns = now_ns  # a source that is down from the start is caught up with
        last_ns = min(now_ns, self._read_until_ns)
        oldest_ns = now_ns - self._lookback_ns - CATCH_UP_NS
        from_ns = last_ns - self._lookback_ns
        window = Window(max(from_ns, oldest_ns, 0) // NS, -(-now_ns // NS) + 1)
        return window, from_ns < oldest_ns

    async def _read(self, which: int, window: Window, read: set[str], polled: Polled) -> None:
        """One search and, where it is full, its halves: newest first."""
        left = [window]
        searches = 0
        while left:
            window = left.pop()
            found = await self._source.search(which, window)
            polled.searches += 1
            searches += 1
            halves = window.halves() if searches + len(left) + 2 <= MOST_SEARCHES else None
            await self._take(found.spans, polled)
            if found.cut is not None and halves is not None:
                left += halves
                continue
            if found.cut is not None:
                polled.cut[found.cut] += 1
            await self._read_traces([id for id in found.trace_ids if id not in read], polled)
            read.update(found.trace_ids)

    async def _read_traces(self, ids: Sequence[str], polled: Polled) -> None:
        for some in _groups(ids):
            async with asyncio.TaskGroup() as group:
                reads = [group.create_task(_outcome(self._source, id)) for id in some]
            for done in (each.result() for each in reads):
                if isinstance(done, TraceError):
                    raise done
                await self._take(done.spans, polled)
                if done.cut is not None:
                    polled.cut[done.cut] += 1

    async def _take(self, spans: Sequence[Decoded], polled: Polled) -> None:
        """Rows of spans; written once there are many."""
        if spans:
            rows, outcomes = await asyncio.to_thread(self._map, spans)
            self._rows += rows
            polled.outcomes.update(outcomes)
        if len(self._rows) >= GROUP_ROWS:
            await self._flush(polled)

    def _map(self, spans: Sequence[Decoded]) -> tuple[list[Row], Counter[Outcome]]:
        now_ns = self._now_ns()
        rows: list[Row] = []
        outcomes: Counter[Outcome] = Counter()
        for span in spans:
            row = span if isinstance(span, Outcome) else self._mapper.row(span, now_ns)
            if isinstance(row, Outcome):
                outcomes[row] += 1
                continue
            is_invalidation = isinstance(row, InvalidationRow)
            outcomes[Outcome.INVALIDATION if is_invalidation else Outcome.RECEIPT] += 1
            rows.append(replace(row, sequence=None))
        return rows, outcomes

    async def _flush(self, polled: Polled) -> None:
        rows, self._rows = self._rows, []
        if rows:
            unstored = await asyncio.to_thread(self._write, rows)
            if unstored:
                polled.cut[Cut.STORE] += unstored

    def _write(self, rows: Sequence[Row]) -> int:
        """Make rows durable; how many could not be. Raises StoreError where none can be now."""
        try:
            self._sink.write_messages(
                [row for row in rows if isinstance(row, InvalidationRow)],
                [row for row in rows if isinstance(row, ReceiptRow)],
            )
        except StoreError:
            raise
        except Exception:
            if len(rows) == 1:
                log.exception("a polled span could not be stored")
                return 1
            middle = len(rows) // 2
            return self._write(rows[:middle]) + self._write(rows[middle:])
        return 0


async def _outcome(source: TraceSource, id: str) -> Part | TraceError:
    try:
        return await source.read_trace(id)
    except TraceError as error:
        return error


def _groups(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for at in range(0, len(ids), SIDE_BY_SIDE):
        yield ids[at : at + SIDE_BY_SIDE]
