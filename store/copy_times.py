"""Seconds of copies as they passed, for the objectives that promise them (`stale-key-seconds`)."""

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from freshness.counts import Counts


class CopyTimeKey(NamedTuple):
    """A minute of the copies at one node; `start_s` is Unix seconds."""

    start_s: int
    keyspace: str
    layer: str
    node: str


class StaleKey(NamedTuple):
    """A minute of one copy that was proven stale in it; `start_s` is Unix seconds."""

    start_s: int
    keyspace: str
    layer: str
    node: str
    key: str


class CopyTimes(Protocol):
    """Counts of seconds by minute and hour; a batch adds to them."""

    def copy_times(
        self, keyspace: str, grain_s: int, since_s: int, until_s: int
    ) -> Mapping[tuple[str, str, int], Counts]:
        """By (layer, node, start): minutes (60) or hours (3600) that begin in [since, until)."""
        ...

    def stale_seconds(
        self, keyspace: str, grain_s: int, since_s: int, until_s: int
    ) -> Mapping[tuple[str, str, str], float]:
        """By (layer, node, key): seconds proven stale in cells that begin in [since, until)."""
        ...
