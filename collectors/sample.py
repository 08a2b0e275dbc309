"""Which keys the next round reads: those that stand for all keys, and others besides.

A walk visits each key equally often; where a keyspace is huge, random draws may take its place. Hot
keys are drawn in proportion to their traffic. These make up the share of fresh reads, weighted by
traffic (`freshness.strata`). Pinned, recently changed and canary keys are read in strata of their
own, which never enter it.
"""

import random
from bisect import bisect_right
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple

from freshness.rollup import Reads
from freshness.strata import CANARY, HOT, PINNED, RANDOM, RECENT, RECHECK, WALK
from freshness.traffic import Drawing, Traffic, Weighing, known_traffic, weigh

REMEMBERED_CHANGES = 256


class Sample(NamedTuple):
    """Keys that are read together and counted in one stratum; without weights, each weighs 1."""

    stratum: str
    keys: Sequence[str]
    weights: Sequence[float] | None = None

    def chunks(self, size: int) -> "Iterator[Sample]":
        """The same in pieces of at most so many keys."""
        size = max(1, size)
        for at in range(0, len(self.keys), size):
            weights = None if self.weights is None else self.weights[at : at + size]
            yield Sample(self.stratum, self.keys[at : at + size], weights)

    def only(self, positions: Sequence[int]) -> "Sample":
        """The same for some of its keys, by position."""
        weights = None if self.weights is None else [self.weights[at] for at in positions]
        return Sample(self.stratum, [self.keys[at] for at in positions], weights)

    def weight(self, at: int) -> float:
        """What one of its reads weighs, by position."""
        return 1.0 if self.weights is None else self.weights[at]

    def spread(self, reads: Reads, but: Collection[int] = ()) -> Reads:
        """Reads that came out alike, of all of its keys but those at some positions."""
        n = len(self.keys) - len(but)
        if self.weights is None or n <= 0:
            return reads._replace(n=n)
        kept = self.weights
        if but:
            kept = [weight for at, weight in enumerate(kept) if at not in but]
        squares = sum(weight * weight for weight in kept)
        return reads._replace(n=n, weight=sum(kept) / n, mean_square=squares / n)


