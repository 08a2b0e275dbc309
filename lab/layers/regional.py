"""The regional layer: a real Redis a region, written by Lua so that no refill undoes a delete.

Beside `product:{id}` a node keeps, under `lab:*`, the newest version it was told of for each key
(which a refill must reach), the keys that a fault shuts to refills, and a lifetime that one gives.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

import orjson
from redis.asyncio import Redis

from lab.catalogue import HOST, PRODUCTS, TTL_S, NodeAddress, Product, product_from
from lab.layers.copies import NEVER_NS
from lab.layers.ear import Ear
from lab.origin import Origin
from lab.truth import TruthLog
from stalewatch_sdk.message import Invalidation

CUT_OFF: Final = "*"
"""In place of a key, shut to every refill: nothing is filled."""
KEEPS_ALL: Final = "~"
"""In place of a key, shut where there is a copy: nothing is replaced."""

# KEYS: the copy, lab:told, lab:deaf, lab:sequence, lab:ttl. Each answers {done, s, us, sequence,
# lifetime in ms}: the server's own wall clock and order, since several processes write to one node.
_HOLD = """
local ttl = tonumber(redis.call('GET', KEYS[5]) or ARGV[4])
if ttl > 0 then redis.call('SET', KEYS[1], ARGV[3], 'PX', ttl)
else redis.call('SET', KEYS[1], ARGV[3]) end
return {1, t[1], t[2], redis.call('INCR', KEYS[4]), ttl}
"""
_FILL = (
    """
local t, id, version = redis.call('TIME'), ARGV[1], tonumber(ARGV[2])
local refused = {0, t[1], t[2], 0, 0}
local held = redis.call('GET', KEYS[1])
local function is_shut(mark) return redis.call('SISMEMBER', KEYS[3], mark) == 1 end
if is_shut('*') or (held and (is_shut('~') or is_shut(id))) then return refused end
if version < tonumber(redis.call('HGET', KEYS[2], id) or '0') then return refused end
if held and cjson.decode(held).version > version then return refused end
"""
    + _HOLD
)
_DROP = """
local t, id, version = redis.call('TIME'), ARGV[1], tonumber(ARGV[2])
if version > tonumber(redis.call('HGET', KEYS[2], id) or '0') then
  redis.call('HSET', KEYS[2], id, version)
