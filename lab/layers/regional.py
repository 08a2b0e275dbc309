"""The regional layer: a real Redis a region, written by Lua so that no refill undoes a delete.

Beside `product:{id}` a node keeps, under `lab:*`, the newest version it was told of for each key
(which a refill must reach) and the keys to which a fault makes it deaf.
"""

from collections.abc import Sequence
from typing import Any, Final

import orjson
from redis.asyncio import Redis

from lab.catalogue import CHANNEL, HOST, KEYSPACE, TTL_S, NodeAddress, Product, product_from
from lab.layers.ear import Ear
from lab.origin import Origin
from lab.truth import TruthLog
from stalewatch_sdk.applier import Applier
from stalewatch_sdk.message import Invalidation

TTL_MS: Final = round(TTL_S["regional"] * 1000)
EVERYTHING: Final = "*"

# KEYS: the copy, lab:told, lab:deaf, lab:sequence. Each answers {done, s, us, sequence}, the
# server's own wall clock and order, since several processes write to one node.
_FILL = """
local t, id, version = redis.call('TIME'), ARGV[1], tonumber(ARGV[2])
local held = redis.call('GET', KEYS[1])
if redis.call('SISMEMBER', KEYS[3], '*') == 1 then return {0, t[1], t[2], 0} end
if held and redis.call('SISMEMBER', KEYS[3], id) == 1 then return {0, t[1], t[2], 0} end
if version < tonumber(redis.call('HGET', KEYS[2], id) or '0') then return {0, t[1], t[2], 0} end
if held and cjson.decode(held).version > version then return {0, t[1], t[2], 0} end
redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[4])
return {1, t[1], t[2], redis.call('INCR', KEYS[4])}
"""
_DROP = """
local t, id, version = redis.call('TIME'), ARGV[1], tonumber(ARGV[2])
if version > tonumber(redis.call('HGET', KEYS[2], id) or '0') then
  redis.call('HSET', KEYS[2], id, version)
end
local held = redis.call('GET', KEYS[1])
if not held or cjson.decode(held).version >= version then return {0, t[1], t[2], 0} end
redis.call('DEL', KEYS[1])
return {1, t[1], t[2], redis.call('INCR', KEYS[4])}
"""
_PLANT = """
local t = redis.call('TIME')
redis.call('SADD', KEYS[3], ARGV[1])
redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[4])
return {1, t[1], t[2], redis.call('INCR', KEYS[4])}
"""


class RegionalCache:
    """Reads and writes one Redis; every process that writes to it does so through this."""

    def __init__(self, address: NodeAddress, truth: TruthLog) -> None:
        self.client = Redis(host=HOST, port=address.port)
        self._node = (address.layer, address.name)
        self._truth = truth
        self._fill_script: Any = self.client.register_script(_FILL)
        self._drop_script: Any = self.client.register_script(_DROP)
        self._plant_script: Any = self.client.register_script(_PLANT)

    async def get(self, key: str) -> Product | None:
        """The copy."""
        value = await self.client.get(_copy(key))
        return None if value is None else product_from(orjson.loads(value))

    async def fill(self, product: Product) -> bool:
        """Holds `product`, unless the node was told of or holds a newer one."""
        return await self._put(self._fill_script, product)

    async def plant(self, product: Product) -> None:
        """Holds `product` whatever was told, and shuts the key to refills."""
        await self._put(self._plant_script, product)

    async def drop_older(self, key: str, version: int) -> None:
        """Removes the copy where it is older than `version`, and refuses such refills for good."""
        done, s, us, seq = await self._drop_script(keys=_keys(key), args=[key, version])
        if done:
            self._truth.gone(self._node, key, at=(_ns(s, us), seq))

    async def _put(self, script: Any, product: Product) -> bool:
        key, value = product.id, product.encode()
        done, s, us, seq = await script(keys=_keys(key), args=[key, product.version, value, TTL_MS])
        if done:
            t_ns = _ns(s, us)
            until_ns = t_ns + TTL_MS * 1_000_000
            self._truth.held(self._node, key, product.version, until_ns, at=(t_ns, seq))
        return bool(done)


class RegionalNode:
    """One Redis with the applier that invalidates it; it is a Target of faults."""

    def __init__(self, address: NodeAddress, origin: Origin, truth: TruthLog) -> None:
        self.address = address
        self.cache = RegionalCache(address, truth)
        self._origin = origin
        self._applier = Applier(address.layer, address.name, self._drop, channel=CHANNEL)
        self.ear = Ear(self._applier)

    async def warm(self, key: str) -> int:
        """See Target."""
        (product,) = self._origin.read([key])
        await self.cache.fill(product)
        held = await self.cache.get(key)
        return held.version if held is not None else 0

    async def told(self, key: str) -> int:
        """See Target."""
        return int(self._applier.newest(KEYSPACE, key) or 0)

    async def deafen(self, keys: Sequence[str] | None) -> None:
        """See Target."""
        self.ear.deafen(keys)
        await self._await(self.cache.client.sadd("lab:deaf", *(keys or [EVERYTHING])))

    async def plant(self, product: Product) -> None:
        """See Target."""
        self.ear.deafen([product.id])
        await self.cache.plant(product)

    async def restore(self, keys: Sequence[str] | None) -> None:
        """See Target."""
        # Old copies go first, so that a refill let in again never finds one to build on.
        await self.ear.restore(keys)
        for key in keys or ():
            await self.cache.drop_older(key, await self.told(key))
        await self._await(self.cache.client.srem("lab:deaf", *(keys or [EVERYTHING])))

    async def _drop(self, invalidation: Invalidation) -> None:
        await self.cache.drop_older(invalidation.key, int(invalidation.version))

    @staticmethod
    async def _await(reply: Any) -> None:
        await reply  # redis-py types its commands for both of its clients at once


def _copy(key: str) -> str:
    return f"product:{key}"


def _keys(key: str) -> list[str]:
    return [_copy(key), "lab:told", "lab:deaf", "lab:sequence"]


def _ns(seconds: bytes, microseconds: bytes) -> int:
    return int(seconds) * 1_000_000_000 + int(microseconds) * 1000