class Sampler:
    """Takes `size` keys a round; `recent_share` of them go to keys that changed of late.

    `hot_share` of them are drawn in proportion to traffic, once any is known. With `is_random` the
    others are drawn at random, else a walk takes them in turn. `canaries` are keys that Stalewatch
    writes itself: each is in every round, and none of them stands for any other key.
    """

    def __init__(
        self,
        keys: Iterable[str],
        size: int,
        pinned: Iterable[str] = (),
        recent_share: float = 0.0,
        hot_share: float = 0.0,
        is_random: bool = False,
        canaries: Iterable[str] = (),
        rng: random.Random | None = None,
    ) -> None:
        self._canaries = list(dict.fromkeys(canaries))
        self._size = max(1, size)
        self._pinned = list(dict.fromkeys(pinned))
        self._draws = round(self._size * hot_share)
        self._walk_size = max(1, round(self._size * (1 - recent_share)) - self._draws)
        self._is_random = is_random
        self._rng = rng or random.Random()
        self._recent: deque[str] = deque(maxlen=REMEMBERED_CHANGES)
        self._at = 0
        self._turn = 0
        self._known: frozenset[str] | None = None
        self._keys = self._drawable(keys)
        self._traffic: Traffic | None = None
        self._weighing: Weighing | None = None
        self._hot: Sequence[str] = ()
        self._hot_sums: Sequence[float] = ()

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
        """How many rounds it takes to visit every key once; of random draws, on average."""
        return max(1, -(-len(self._keys) // self._walk_size))

    @property
    def keys(self) -> Sequence[str]:
        """Every key that is read, the pinned ones and the canaries included."""
        return list(dict.fromkeys((*self._keys, *self._pinned, *self._canaries)))

    @property
    def knows_traffic(self) -> bool:
        """Whether reads are weighted."""
        return self._weighing is not None

    def has_only(self, keys: Sequence[str]) -> bool:
        """Whether the walk visits these keys already, in this order."""
        return self._keys == self._drawable(keys)

    def replace_keys(self, keys: Iterable[str]) -> None:
        """Walk over these keys from now on; the walk goes on where it is."""
        self._keys, self._known = self._drawable(keys), None
        self._at %= max(1, len(self._keys))
        watched = {*self._keys}
        self._recent = deque((k for k in self._recent if k in watched), self._recent.maxlen)
        self._weigh()

    def replace_traffic(self, traffic: Traffic | None) -> None:
        """Draw and weigh by this traffic from the next round on; None is not known."""
        self._traffic = traffic
        self._weigh()

    def note_change(self, key: str) -> None:
        """Remember that a key changed at the origin."""
        if key not in self._canaries:
            self._recent.append(key)

    def next(self, suspects: Iterable[str] = ()) -> list[Sample]:
        """The samples of the next round, without any key twice.

        Some of the `suspects`, keys with an open finding, are in each, so that none of them has to
        wait for the walk to be seen healed. Representative keys come first: that a key is pinned or
        suspected must not take it out of the share.
        """
        walk = self._draw_random() if self._is_random else self._walk()
        taken = set(walk)
        hot = self._draw_hot(taken)
        taken.update(hot)
        pinned = [key for key in self._pinned if key not in taken and key not in self._canaries]
        taken.update((*pinned, *self._canaries))
        recent = [key for key in dict.fromkeys(reversed(self._recent)) if key not in taken]
        room = max(0, self._size - self._walk_size - self._draws)
        taken.update(recent[:room])
        again = self._take_turns([key for key in dict.fromkeys(suspects) if key not in taken])
        samples = (
            self._weighed(RANDOM if self._is_random else WALK, walk),
            self._weighed(HOT, hot),
            Sample(PINNED, pinned),
            Sample(RECENT, recent[:room]),
            Sample(CANARY, self._canaries),
            Sample(RECHECK, again),
        )
        return [sample for sample in samples if sample.keys]

    def _drawable(self, keys: Iterable[str]) -> list[str]:
        """Each key once; canaries are nobody's traffic."""
        unique = dict.fromkeys(keys)
        for key in self._canaries:
            unique.pop(key, None)
        return list(unique)

    def _weigh(self) -> None:
        """Work out what the keys weigh, and by what the hot ones are drawn."""
        self._weighing, self._hot, self._hot_sums = None, (), ()
        if self._traffic is None or not self._keys:
            return
        share = min(1.0, self._walk_size / len(self._keys))
        self._weighing = weigh(self._traffic, self._keys, Drawing(share, self._draws))
        if self._draws:
            known = known_traffic(self._traffic, self._keys)
            self._hot = [key for key, weight in known.items() if weight > 0]
            self._hot_sums = list(accumulate(known[key] for key in self._hot))

    def _weighed(self, stratum: str, keys: Sequence[str]) -> Sample:
        weighing = self._weighing
        return Sample(stratum, keys, None if weighing is None else weighing.of(keys))

    def _draw_hot(self, taken: Collection[str]) -> list[str]:
        """Some keys, each draw in proportion to traffic; what is read already is not read twice."""
        if not self._hot:
            return []
        last, whole = len(self._hot) - 1, self._hot_sums[-1]
        points = (self._rng.random() * whole for _ in range(self._draws))
        drawn = (self._hot[min(last, bisect_right(self._hot_sums, point))] for point in points)
        return [key for key in dict.fromkeys(drawn) if key not in taken]

    def _draw_random(self) -> list[str]:
        """Every key as likely as any other, none of them twice."""
        if self._walk_size >= len(self._keys):
            return self._keys
        return self._rng.sample(self._keys, self._walk_size)

    def _take_turns(self, suspects: list[str]) -> list[str]:
        """As many suspects as the walk takes keys; where there are more, others each round."""
        size = self._walk_size
        if len(suspects) <= size:
            return suspects
        self._turn = (self._turn + size) % len(suspects)
        return (suspects[self._turn :] + suspects[: self._turn])[:size]

    def _walk(self) -> list[str]:
        size = self._walk_size
        if size >= len(self._keys):
            return self._keys
        walk = self._keys[self._at : self._at + size]
        walk += self._keys[: size - len(walk)]
        self._at = (self._at + size) % len(self._keys)
        return walk
