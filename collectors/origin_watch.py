"""The origin of one keyspace under watch: asked in batches, its answers kept as runs and evidence.

It decides nothing: what an answer means for the copies, the ledger and the nodes tell.
"""

from collections.abc import Callable, Iterable, Sequence

from collectors.base import Origin, Reply
from collectors.journal import Journal
from collectors.origin_standing import OriginStanding
from freshness.ledger import Ledger, Look
from freshness.runs import Run
from store.base import ORIGIN


class OriginWatch:
    """Asks `origin`, and hands every answer to `heard` as a look.

    `noted` is told layer, node and nanoseconds of each read.
    """

    def __init__(
        self,
        name: str,
        kind: str,
        address: str,
        origin: Origin,
        ledger: Ledger,
        journal: Journal,
        heard: Callable[[Look], None],
        noted: Callable[[str, str, int], None],
    ) -> None:
        self.name = name
        self.origin = origin
        self.ledger = ledger
        self._journal = journal
        self._heard = heard
        self._noted = noted
        self._is_led = True
        self._standing = OriginStanding(name, kind, address, journal)

    async def ask(self, keys: Sequence[str]) -> tuple[Look | None, str]:
        """What the origin says of keys, and why it did not; no look where it was not asked."""
        ledger = self.ledger
        reply = await self.origin.read(keys)
        if not reply.was_asked or ledger is not self.ledger:
            # Of a clock that has ended meanwhile, a stamp says nothing.
            return None, reply.why
        self._noted(ORIGIN, self.name, reply.end_ns - reply.start_ns)
        return self._look(keys, reply), reply.why

    def close(self, why: str) -> list[tuple[str, Run]]:
        """End every open run; those that hold a value, by key."""
        newest = [(key, run) for key, run in self.ledger.book.close(why) if run.value is not None]
        for key, run in newest:
            self._put(key, run)
        return newest

    def forget(self, keys: Iterable[str]) -> None:
        """Let go of keys that are no longer watched."""
        keys = list(keys)
        for key in keys:
            run = self.ledger.book.forget(key, "gone")
            if run is not None:
                self._put(key, run)
        self.ledger.forget(keys)

    def put_row(self) -> None:
        """Write how the origin stands."""
        self._standing.put_row()

    def _look(self, keys: Sequence[str], reply: Reply) -> Look:
        # Who gave no answer gave no sign of a fail-over either.
        self._is_led = self._is_led if reply.why else self.origin.linearizable
        look = self.ledger.observe_origin(
            keys, reply.readings, reply.start_ns, reply.end_ns, self._is_led
        )
        for change in look.changes:
            if change.ended is not None:
                self._put(change.key, change.ended)
            self._put(change.key, change.begun)
        self._standing.note(reply)
        self._heard(look)
        return look

    def _put(self, key: str, run: Run) -> None:
        self._journal.put_run(ORIGIN, self.name, key, run)
