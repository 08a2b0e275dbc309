"""The queue between the network and the store: raw bytes, bounded, and the thread that empties it.

A request is charged to the budget while it is received and until it is answered; without room it is
turned away before anybody looks inside. One thread decodes whatever waits and makes it durable in
one transaction, then answers: acknowledged means durable.
"""

import asyncio
import threading
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final, Protocol

import structlog

from collectors.base import NowNs
from collectors.otlp.json_walk import decode_json
from collectors.otlp.mapping import Mapper
from collectors.otlp.protobuf import decode_protobuf
from collectors.otlp.span import DecodeError, Outcome
from collectors.otlp.wire import (
    Answer,
    Encoding,
    GzipError,
    TooLargeError,
    accepted,
    busy,
    inflate,
    refusal,
)
from store.base import StoreError
from store.messages import InvalidationRow, ReceiptRow

QUEUE_BYTES: Final = 32 * 2**20
CHARGE_BYTES: Final = 4096
"""What a request costs besides its body, so that empty ones are bounded too."""
GROUP_ROWS: Final = 10_000
"""Rows after which a transaction takes no further request."""
_DECODERS: Final = {Encoding.PROTOBUF: decode_protobuf, Encoding.JSON: decode_json}
_NS: Final = 10**9

log = structlog.get_logger()


class Sink(Protocol):
    """Where rows become durable: `store.messages.Messages`, of which this is all that is needed."""

    def write_messages(
        self, invalidations: Sequence[InvalidationRow], receipts: Sequence[ReceiptRow]
    ) -> None:
        """Make them durable in one transaction."""
        ...


class IntakeWatch(Protocol):
    """Who counts; called from the thread that writes."""

    def note_spans(self, outcomes: Mapping[Outcome, int]) -> None:
        """Spans of one request that was answered with 200."""
        ...

    def observe_group(self, seconds: float) -> None:
        """One group was decoded and written."""
        ...


@dataclass(frozen=True, slots=True)
class Posted:
    """One request as it came. `settle` takes its answer, from any thread."""

    body: bytes
    encoding: Encoding
    is_gzip: bool
    received_at_ns: int
    settle: Callable[[Answer], None]


@dataclass(slots=True)
class _Read:
    """A request that was decoded."""

    posted: Posted
    invalidations: list[InvalidationRow] = field(default_factory=list)
    receipts: list[ReceiptRow] = field(default_factory=list)
    outcomes: Counter[Outcome] = field(default_factory=Counter)

    @property
    def rows(self) -> int:
        return len(self.invalidations) + len(self.receipts)


