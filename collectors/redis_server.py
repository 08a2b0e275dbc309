"""What the cache kind `redis` and the origin kind `redis` share: a node, and batches from it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, model_validator

from collectors.base import Health, NowNs, Reply
from collectors.decode import unknown
from collectors.options import PLACEHOLDER, BatchOptions, ConnectionOptions
from collectors.redis_link import Command, Exchange, RedisLink, error_word
from collectors.replies import joined
from freshness.model import Reading
from settings import Size

DEFAULT_PORT: Final = 6379

ADVICE: Final[Mapping[str, str]] = {
    "connection refused": "nothing listens there; check host and port",
    "connecting timed out": "check host, port and firewall, and tls if the server wants it",
    "timed out": "check tls if the server wants it, and its load",
    "NOAUTH": "the server asks for a password; set auth",
    "WRONGPASS": "user or password is wrong; check auth",
    "NOPERM": "the user lacks a permission; see check --grants",
    "cluster mode is off": "the node is in no cluster; check placement",
}


class RedisOptions(ConnectionOptions):
    """A layer of Redis nodes, or an origin that is one."""

    database: Annotated[int, Field(ge=0)] = 0
    """Number of the database."""
    batch: BatchOptions = BatchOptions()
    """How much one batch asks for."""
    longest_reply: Size = Size.parse("8MiB")
    """Bytes of replies after which an exchange is given up, whatever a node sends."""


class RedisLayerOptions(RedisOptions):
    """A layer of Redis nodes."""

    placement: Literal["all", "ring", "cluster"] = "all"
    """Which nodes may hold a key."""

    @model_validator(mode="after")
    def _has_one_database(self) -> Self:
        if self.placement == "cluster" and self.database:
            raise ValueError("expected no database beside placement cluster: a cluster has one")
        return self


def link_to(
    host: str, port: int, options: RedisOptions, now_ns: NowNs, *, reads_replicas: bool = False
) -> RedisLink:
    """The connection that the options describe."""
    return RedisLink(
        host,
        port,
        options,
        now_ns,
        database=options.database,
        longest_reply_bytes=options.longest_reply.bytes,
        reads_replicas=reads_replicas,
    )


async def check_redis(link: RedisLink) -> Health:
    """PING, and what the node said of itself."""
    done = await link.exchange([("PING",)])
    word = done.why or error_word(done.replies[0])
    if word:
        advice = ADVICE.get(word)
        return Health(False, "Redis", f"{word}: {advice}" if advice else word)
    hello = link.hello
    note = "" if hello.run_id else "may not run INFO, so a restart will not be seen"
    return Health(True, f"Redis {hello.version or '?'} {hello.role}".rstrip(), note)


class Batches:
    """Reads keys in exchanges that hold about as many bytes as a batch may."""

    def __init__(self, link: RedisLink, limits: BatchOptions) -> None:
        self._link = link
        self._limits = limits
        self.size = limits.keys

    async def read(
        self,
        keys: Sequence[str],
        ask: Callable[[Sequence[str]], list[Command]],
        tell: Callable[[Sequence[str], Sequence[Any]], list[Reading]],
    ) -> Reply:
        """All keys, in as many exchanges as it takes; they share the outer stamps."""
        replies: list[Reply] = []
        done = 0
        while done < len(keys) or not replies:
            part = keys[done : done + self.size]
            replies.append(await self._read_part(part, ask, tell))
            done += len(part)
        return joined(replies)

    async def _read_part(
        self,
        keys: Sequence[str],
        ask: Callable[[Sequence[str]], list[Command]],
        tell: Callable[[Sequence[str], Sequence[Any]], list[Reading]],
    ) -> Reply:
        done = await self._link.exchange(ask(keys) if keys else [])
        self._adapt(len(keys), done)
        if done.why:
            readings = [unknown(done.why)] * len(keys)
        else:
            readings = tell(keys, done.replies) if keys else []
        return Reply(done.start_ns, done.end_ns, readings, done.identity, done.why, done.size_bytes)

    def _adapt(self, count: int, done: Exchange) -> None:
        """Fit the next batches to the values seen: smaller at once, larger step by step."""
        if done.is_too_long:
            self.size = max(1, count // 4)
        elif done.size_bytes and count:
            fitting = max(1, self._limits.bytes.bytes * count // done.size_bytes)
            self.size = min(fitting, self.size * 2, self._limits.keys)


def key_pattern(template: str) -> str:
    """The glob pattern of a key template: `product:{key}` → `product:*`."""
    before, after = (_escaped(part) for part in template.split(PLACEHOLDER))
    return f"{before}*{after}"


def _escaped(text: str) -> str:
    return "".join(f"\\{letter}" if letter in "*?[]\\" else letter for letter in text)


def acl_rules(templates: Sequence[str], commands: Sequence[str]) -> str:
    """The line that makes an ACL user who may run these commands on these keys, and no more."""
    keys = " ".join(f"%R~{key_pattern(template)}" for template in sorted(set(templates)))
    rights = " ".join(f"+{command}" for command in commands)
    return f"ACL SETUSER stalewatch reset on >PASSWORD {keys} {rights}"
