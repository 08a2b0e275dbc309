"""Which keys the next round reads: a walk over all of them, beside the pinned and the recent ones.

The walk visits each key equally often, so its reads stand for all keys alike. Pinned and recently
changed keys are read besides, in strata of their own, which never enter the share of fresh reads.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from freshness.rollup import SAMPLED

WALK, PINNED, RECENT, RECHECK = SAMPLED, "pinned", "recent", "recheck"
REMEMBERED_CHANGES = 256


class Sample(NamedTuple):
    """Keys that are read together and counted in one stratum."""

    stratum: str
    keys: Sequence[str]


class Sampler:
    """Takes `size` keys a round; `recent_share` of them go to keys that changed of late."""

    def __init__(
        self,
        keys: Iterable[str],
        size: int,
        pinned: Iterable[str] = (),
        recent_share: float = 0.0,
    ) -> None:
        self._keys = list(dict.fromkeys(keys))
        self._size = max(1, size)
        self._pinned = list(dict.fromkeys(pinned))
        self._recent_share = recent_share
        self._recent: deque[str] = deque(maxlen=REMEMBERED_CHANGES)
        self._at = 0
        self._turn = 0
        self._known: frozenset[str] | None = None

    @property
    def listed(self) -> Sequence[str]:
        """The keys that the walk visits, as they are: not to be changed."""
        return self._keys

    def lists(self, key: str) -> bool:
        """Whether a key is read here without being suspected of anything."""
        if self._known is None:
            self._known = frozenset(self.keys)
        return key in self._known

    @property
    def rounds_per_walk(self) -> int:
        """How many rounds it takes to visit every key once."""
        return max(1, -(-len(self._keys) // self._walk_size()))

    @property
    def keys(self) -> Sequence[str]:
        """Every key that is read, the pinned ones included."""
        return list(dict.fromkeys((*self._keys, *self._pinned)))

    def has_only(self, keys: Sequence[str]) -> bool:
        """Whether the walk visits these keys already, in this order."""
        return self._keys == list(keys)

    def replace_keys(self, keys: Iterable[str]) -> None:
        """Walk over these keys from now on; the walk goes on where it is."""
        self._keys, self._known = list(dict.fromkeys(keys)), None
        self._at %= max(1, len(self._keys))
        watched = {*self._keys}
        self._recent = deque((k for k in self._recent if k in watched), self._recent.maxlen)

    def note_change(self, key: str) -> None:
        """Remember that a key changed at the origin."""
        self._recent.append(key)

    def next(self, suspects: Iterable[str] = ()) -> list[Sample]:
        """The samples of the next round, without any key twice.

        Some of the `suspects`, keys with an open finding, are in each, so that none of them has to
        wait for the walk to be seen healed.
        """
        walk = self._walk()
        taken = set(walk)
        pinned = [key for key in self._pinned if key not in taken]
        taken.update(pinned)
        recent = [key for key in dict.fromkeys(reversed(self._recent)) if key not in taken]
        room = self._size - self._walk_size()
        taken.update(recent[:room])
        again = self._take_turns([key for key in dict.fromkeys(suspects) if key not in taken])
        samples = (
            Sample(WALK, walk),
            Sample(PINNED, pinned),
            Sample(RECENT, recent[:room]),
            Sample(RECHECK, again),
        )
        return [sample for sample in samples if sample.keys]

    def _take_turns(self, suspects: list[str]) -> list[str]:
        """As many suspects as the walk takes keys; where there are more, others each round."""
        size = self._walk_size()
        if len(suspects) <= size:
            return suspects
        self._turn = (self._turn + size) % len(suspects)
        return (suspects[self._turn :] + suspects[: self._turn])[:size]

    def _walk_size(self) -> int:
        return max(1, round(self._size * (1 - self._recent_share)))

    def _walk(self) -> list[str]:
        size = self._walk_size()
        if size >= len(self._keys):
            return self._keys
        walk = self._keys[self._at : self._at + size]
        walk += self._keys[: size - len(walk)]
        self._at = (self._at + size) % len(self._keys)
        return walk