class Intake:
    """Takes requests from an event loop; `names` and `mapper` say what is read of a span.

    `monotonic_ns` serves to measure how long a group takes.
    """

    def __init__(
        self,
        sink: Sink,
        names: Mapping[str, str],
        mapper: Mapper,
        watch: IntakeWatch,
        monotonic_ns: NowNs,
        most_bytes: int,
    ) -> None:
        self.most_bytes = most_bytes
        """Bytes that one request may have, packed or unpacked."""
        self._sink, self._names, self._mapper = sink, names, mapper
        self._watch, self._monotonic_ns = watch, monotonic_ns
        self._room = max(QUEUE_BYTES, 2 * (most_bytes + CHARGE_BYTES))
        self._charged = 0
        self._waiting: deque[Posted] = deque()
        self._wake = threading.Condition()
        self._is_closing = False
        self._thread = threading.Thread(target=self._run, name="otlp-intake", daemon=True)

    def start(self) -> None:
        """Begin to decode and write."""
        self._thread.start()

    def close(self, timeout_s: float) -> None:
        """Take no more, and answer what waits."""
        with self._wake:
            self._is_closing = True
            self._wake.notify_all()
        self._thread.join(timeout_s)

    @property
    def depth(self) -> int:
        """How many requests wait."""
        return len(self._waiting)

    @property
    def charged_bytes(self) -> int:
        """Bytes of the requests that are being received, wait or are being written."""
        return self._charged

    def charge(self, size: int) -> bool:
        """Take room for so many bytes; False where there is none, or the end has come."""
        with self._wake:
            has_room = self._charged + size <= self._room and not self._is_closing
            self._charged += size * has_room
            return has_room

    def discharge(self, size: int) -> None:
        """Give room back."""
        with self._wake:
            self._charged -= size

    async def submit(
        self, body: bytes, encoding: Encoding, is_gzip: bool, received_at_ns: int
    ) -> Answer:
        """The answer to a body, whose size and charge are paid by the caller until it comes."""
        loop = asyncio.get_running_loop()
        answered: asyncio.Future[Answer] = loop.create_future()

        def settle(answer: Answer) -> None:
            loop.call_soon_threadsafe(_set, answered, answer)

        with self._wake:
            if self._is_closing:
                return busy("the server is ending", encoding)
            self._waiting.append(Posted(body, encoding, is_gzip, received_at_ns, settle))
            self._wake.notify_all()
        return await answered

    def _run(self) -> None:
        while (posted := self._next(waits=True)) is not None:
            began = self._monotonic_ns()
            group: list[_Read] = []
            rows = 0
            while posted is not None:
                read = self._read(posted)
                if read is not None:
                    group.append(read)
                    rows += read.rows
                posted = self._next(waits=False) if rows < GROUP_ROWS else None
            self._write(group)
            self._watch.observe_group((self._monotonic_ns() - began) / _NS)

    def _next(self, *, waits: bool) -> Posted | None:
        """The next request; None where nothing waits, or everything has ended."""
        with self._wake:
            if waits:
                self._wake.wait_for(lambda: self._waiting or self._is_closing)
            return self._waiting.popleft() if self._waiting else None

    def _read(self, posted: Posted) -> _Read | None:
        """What is in a request; None where it was answered with why it cannot be read."""
        try:
            return self._decode(posted)
        except TooLargeError as error:
            status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
            posted.settle(refusal(status, str(error), posted.encoding))
        except (GzipError, DecodeError) as error:
            posted.settle(refusal(HTTPStatus.BAD_REQUEST, str(error), posted.encoding))
        except Exception:
            # Whatever it was, one request must not end the thread that all others wait for.
            log.exception("a request could not be read")
            answer = refusal(HTTPStatus.BAD_REQUEST, "the body cannot be read", posted.encoding)
            posted.settle(answer)
        return None

    def _decode(self, posted: Posted) -> _Read:
        read = _Read(posted)
        body = inflate(posted.body, self.most_bytes) if posted.is_gzip else posted.body
        for span in _DECODERS[posted.encoding](body, self._names):
            if isinstance(span, Outcome):
                read.outcomes[span] += 1
                continue
            row = self._mapper.row(span, posted.received_at_ns)
            if isinstance(row, InvalidationRow):
                read.invalidations.append(row)
                read.outcomes[Outcome.INVALIDATION] += 1
            elif isinstance(row, ReceiptRow):
                read.receipts.append(row)
                read.outcomes[Outcome.RECEIPT] += 1
            else:
                read.outcomes[row] += 1
        return read

    def _write(self, group: Sequence[_Read]) -> None:
        try:
            invalidations = [row for read in group for row in read.invalidations]
            receipts = [row for read in group for row in read.receipts]
            if invalidations or receipts:
                self._sink.write_messages(invalidations, receipts)
        except StoreError as error:
            log.error("the store takes no messages", why=str(error))
            for read in group:
                read.posted.settle(busy("the store takes no writes now", read.posted.encoding))
        except Exception:
            self._write_apart(group)
        else:
            for read in group:
                self._watch.note_spans(read.outcomes)
                read.posted.settle(accepted(read.posted.encoding, read.outcomes))

    def _write_apart(self, group: Sequence[_Read]) -> None:
        """Find the request that cannot be stored, so that it takes no other with it."""
        if len(group) > 1:
            for read in group:
                self._write([read])
            return
        log.exception("a request could not be stored")
        for read in group:
            encoding = read.posted.encoding
            read.posted.settle(
                refusal(HTTPStatus.BAD_REQUEST, "the spans cannot be stored", encoding)
            )


def _set(answered: asyncio.Future[Answer], answer: Answer) -> None:
    if not answered.done():
        answered.set_result(answer)
