"""Counters of an nginx cache: its access log in a format of ours, read as it grows.

nginx itself has no hit rate (`stub_status` counts requests alone), but says of each request what
became of it in `$upstream_cache_status`. Lines of our own requests say so by their User-Agent, so
they are left out to the request, and nothing need be subtracted.
"""

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from collectors.base import NowNs
from collectors.counters.base import LARGEST, CounterSample
from freshness.counters import Counters

LOG_FORMAT: Final = '$upstream_cache_status $request_time $request_method "$http_user_agent"'
"""What `log_format` must say; docs/counters.md has the whole snippet."""
MOST_BYTES: Final = 16 << 20
"""What one look reads at most; the next goes on from there."""
LONGEST_LINE_BYTES: Final = 1 << 16
HITS: Final = frozenset({b"HIT", b"STALE", b"UPDATING", b"REVALIDATED"})
MISSES: Final = frozenset({b"MISS", b"EXPIRED"})
_OTHERS: Final = frozenset({b"BYPASS", b"-"})
_DELETIONS: Final = frozenset({b"PURGE", b"BAN"})


@dataclass(slots=True)
class _Totals:
    hits: int = 0
    misses: int = 0
    invalidations: int = 0
    requests: int = 0
    request_us: int = 0
    strange: int = 0
    """Lines in another format."""


class NginxCounters:
    """The counters of one access log, from where it ended when it was first looked at.

    A log that is moved away is read to its end before the new one. One that is cut short begins a
    new life, since lines may have gone unseen.
    """

    def __init__(self, path: Path, now_ns: NowNs, user_agent: str = "stalewatch") -> None:
        self._path = path
        self._now_ns = now_ns
        self._own = f'"{user_agent}"'.encode()
        self._file: BinaryIO | None = None
        self._rest = b""
        self._totals = _Totals()
        self._lives = 0

    async def sample(self) -> CounterSample:
        """Read what has come since."""
        start_ns = self._now_ns()
        try:
            why = await asyncio.to_thread(self._read_on)
        except OSError as error:
            why = f"cannot read {error.filename or self._path}: {error.strerror}"
        if why:
            return CounterSample(start_ns, self._now_ns(), why=why)
        counted = self._totals
        counters = Counters(
            hits=counted.hits,
            misses=counted.misses,
            invalidations=counted.invalidations,
            requests=counted.requests,
            request_us=counted.request_us,
        )
        return CounterSample(start_ns, self._now_ns(), counters, f"log-{self._lives}")

    async def close(self) -> None:
        """Let go of the log."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _read_on(self) -> str:
        """Read what has come since; why nothing can be told, if so."""
        if self._file is None:
            self._file = self._path.open("rb")
            self._file.seek(0, os.SEEK_END)
            self._begin_life()
            return ""
        self._begin_again_if_cut(self._file)
        before = self._totals.requests + self._totals.strange
        strange = self._totals.strange
        if self._take(self._file) and self._has_moved(self._file):
            moved, self._file = self._file, self._path.open("rb")
            moved.close()
            self._rest = b""
            self._take(self._file)
        new = self._totals.requests + self._totals.strange - before
        if new and self._totals.strange - strange == new:
            return f"no line is in the format: {LOG_FORMAT}"
        return ""

    def _begin_life(self) -> None:
        self._lives += 1
        self._rest = b""
        self._totals = _Totals()

    def _begin_again_if_cut(self, file: BinaryIO) -> None:
        if os.fstat(file.fileno()).st_size < file.tell():
            file.seek(0)
            self._begin_life()

    def _has_moved(self, file: BinaryIO) -> bool:
        try:
            there = self._path.stat()
        except FileNotFoundError:
            return False  # moved away, and no new one yet
        mine = os.fstat(file.fileno())
        return (there.st_dev, there.st_ino) != (mine.st_dev, mine.st_ino)

    def _take(self, file: BinaryIO) -> bool:
        """Count lines up to the end of the file; whether it was reached."""
        data = file.read(MOST_BYTES)
        *lines, rest = (self._rest + data).split(b"\n")
        self._rest = rest[:LONGEST_LINE_BYTES]
        for line in lines:
            self._count(line)
        return len(data) < MOST_BYTES

    def _count(self, line: bytes) -> None:
        parts = line.split(None, 3)
        if len(parts) != 4 or parts[0] not in HITS | MISSES | _OTHERS:
            self._totals.strange += 1
            return
        status, time, method, agent = parts
        if agent.strip() == self._own:
            return
        self._totals.hits += status in HITS
        self._totals.misses += status in MISSES
        self._totals.invalidations += method in _DELETIONS
        self._totals.requests += 1
        self._totals.request_us += _microseconds(time)


def _microseconds(seconds: bytes) -> int:
    """`0.123` → 123000."""
    whole, _, rest = seconds.partition(b".")
    if not (whole + rest).isdigit():
        return 0
    return min(int((whole + rest.ljust(6, b"0")[:6])[:18]), LARGEST)
