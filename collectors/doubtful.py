"""Reads that later evidence may settle: the newest undecided one of each key at a node."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from freshness.ledger import Ledger, Look
from freshness.model import Judgement, Reading, Verdict
from store.base import ReadRow


@dataclass(frozen=True, slots=True)
class Doubtful:
    """An undecided read: its row, what was read, how it was judged last, and what it weighs."""

    row: ReadRow
    reading: Reading
    judgement: Judgement
    weight: float = 1.0


class DoubtfulReads:
    """What is still open. A read is let go once a later word of the leader has had its say."""

    def __init__(self) -> None:
        self._reads: dict[str, Doubtful] = {}

    def add(self, key: str, read: Doubtful) -> None:
        """Keep a read that was not decided."""
        self._reads[key] = read

    def forget(self, keys: Iterable[str]) -> None:
        """Let go of keys that are no longer watched."""
        for key in keys:
            self._reads.pop(key, None)

    def clear(self) -> None:
        """Let go of all: the clock began anew."""
        self._reads.clear()

    def settle(self, look: Look, ledger: Ledger) -> Iterator[tuple[str, Doubtful, Judgement]]:
        """Judge the reads of a look's keys anew; those that came out otherwise, with how."""
        if not self._reads:
            return
        for at, key in enumerate(look.keys):
            read = self._reads.get(key)
            if read is None or read.reading.value is None:
                continue
            row = read.row
            judgement = ledger.judge(
                key, read.reading.value, row.start_ns, row.end_ns, row.max_staleness_ns
            )
            is_heard = look.linearizable and look.values[at] is not None
            is_decided = judgement.verdict is not Verdict.INDETERMINATE
            if is_decided or (is_heard and look.start > row.end_ns):
                del self._reads[key]
            else:
                self._reads[key] = replace(read, judgement=judgement)
            if judgement != read.judgement:
                yield key, read, judgement
