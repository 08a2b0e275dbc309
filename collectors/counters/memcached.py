"""Counters of a memcached: `stats`, over a small connection of its own.

`mg` counts one lookup a key, whatever flags it carries.
"""

import asyncio
import contextlib
import ssl
from collections.abc import Mapping
from typing import Any, Final

from collectors.base import NowNs, Server, Target
from collectors.counters.base import CounterSample, total, whole
from collectors.counters.own import Weigh
from collectors.options import ConnectionOptions, ServerProblem, shown
from freshness.counters import Counters

LONGEST_LINE_BYTES: Final = 4096
MOST_LINES: Final = 1000
"""`stats` has about a hundred lines."""
_COMMANDS: Final = ("cmd_get", "cmd_set", "cmd_touch", "cmd_meta", "delete_hits", "delete_misses")
_DELETIONS: Final = ("delete_hits", "delete_misses")


class StatsError(Exception):
    """There is no answer to `stats`; the message is a reason that is the same each time."""


class MemcachedCounters:
    """The counters of one node; a connection for each look, since looks are rare."""

    def __init__(self, host: str, port: int, options: ConnectionOptions, now_ns: NowNs) -> None:
        self._host, self._port = host, port
        self._options = options
        self._now_ns = now_ns

    async def sample(self) -> CounterSample:
        """Connect, `stats`, and let go."""
        start_ns = self._now_ns()
        limit = self._options.connect_timeout.seconds + self._options.read_timeout.seconds
        try:
            async with asyncio.timeout(limit):
                told = await self._ask()
        except TimeoutError:
            return CounterSample(start_ns, self._now_ns(), why="stats: timed out")
        except (StatsError, *ServerProblem) as error:
            return CounterSample(start_ns, self._now_ns(), why=f"stats: {error}")
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or type(error).__name__
            return CounterSample(start_ns, self._now_ns(), why=shown(f"stats: cannot read: {why}"))
        identity = f"{told.get('pid', '')}"
        uptime_s = whole(told.get("uptime"))
        return CounterSample(start_ns, self._now_ns(), read_stats(told), identity, uptime_s)

    async def close(self) -> None:
        """Nothing is held between two looks."""

    async def _ask(self) -> dict[str, str]:
        context = self._options.tls.context() if self._options.tls else None
        reader, writer = await self._open(context)
        try:
            await self._log_in(reader, writer)
            writer.write(b"stats\r\n")
            return await _receive(reader)
        finally:
            with contextlib.suppress(OSError, RuntimeError):
                writer.transport.abort()

    async def _open(
        self, context: ssl.SSLContext | None
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        name = self._options.tls.server_name if self._options.tls else None
        return await asyncio.open_connection(
            self._host,
            self._port,
            limit=LONGEST_LINE_BYTES,
            ssl=context,
            server_hostname=(name or self._host) if context else None,
        )

    async def _log_in(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """The login of the text protocol: a `set` whose value is user and password."""
        auth = self._options.auth
        if auth is None or auth.password is None:
            return
        said = f"{auth.username or ''} {auth.password.reveal()}".encode()
        writer.write(b"set auth 0 0 %d\r\n%b\r\n" % (len(said), said))
        if (await reader.readline()).strip() != b"STORED":
            raise StatsError("user or password is wrong; check auth")


async def _receive(reader: asyncio.StreamReader) -> dict[str, str]:
    told: dict[str, str] = {}
    for _ in range(MOST_LINES):
        line = await reader.readline()
        if not line.endswith(b"\n"):
            raise StatsError("connection closed")
        words = line.decode(errors="replace").split(None, 2)
        if words[:1] == ["END"] and told:
            return told
        if words[:1] != ["STAT"] or len(words) != 3:
            raise StatsError(shown(f"not the answer of a memcached: {line[:60]!r}"))
        told[words[1]] = words[2].strip()
    raise StatsError(f"more than {MOST_LINES} lines")


def read_stats(told: Mapping[str, str]) -> Counters:
    """The counters in an answer to `stats`. How long requests take it does not tell."""
    return Counters(
        hits=whole(told.get("get_hits")),
        misses=whole(told.get("get_misses")),
        evictions=whole(told.get("evictions")),
        expirations=None,  # what expires is noticed when it is looked for, or never
        invalidations=total(told, *_DELETIONS),
        requests=total(told, *_COMMANDS),
        memory_bytes=whole(told.get("bytes")),
        memory_limit_bytes=whole(told.get("limit_maxbytes")) or None,
        items=whole(told.get("curr_items")),
    )


def weigh(options: Any, binding: Any) -> Weigh:  # noqa: ARG001  the same for all of them
    """A key is looked up once, by one `mg`."""
    return Weigh(1, 1)


def connect(
    server: Server,  # noqa: ARG001  its connection is its own affair
    target: Target,
    options: ConnectionOptions,
    now_ns: NowNs,
) -> MemcachedCounters:
    """The counters of a node, over a connection of their own."""
    return MemcachedCounters(target.host, target.port, options, now_ns)