end
local held = redis.call('GET', KEYS[1])
if not held or cjson.decode(held).version >= version then return {0, t[1], t[2], 0, 0} end
redis.call('DEL', KEYS[1])
return {1, t[1], t[2], redis.call('INCR', KEYS[4]), 0}
"""
_PLANT = "local t = redis.call('TIME')\n" + _HOLD
_PURGE = """
local t, done = redis.call('TIME'), redis.call('DEL', KEYS[1])
return {done, t[1], t[2], redis.call('INCR', KEYS[4]), 0}
"""
# KEYS: lab:sequence. All copies as they are at one instant: {s, us, sequence, {{copy, ms}, ...}}.
_ROLL_CALL = """
local t, copies = redis.call('TIME'), {}
for _, name in ipairs(redis.call('KEYS', 'product:*')) do
  copies[#copies + 1] = {redis.call('GET', name), redis.call('PTTL', name)}
end
return {t[1], t[2], redis.call('INCR', KEYS[1]), copies}
"""


class RegionalCache:
    """Reads and writes one Redis; every process that writes to it does so through this."""

    def __init__(self, address: NodeAddress, truth: TruthLog) -> None:
        self.client = Redis(host=HOST, port=address.port, socket_timeout=None)  # one may be paused
        self._node = (address.layer, address.name)
        self._ttl_ms = round(TTL_S[address.layer] * 1000)
        self._truth = truth
        script = self.client.register_script
        self._fill_script: Any = script(_FILL)
        self._drop_script: Any = script(_DROP)
        self._plant_script: Any = script(_PLANT)
        self._purge_script: Any = script(_PURGE)
        self._roll_call_script: Any = script(_ROLL_CALL)

    async def get(self, key: str) -> Product | None:
        """The copy."""
        value = await self.client.get(_copy(key))
        return None if value is None else product_from(orjson.loads(value))

    async def fill(self, product: Product) -> bool:
        """Holds `product`, unless the node was told of or holds a newer one."""
        return await self._put(self._fill_script, product)

    async def plant(self, product: Product) -> None:
        """Holds `product` whatever was told."""
        await self._put(self._plant_script, product)

    async def drop_older(self, key: str, version: int) -> None:
        """Removes the copy where it is older than `version`, and refuses such refills for good."""
        await self._remove(self._drop_script, key, version)

    async def purge(self, key: str) -> None:
        """Removes the copy."""
        await self._remove(self._purge_script, key)

    async def pause(self, for_s: float) -> None:
        """Has the server answer nobody for so long; tells the truth that no copy is served."""
        async with self.client.pipeline(transaction=True) as both:  # at one instant
            both.eval(_ROLL_CALL, 1, "lab:sequence")
            both.client_pause(round(for_s * 1000))
            (s, us, seq, copies), _ = await both.execute()
        for value, _ in copies:
            key = product_from(orjson.loads(value)).id
            self._truth.gone(self._node, key, at=(_ns(s, us), seq))

    async def offer(self) -> None:
        """Tells the truth which copies are served as soon as the server answers again."""
        s, us, seq, copies = await self._roll_call_script(keys=["lab:sequence"])
        for value, ttl_ms in copies:
            self._tell_held(product_from(orjson.loads(value)), ttl_ms, (_ns(s, us), seq))

    async def _put(self, script: Any, product: Product) -> bool:
        key, value = product.id, product.encode()
        args = [key, product.version, value, self._ttl_ms]
        done, s, us, seq, ttl_ms = await script(keys=_keys(key), args=args)
        if done:
            self._tell_held(product, ttl_ms, (_ns(s, us), seq))
        return bool(done)

    async def _remove(self, script: Any, key: str, *args: Any) -> None:
        done, s, us, seq, _ = await script(keys=_keys(key), args=[key, *args])
        if done:
            self._truth.gone(self._node, key, at=(_ns(s, us), seq))

    def _tell_held(self, product: Product, ttl_ms: int, at: tuple[int, int]) -> None:
        until_ns = at[0] + ttl_ms * 1_000_000 if ttl_ms > 0 else NEVER_NS
        self._truth.held(
            self._node, product.id, product.version, until_ns, price=product.price, at=at
        )


class RegionalNode:
    """One Redis with the applier that invalidates it; see Struck for what a fault does to it."""

    def __init__(self, address: NodeAddress, origin: Origin, truth: TruthLog) -> None:
        self.address = address
        self.cache = RegionalCache(address, truth)
        self.ear = Ear(address, self._drop)
        self._origin = origin
        self._back: asyncio.Task[None] | None = None

    async def warm(self, key: str) -> int:
        """See Struck."""
        (product,) = self._origin.read([key])
        await self.cache.fill(product)
        held = await self.cache.get(key)
        return held.version if held is not None else 0

    def told(self, key: str) -> int:
        """See Struck."""
        return self.ear.newest(key)

    async def plant(self, product: Product) -> None:
        """See Struck."""
        await self.cache.plant(product)

    async def supersede(self, key: str, version: int) -> None:
        """See Struck."""
        await self.cache.drop_older(key, version)

    async def purge(self, keys: Sequence[str] | None) -> None:
        """See Struck."""
        for number in range(1, PRODUCTS + 1) if keys is None else keys:
            await self.cache.purge(str(number))

    async def shut(self, keys: Sequence[str] | None, *, is_cut_off: bool = False) -> None:
        """See Struck."""
        marks = [CUT_OFF if is_cut_off else KEEPS_ALL] if keys is None else keys
        await self._await(self.cache.client.sadd("lab:deaf", *marks))

    async def reopen(self, keys: Sequence[str] | None) -> None:
        """See Struck."""
        marks = [CUT_OFF, KEEPS_ALL] if keys is None else keys
        await self._await(self.cache.client.srem("lab:deaf", *marks))

    async def leave(self, for_s: float) -> None:
        """See Struck. The server answers no one, us included, until the time is over."""
        await self.cache.pause(for_s)
        # Asked at once, so that it is the first thing the server does when it is back.
        self._back = asyncio.create_task(self.cache.offer())

    async def rejoin(self) -> None:
        """See Struck."""
        if self._back is not None:
            await self._back
            self._back = None

    async def set_ttl(self, ttl_s: float | None) -> None:
        """See Struck."""
        client = self.cache.client
        await self._await(
            client.delete("lab:ttl") if ttl_s is None else client.set("lab:ttl", round(ttl_s * 1e3))
        )

    def skew(self, offset_s: float) -> None:
        """See Struck. Raises ValueError: a Redis has the clock of its machine."""
        raise ValueError(f"{self.address.name} has no clock of its own to put {offset_s:g} s off")

    async def _drop(self, invalidation: Invalidation) -> None:
        await self.cache.drop_older(invalidation.key, int(invalidation.version))

    @staticmethod
    async def _await(reply: Any) -> None:
        await reply  # redis-py types its commands for both of its clients at once


def _copy(key: str) -> str:
    return f"product:{key}"


def _keys(key: str) -> list[str]:
    return [_copy(key), "lab:told", "lab:deaf", "lab:sequence", "lab:ttl"]


def _ns(seconds: bytes, microseconds: bytes) -> int:
    return int(seconds) * 1_000_000_000 + int(microseconds) * 1000
