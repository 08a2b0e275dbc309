"""Faults that make no copy stale, and whether each was told by the signal of its own class.

A torn copy by a verdict, a wrong lifetime by a time to live over the documented one, a wrong clock
by a receipt that its stamps cannot be true of, a message that came twice by two words on it.
"""

import threading
import time
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from freshness.histogram import bucket_span
from freshness.model import Reason
from freshness.propagation import Caveat, Message, Word, judge_claim
from lab.catalogue import KEYSPACE, TTL_S
from store.base import Store
from store.messages import Told
from store.sqlite import SqliteStore

LOOK_S: Final = 1.0
ARRIVES_S: Final = 5.0
"""So long after a fault its last evidence may come: spans and readings are stored in batches."""
EVER_S: Final = 3_600.0
MOST_KEYS: Final = 5
"""Keys of one fault that are looked at: a whole node has many."""
Fault = Mapping[str, Any]
NodeName = tuple[str, str]


class LifetimeWatch:
    """Looks at a store, while it fills, for entries that had longer to live than is documented.

    The store counts them by ten minutes, so that only looking on tells which fault they were of.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._looks: list[tuple[float, Counter[NodeName]]] = []
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._look_on, daemon=True)

    def __enter__(self) -> "LifetimeWatch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()

    def has_grown(self, fault: Fault) -> bool:
        """Whether more of them were met at the node of a fault while it lasted."""
        name = fault["layer"], fault["node"]
        return self._count(_end_s(fault) + ARRIVES_S)[name] > self._count(fault["start"])[name]

    def _count(self, at_s: float) -> Counter[NodeName]:
        at = bisect_right(self._looks, at_s, key=lambda look: look[0])
        return self._looks[at - 1][1] if at else Counter()

    def _look_on(self) -> None:
        store = SqliteStore(str(self._path))
        try:
            while not self._is_over.wait(LOOK_S):
                self._looks.append((time.time(), _too_long(store)))
        finally:
            store.close()


def _too_long(store: Store) -> Counter[NodeName]:
    """Entries so far that never expire, or were to live on for longer than twice the documented."""
    counts: Counter[NodeName] = Counter()
    for key, cell in store.ttl_samples(time.time_ns() - int(EVER_S * 1e9), time.time_ns()):
        most_ns = 2e9 * TTL_S.get(key.layer, EVER_S)
        buckets = cell.remaining.buckets.items()
        long = sum(n for index, n in buckets if bucket_span(index).low_ns > most_ns)
        counts[key.layer, key.node] += cell.endless + long
    return counts


def tell_signals(store: Store, faults: Sequence[Fault], watch: LifetimeWatch) -> None:
    """Of each class with a signal of its own: how many of its faults it told, and of others."""
    signs: Mapping[str, Callable[[Fault], bool]] = {
        "wrong_ttl": watch.has_grown,
        "clock_skew": lambda fault: _has_wrong_stamps(store, fault),
        "torn_value": lambda fault: _is_seen_torn(store, fault),
        "duplicate": lambda fault: _is_heard_twice(store, fault),
    }
    told: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for fault in faults:
        for kind, sign in signs.items():
            told[kind][fault["kind"]] += sign(fault)
    totals = Counter(fault["kind"] for fault in faults)
    print("faults that make no copy stale, told by the signal of their own")
    for kind in (kind for kind in signs if totals[kind]):
        own = told[kind].pop(kind)
        others = ", ".join(f"{other} {n}" for other, n in told[kind].items() if n)
        print(f"  {kind:<20} {own:>3} of {totals[kind]}; of other classes: {others or 'none'}")


def _has_wrong_stamps(store: Store, fault: Fault) -> bool:
    """Whether a receipt of its node, on a message about its keys, contradicts another clock."""
    for told in _messages(store, fault):
        sent = told.invalidation
        message = Message(sent.written_at_ns, sent.received_at_ns, sent.host, sent.version)
        words = [
            Word(each.outcome, each.at_ns, each.received_at_ns, each.host)
            for each in told.receipts
            if (each.layer, each.node) == (fault["layer"], fault["node"])
        ]
        if judge_claim(message, words, None, time.time_ns()).caveat is Caveat.CLOCKS_DISAGREE:
            return True
    return False


def _is_seen_torn(store: Store, fault: Fault) -> bool:
    """Whether a copy of its keys at its node was read to be torn."""
    since_ns, until_ns = _span(fault)
    return any(
        read.reason is Reason.TORN and (read.layer, read.node) == (fault["layer"], fault["node"])
        for key in fault["keys"][:MOST_KEYS]
        for read, _ in store.reads(KEYSPACE, key, None, since_ns, until_ns)
    )


def _is_heard_twice(store: Store, fault: Fault) -> bool:
    """Whether its node spoke twice of one message about its keys."""
    return any(
        sum((each.layer, each.node) == (fault["layer"], fault["node"]) for each in told.receipts)
        > 1
        for told in _messages(store, fault)
    )


def _messages(store: Store, fault: Fault) -> Iterator[Told]:
    for key in fault["keys"][:MOST_KEYS]:
        yield from store.invalidations(*_span(fault), KEYSPACE, key).items


def _span(fault: Fault) -> tuple[int, int]:
    return int(fault["start"] * 1e9), int((_end_s(fault) + ARRIVES_S) * 1e9)


def _end_s(fault: Fault) -> float:
    return time.time() if fault["end"] is None else float(fault["end"])
