"""Files that are read again once they have changed."""

from collections.abc import Sequence
from pathlib import Path

Stamp = tuple[tuple[int, int, int], ...]


def stamp(paths: Sequence[Path]) -> Stamp:
    """What differs once one of the files has been written or replaced. Raises OSError."""
    stats = [path.stat() for path in paths]
    return tuple((s.st_mtime_ns, s.st_size, s.st_ino) for s in stats)
