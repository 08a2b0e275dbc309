"""The cache kind `memcached`: versions from JSON or text; see docs/collectors/memcached.md.

Only reads are sent. A batch is a pipeline of `mg` (memcached 1.6), which bumps nothing. An `mg` of
an item that somebody marked stale takes its one token to fetch it anew; once that has happened, or
where the config says that items are marked, `get` is sent instead.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Final, Literal

from pydantic import AfterValidator

from collectors.base import Health, KeyPage, Keyspace, NowNs, ProbeEffect, Reply, Target
from collectors.decode import unknown
from collectors.memcached_dump import Dumps
from collectors.memcached_link import Dialler, Exchange, MemcachedLink
from collectors.memcached_protocol import Item, Line
from collectors.memcached_value import MemcachedBinding, MemcachedRequests, Request
from collectors.options import BatchOptions, ConnectionOptions
from collectors.replies import joined
from freshness.model import Reading
from settings import Auth, Duration, Size

DEFAULT_PORT: Final = 11211
TTL_RESOLUTION_S: Final = 1.5
"""A TTL is told in whole seconds of a clock that ticks once a second, and may tick late."""
OUT_OF_STEP: Final = "answers out of step"

ADVICE: Final[Mapping[str, str]] = {
    "connection refused": "nothing listens there; check host and port",
    "connecting timed out": "check host, port and firewall, and tls if the server wants it",
    "connection closed": "check tls if the server wants it, and its limit of connections",
    "unauthenticated": "the server asks for a user and password; set auth",
    "user or password is wrong": "check auth",
}


def _is_a_user(auth: Auth | None) -> Auth | None:
    if auth is not None and not (auth.username and auth.password):
        raise ValueError("expected a username and a password, which memcached asks for")
    return auth


class MemcachedOptions(ConnectionOptions):
    """A layer of memcached nodes."""

    auth: Annotated[Auth | None, AfterValidator(_is_a_user)] = None
    """User and password of a line of memcached's `--auth-file`."""
    reads: Literal["meta", "plain"] = "meta"
    """How items are read: `mg`, which bumps nothing, or `get` where items are marked as stale."""
    batch: BatchOptions = BatchOptions()
    """How much one batch asks for."""
    longest_reply: Size = Size.parse("8MiB")
    """Bytes of answers after which an exchange is given up, whatever a node sends."""
    longest_dump: Size = Size.parse("1GiB")
    """Bytes of a list of keys after which walking a node is given up."""
    dump_timeout: Duration = Duration.parse("10m")
    """How long a node may take to list its keys."""


class MemcachedServer:
    """One node: a connection that its keyspaces share."""

    def __init__(self, target: Target, options: MemcachedOptions, now_ns: NowNs) -> None:
        self.options = options
        self._dialler = Dialler(target.host, target.port, options, options.longest_reply.bytes)
        self.link = MemcachedLink(self._dialler, now_ns)
        self.is_plain = options.reads == "plain"
        """Whether items are read with `get`: as configured, or since a token was taken."""
        self._dumps: list[Dumps] = []

    def open(self, binding: MemcachedBinding, keyspace: Keyspace) -> "MemcachedCache":
        """The node as one keyspace sees it."""
        dumps = Dumps(
            self._dialler,
            binding.key,
            self.options.longest_dump.bytes,
            self.options.dump_timeout.seconds,
        )
        self._dumps.append(dumps)
        return MemcachedCache(self, MemcachedRequests(binding, keyspace.version), binding, dumps)

    async def check(self) -> Health:
        """Ask for nothing (`mn`), and what the node said of itself."""
        done = await self.link.exchange([b"mn\r\n"])
        if done.why:
            advice = ADVICE.get(done.why)
            return Health(False, "memcached", f"{done.why}: {advice}" if advice else done.why)
        hello = self.link.hello
        server = f"memcached {hello.version or '?'}"
        answer = done.answers[0]
        if not isinstance(answer, Line) or list(answer.words) != ["MN"]:
            return Health(False, server, "does not know the meta commands, which came with 1.6")
        note = "" if hello.identity else "does not tell its process, so a restart is not seen"
        return Health(True, server, note)

    async def close(self) -> None:
        """Drop the connections."""
        for dumps in self._dumps:
            dumps.close()
        await self.link.close()


