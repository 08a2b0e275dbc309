"""The cache kind `redis`: versions from strings, JSON or hash fields; see docs/collectors/redis.md.

Only reads are sent. A batch is one MGET or one pipeline; a suspected key is read again with its
remaining time to live in the same pipeline.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial

from collectors.base import Health, KeyPage, Keyspace, NowNs, ProbeEffect, Reply, Target
from collectors.redis_cluster import walk_clustered
from collectors.redis_link import RedisLink
from collectors.redis_server import (
    Batches,
    RedisLayerOptions,
    RedisOptions,
    acl_rules,
    check_redis,
    link_to,
)
from collectors.redis_value import MOVED, RedisBinding, RedisRequest
from collectors.redis_walk import walk


class RedisServer:
    """One node, of a cluster or not: a connection that its keyspaces share."""

    def __init__(
        self, target: Target, options: RedisOptions, now_ns: NowNs, *, is_clustered: bool = False
    ) -> None:
        self._options = options
        self._is_clustered = is_clustered
        self._link = link_to(target.host, target.port, options, now_ns, reads_replicas=is_clustered)
        self._was_redirected = False

    @property
    def link(self) -> RedisLink:
        """The connection, for whoever asks the node for more than keys."""
        return self._link

    def open(self, binding: RedisBinding, keyspace: Keyspace) -> "RedisCache":
        """The node as one keyspace sees it."""
        request = RedisRequest(binding, keyspace.version, one_by_one=self._is_clustered)
        return RedisCache(
            Batches(self._link, self._options.batch),
            request,
            binding.ttl,
            partial(walk_clustered if self._is_clustered else walk, self._link, binding.key),
            self._note_moved if self._is_clustered else None,
        )

    def take_redirects(self) -> bool:
        """Whether the node has said, since this was last asked, that it serves a key no longer."""
        was_redirected, self._was_redirected = self._was_redirected, False
        return was_redirected

    def _note_moved(self) -> None:
        self._was_redirected = True

    async def check(self) -> Health:
        """Say hello."""
        return await check_redis(self._link)

    async def close(self) -> None:
        """Drop the connection."""
        await self._link.close()


class RedisCache:
    """One node as one keyspace addresses it; `moved` is called where it points to another one."""

    effect = ProbeEffect.NONE

    def __init__(
        self,
        batches: Batches,
        request: RedisRequest,
        ttl: str,
        walk: Callable[[str], Awaitable[KeyPage]],
        moved: Callable[[], None] | None = None,
    ) -> None:
        self._batches = batches
        self._request = request
        self._ttl = ttl
        self._walk = walk
        self._moved = moved

    @property
    def batch_keys(self) -> int:
        """How many keys one batch should hold now."""
        return self._batches.size

    async def read(self, keys: Sequence[str]) -> Reply:
        """The values of keys; with their TTL where the binding says `ttl: always`."""
        return await self._read(keys, with_ttl=self._ttl == "always")

    async def inspect(self, keys: Sequence[str]) -> Reply:
        """The values of keys with their TTL, unless the binding says `ttl: never`."""
        return await self._read(keys, with_ttl=self._ttl != "never")

    async def walk(self, cursor: str = "") -> KeyPage:
        """A page of the keyspace's keys that the node holds. Raises SourceError."""
        return await self._walk(cursor)

    async def _read(self, keys: Sequence[str], *, with_ttl: bool) -> Reply:
        request = self._request
        reply = await self._batches.read(
            keys,
            partial(request.commands, with_ttl=with_ttl),
            partial(request.readings, with_ttl=with_ttl),
        )
        if self._moved is not None and any(one.why == MOVED for one in reply.readings):
            self._moved()
        return reply


def connect(target: Target, options: RedisLayerOptions, now_ns: NowNs) -> RedisServer:
    """The node at a target of a layer."""
    return RedisServer(target, options, now_ns, is_clustered=options.placement == "cluster")


def grants(options: RedisLayerOptions, bindings: Mapping[str, RedisBinding]) -> str:
    """The ACL user that these bindings need."""
    is_clustered = options.placement == "cluster"
    commands = ["ping", "info", "client|setname", "client|no-touch"]
    commands += ["readonly", "cluster|nodes"] if is_clustered else []
    commands += ["select"] if options.database else []
    if any(not binding.hash_fields for binding in bindings.values()):
        commands += ["get"] if is_clustered else ["mget", "get"]
    if any(binding.hash_fields for binding in bindings.values()):
        commands += ["hmget", "exists"]
    if any(binding.ttl != "never" for binding in bindings.values()):
        commands += ["pttl"]
    return acl_rules([binding.key for binding in bindings.values()], commands)
