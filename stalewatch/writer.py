"""A thread that makes batches durable, so that no probe waits for a disk."""

import threading
import time
from collections import deque
from collections.abc import Callable
from itertools import count

import structlog

from store.base import Batch, BatchError, Store

FULL_AT = 256
"""Batches in waiting beyond which rounds are put off; none is ever dropped."""
FIRST_RETRY_S, LONGEST_RETRY_S = 0.1, 10.0

log = structlog.get_logger()


class StoreWriter:
    """Writes batches in the order they came, each in a transaction, and again until it succeeds.

    `written` is called after each with the batch and the seconds it took, `refused` for each that
    the store can never take.
    """

    def __init__(
        self,
        store: Store,
        written: Callable[[Batch, float], None],
        refused: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._written = written
        self._refused = refused
        self._waiting: deque[Batch] = deque()
        self._wake = threading.Condition()
        self._is_closing = threading.Event()
        self._is_idle = True
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self.problem = ""

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def put(self, batch: Batch) -> None:
        """Take a batch; never blocks."""
        with self._wake:
            self._waiting.append(batch)
            self._wake.notify_all()

    @property
    def depth(self) -> int:
        """How many batches wait."""
        return len(self._waiting)

    @property
    def has_room(self) -> bool:
        """Whether more may be gathered now."""
        return self.depth < FULL_AT

    def drain(self, timeout_s: float) -> bool:
        """Wait until everything is written; whether it was."""
        with self._wake:
            return self._wake.wait_for(lambda: not self._waiting and self._is_idle, timeout_s)

    def close(self, timeout_s: float = 5.0) -> None:
        """Write what waits, then stop; what a broken store does not take in time is logged."""
        is_written = not self._thread.is_alive() or self.drain(timeout_s)
        self._is_closing.set()
        with self._wake:
            self._wake.notify_all()
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        if not is_written:
            log.error("batches were not written", batches=self.depth, why=self.problem)

    def _run(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._waiting or self._is_closing.is_set())
                if not self._waiting:
                    return
                self._is_idle = False
                batch = self._waiting[0]
            is_done = self._write(batch)
            with self._wake:
                if is_done:
                    self._waiting.popleft()
                self._is_idle = True
                self._wake.notify_all()
            if not is_done:
                return

    def _write(self, batch: Batch) -> bool:
        """Write one batch, with patience; False where closing cut the patience short."""
        for attempt in count():
            start = time.monotonic()
            try:
                self._store.write(batch)
            except BatchError as error:
                # No patience helps; waiting for it would hold up everything that comes after.
                log.error("a batch is refused and set aside", why=str(error))
                self._refused()
                return True
            except Exception as error:
                if not self.problem:
                    log.error("the store takes no writes", why=str(error))
                self.problem = str(error) or repr(error)
                wait_s = min(LONGEST_RETRY_S, FIRST_RETRY_S * 2**attempt)
                if self._is_closing.wait(wait_s):
                    return False
            else:
                self._note_written(batch, time.monotonic() - start)
                return True
        return False

    def _note_written(self, batch: Batch, took_s: float) -> None:
        if self.problem:
            log.info("the store takes writes again")
        self.problem = ""
        try:
            self._written(batch, took_s)
        except Exception:
            log.exception("what was written could not be counted")