class MemcachedCache:
    """One node as one keyspace addresses it."""

    def __init__(
        self,
        server: MemcachedServer,
        requests: MemcachedRequests,
        binding: MemcachedBinding,
        dumps: Dumps,
    ) -> None:
        self._server = server
        self._requests = requests
        self._has_ttl = binding.ttl == "always"
        self._dumps = dumps
        self.batch_keys = server.options.batch.keys

    @property
    def effect(self) -> ProbeEffect:
        """None of `mg`; a `get` counts as use of the item."""
        return ProbeEffect.REFRESHES if self._server.is_plain else ProbeEffect.NONE

    async def read(self, keys: Sequence[str]) -> Reply:
        """The values of keys; with their TTL where the binding says `ttl: always`."""
        return await self._read(keys, with_ttl=self._has_ttl)

    async def inspect(self, keys: Sequence[str]) -> Reply:
        """The values of keys with their TTL, where items are read with `mg`."""
        return await self._read(keys, with_ttl=True)

    async def walk(self, cursor: str = "") -> KeyPage:
        """The page of the node's keys after a cursor. Raises SourceError."""
        return await self._dumps.walk(cursor)

    async def _read(self, keys: Sequence[str], *, with_ttl: bool) -> Reply:
        replies: list[Reply] = []
        done = 0
        while done < len(keys) or not replies:
            part = keys[done : done + self.batch_keys]
            replies.append(await self._read_part(part, with_ttl))
            done += len(part)
        return joined(replies)

    async def _read_part(self, keys: Sequence[str], with_ttl: bool) -> Reply:
        is_plain = self._server.is_plain
        requests = self._requests.requests(keys, is_plain=is_plain, with_ttl=with_ttl)
        sent = [request for request in requests if request.sent]
        done = await self._server.link.exchange([request.sent for request in sent])
        self._adapt(len(sent), done)
        why = done.why or await self._why_out_of_step(sent, done)
        if any(isinstance(answer, Item) and answer.has_won for answer in done.answers):
            self._server.is_plain = True
        readings = self._readings(keys, requests, done, why)
        return Reply(done.start_ns, done.end_ns, readings, done.identity, why, done.size_bytes)

    async def _why_out_of_step(self, sent: Sequence[Request], done: Exchange) -> str:
        """Drop a connection whose answers are not those to what was asked."""
        pairs = zip(sent, done.answers, strict=True)
        if all(request.is_answered_by(answer) for request, answer in pairs):
            return ""
        await self._server.link.close()
        return OUT_OF_STEP

    def _readings(
        self, keys: Sequence[str], requests: Sequence[Request], done: Exchange, why: str
    ) -> list[Reading]:
        if why:
            return [unknown(request.why or why) for request in requests]
        answers = iter(done.answers)
        return [
            unknown(request.why) if request.why else self._requests.reading(key, next(answers))
            for key, request in zip(keys, requests, strict=True)
        ]

    def _adapt(self, count: int, done: Exchange) -> None:
        """Fit the next batches to the values seen: smaller at once, larger step by step."""
        limits = self._server.options.batch
        if done.is_too_long:
            self.batch_keys = max(1, count // 4)
        elif done.size_bytes and count:
            fitting = max(1, limits.bytes.bytes * count // done.size_bytes)
            self.batch_keys = min(fitting, self.batch_keys * 2, limits.keys)


def grants(options: MemcachedOptions, bindings: Mapping[str, MemcachedBinding]) -> str:
    """What a node must let us do; memcached knows no rights finer than a user's."""
    names = sorted({binding.key for binding in bindings.values()})
    read = "get" if options.reads == "plain" else "mg, get"
    user = "any line of --auth-file" if options.auth else "no user"
    return (
        f"{user}; the commands version, mn, stats, {read}, and lru_crawler metadump for a sweep "
        f"(memcached has no finer rights), on: {', '.join(names)}"
    )
