"""Counters of a Redis: `INFO`, over the connection that the probes use.

The exchanges of that connection follow one another, so no read of ours over it is half counted.
MGET counts one lookup a key; GET and HMGET one, and PTTL and EXISTS beside them another.
"""

from collections.abc import Mapping
from typing import Final

from collectors.base import NowNs, Server, SourceError, Target
from collectors.counters.base import CounterSample, total, whole
from collectors.counters.own import Weigh
from collectors.redis import RedisServer
from collectors.redis_link import Command, RedisLink, error_word
from collectors.redis_server import ADVICE, RedisOptions
from collectors.redis_value import RedisBinding
from freshness.counters import Counters

SECTIONS: Final = ("server", "stats", "memory", "keyspace", "commandstats")
DELETIONS: Final = ("del", "unlink", "getdel")
_ASK: Final[list[Command]] = [("INFO", section) for section in SECTIONS]
Told = dict[str, str]


class RedisCounters:
    """The counters of one node."""

    def __init__(self, link: RedisLink) -> None:
        self._link = link

    async def sample(self) -> CounterSample:
        """One pipeline of INFO."""
        done = await self._link.exchange(_ASK)
        word = done.why or next(filter(None, map(error_word, done.replies)), "")
        if word:
            advice = ADVICE.get(word)
            why = f"INFO: {word}: {advice}" if advice else f"INFO: {word}"
            return CounterSample(done.start_ns, done.end_ns, why=why)
        server, stats, memory, keyspace, commands = map(_told, done.replies)
        if "keyspace_hits" not in stats:
            return CounterSample(done.start_ns, done.end_ns, why="INFO: not the answer of a Redis")
        return CounterSample(
            done.start_ns,
            done.end_ns,
            read_info(stats, memory, keyspace, commands),
            server.get("run_id", ""),
            whole(server.get("uptime_in_seconds")),
        )

    async def close(self) -> None:
        """The connection is the probes'."""


def read_info(stats: Told, memory: Told, keyspace: Told, commands: Told) -> Counters:
    """The counters in sections of INFO. A database without keys is in none of its lines."""
    calls = {name.removeprefix("cmdstat_"): _pairs(line) for name, line in commands.items()}
    databases = [_pairs(line) for name, line in keyspace.items() if name.startswith("db")]
    deleted = [whole(calls[name].get("calls")) for name in DELETIONS if name in calls]
    return Counters(
        hits=whole(stats.get("keyspace_hits")),
        misses=whole(stats.get("keyspace_misses")),
        evictions=whole(stats.get("evicted_keys")),
        expirations=whole(stats.get("expired_keys")),
        invalidations=sum(filter(None, deleted)) if calls else None,
        requests=_sum(calls, "calls"),
        request_us=_sum(calls, "usec"),
        memory_bytes=whole(memory.get("used_memory")),
        memory_limit_bytes=total(memory, "maxmemory") or None,  # 0 is no limit
        items=sum(whole(each.get("keys")) or 0 for each in databases),
    )


def weigh(options: RedisOptions, binding: RedisBinding) -> Weigh:  # noqa: ARG001
    """A key is looked up once by MGET, and twice where two commands read it."""
    with_ttl, by_two = binding.ttl != "never", bool(binding.hash_fields)
    read = 2 if by_two or binding.ttl == "always" else 1
    return Weigh(read, 2 if with_ttl or by_two else 1)


def connect(server: Server, target: Target, options: RedisOptions, now_ns: NowNs) -> RedisCounters:  # noqa: ARG001
    """The counters of a node that probes are connected to."""
    if not isinstance(server, RedisServer):
        raise SourceError(f"{target.name}: not the server of a layer of kind redis")
    return RedisCounters(server.link)


def _told(reply: object) -> Told:
    text = reply.decode(errors="replace") if isinstance(reply, bytes) else ""
    pairs = (line.partition(":") for line in text.splitlines())
    return {name: told for name, colon, told in pairs if colon}


def _pairs(line: str) -> Told:
    """`keys=3,expires=0` → its parts."""
    pairs = (part.partition("=") for part in line.split(","))
    return {name: told for name, equals, told in pairs if equals}


def _sum(calls: Mapping[str, Told], name: str) -> int | None:
    counts = [whole(each.get(name)) for each in calls.values()]
    return sum(filter(None, counts)) if counts else None
