"""The observer's clock: the one place where a running system reads the time that bounds rest on.

CLOCK_BOOTTIME goes on while the machine sleeps, which CLOCK_MONOTONIC does not: an hour asleep
between an origin read and a cache read would certify the copy fresh.
"""

import time
from pathlib import Path
from uuid import uuid4

from store.base import Clock

JUMP_NS = 100_000_000
"""Wall time that moves this far against the boot clock opens a new epoch."""
_BOOT = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def wall_ns() -> int:
    """Wall time, Unix nanoseconds: for people and for buckets, never for bounds."""
    return time.time_ns()


class ObserverClock:
    """One machine, one boot, one process, and the epochs of its wall clock."""

    def __init__(self) -> None:
        self._process = f"{_boot_id()}-{uuid4().hex[:8]}"
        self._epoch = 0
        self._row = self._new_row()

    def now_ns(self) -> int:
        """The stamp of this instant, nanoseconds."""
        return time.clock_gettime_ns(_BOOT)

    def as_row(self) -> Clock:
        """The present epoch."""
        return self._row

    def check_epoch(self) -> bool:
        """Open a new epoch where wall time has jumped; whether it had."""
        if abs(_offset_ns() - self._row.wall_offset_ns) < JUMP_NS:
            return False
        self._epoch += 1
        self._row = self._new_row()
        return True

    def _new_row(self) -> Clock:
        offset_ns = _offset_ns()
        return Clock(f"{self._process}-{self._epoch}", offset_ns, self.now_ns() + offset_ns)


def _offset_ns() -> int:
    """Wall time less boot time, from the closest of a few pairs of readings."""
    pairs = []
    for _ in range(3):
        before = time.clock_gettime_ns(_BOOT)
        wall = time.time_ns()
        after = time.clock_gettime_ns(_BOOT)
        pairs.append((after - before, wall - (before + after) // 2))
    return min(pairs)[1]


def _boot_id() -> str:
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()[:8]
    except OSError:
        return "boot"
