"""The origin kind `redis`: a Redis that is the source of truth.

Each batch asks for the server's role too: only a master's answer can be linearizable, whatever the
config declares.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import Field

from collectors.base import Health, Keyspace, NowNs, Reply, SourceError
from collectors.options import PLACEHOLDER
from collectors.redis_link import Command, RedisLink, error_word
from collectors.redis_server import (
    DEFAULT_PORT,
    Batches,
    RedisOptions,
    acl_rules,
    check_redis,
    key_pattern,
    link_to,
)
from collectors.redis_value import RedisRequest, RedisValues
from freshness.model import ABSENT, Reading, Result

SCAN_COUNT = "500"


class RedisOriginOptions(RedisOptions):
    """A Redis that is the source of truth."""

    host: str
    """Host name or address."""
    port: Annotated[int, Field(ge=1, le=65535)] = DEFAULT_PORT
    """Port."""
    linearizable: bool = False
    """Whether the master's answers hold every acknowledged write (no fail-over loses one)."""


class RedisOriginBinding(RedisValues):
    """How a keyspace is held in an origin Redis. A key that is not there is absent."""

    list_keys: bool = False
    """Whether the origin is asked for its keys, by SCAN."""


class RedisOriginServer:
    """One Redis."""

    def __init__(self, options: RedisOriginOptions, now_ns: NowNs) -> None:
        self._options = options
        self._link = link_to(options.host, options.port, options, now_ns)

    def open(self, binding: RedisOriginBinding, keyspace: Keyspace) -> "RedisOrigin":
        """The Redis as one keyspace sees it."""
        return RedisOrigin(self._link, self._options, binding, keyspace)

    async def check(self) -> Health:
        """Say hello; a replica is named as one."""
        health = await check_redis(self._link)
        if health.ok and self._options.linearizable and self._link.hello.role == "slave":
            return Health(True, health.server, "a replica: its answers are not linearizable")
        return health

    async def close(self) -> None:
        """Drop the connection."""
        await self._link.close()


class RedisOrigin:
    """One keyspace of an origin Redis."""

    def __init__(
        self,
        link: RedisLink,
        options: RedisOriginOptions,
        binding: RedisOriginBinding,
        keyspace: Keyspace,
    ) -> None:
        self._link = link
        self._batches = Batches(link, options.batch)
        self._request = RedisRequest(binding, keyspace.version)
        self._binding = binding
        self._is_declared = options.linearizable
        self.linearizable = False

    @property
    def batch_keys(self) -> int:
        """How many keys one batch should hold now."""
        return self._batches.size

    async def read(self, keys: Sequence[str]) -> Reply:
        """The values of keys; a missing key is absent."""
        roles: list[object] = []

        def tell(part: Sequence[str], replies: Sequence[Any]) -> list[Reading]:
            roles.append(replies[0])
            return [_or_absent(one) for one in self._request.readings(part, replies[1:])]

        reply = await self._batches.read(keys, self._commands, tell)
        self.linearizable = self._is_declared and bool(roles) and all(map(_is_master, roles))
        return reply

    def _commands(self, keys: Sequence[str]) -> list[Command]:
        return [("ROLE",), *self._request.commands(keys)]

    async def list_keys(self) -> Sequence[str]:
        """Every key that SCAN finds under the binding's `key`. Raises SourceError."""
        if not self._binding.list_keys:
            raise SourceError("the origin lists no keys: set list_keys")
        before, after = self._binding.key.split(PLACEHOLDER)
        found: set[str] = set()
        cursor = b"0"
        while True:
            cursor, names = await self._scan(cursor)
            decoded = (name.decode("utf-8", "replace") for name in names)
            found.update(name[len(before) : len(name) - len(after)] for name in decoded)
            if cursor == b"0":
                return sorted(found)

    async def _scan(self, cursor: bytes) -> tuple[bytes, list[bytes]]:
        pattern = key_pattern(self._binding.key)
        done = await self._link.exchange([("SCAN", cursor, "MATCH", pattern, "COUNT", SCAN_COUNT)])
        reply = done.replies[0] if done.replies else None
        why = done.why or error_word(reply)
        if why or not isinstance(reply, list) or len(reply) != 2:
            raise SourceError(f"SCAN: {why or 'not the answer to SCAN'}")
        return reply[0], reply[1]


def _is_master(role: object) -> bool:
    return isinstance(role, list) and role[:1] == [b"master"]


def _or_absent(reading: Reading) -> Reading:
    return Reading(Result.VALUE, ABSENT) if reading.result is Result.MISS else reading


def grants(options: RedisOriginOptions, bindings: Mapping[str, RedisOriginBinding]) -> str:
    """The ACL user that these bindings need."""
    commands = ["ping", "info", "role", "client|setname", "client|no-touch"]
    commands += ["select"] if options.database else []
    if any(not binding.hash_fields for binding in bindings.values()):
        commands += ["mget"]
    if any(binding.hash_fields for binding in bindings.values()):
        commands += ["hmget", "exists"]
    if any(binding.list_keys for binding in bindings.values()):
        commands += ["scan"]
    return acl_rules([binding.key for binding in bindings.values()], commands)
