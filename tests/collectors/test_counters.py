"""Counters of real servers, and what our own reads add to them, to the lookup."""

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from collectors.base import KeyPage, Keyspace, ProbeEffect, Reply, Target
from collectors.counters.base import CounterSample, whole
from collectors.counters.http import weigh as weigh_http
from collectors.counters.memcached import MemcachedCounters
from collectors.counters.memcached import weigh as weigh_memcached
from collectors.counters.nginx import LOG_FORMAT, NginxCounters
from collectors.counters.node import NodeCounters, ScrapedNode
from collectors.counters.own import CountedCache, OwnReads, Tally, Weigh, weighed
from collectors.counters.redis import RedisCounters, weigh
from collectors.counters.varnish import VarnishCounters
from collectors.http import HttpBinding, HttpOptions, HttpServer
from collectors.options import ConnectionOptions
from collectors.redis import RedisServer as RedisNode
from collectors.redis_server import RedisOptions
from collectors.redis_value import RedisBinding
from freshness.counters import Counters, Own
from freshness.model import MISS, Reading, Result, Value
from lab.catalogue import HOST
from lab.ports import free_port
from settings import Duration
from store.base import Clock
from store.counters import CounterRow
from tests.collectors.web import serving
from tests.servers import RedisServer, eventually
from tests.servers.memcached import MemcachedServer
from tests.servers.nginx import NginxServer
from tests.servers.varnish import VarnishServer

PRODUCTS = Keyspace("product")


class WallClock:
    """The observer's clock of these tests."""

    def now_ns(self) -> int:
        return time.monotonic_ns()

    def as_row(self) -> Clock:
        return Clock("test", 0, 0)


CLOCK = WallClock()


@contextlib.asynccontextmanager
async def redis_node(server: RedisServer, **options: Any) -> AsyncIterator[RedisNode]:
    made = RedisOptions(read_timeout=Duration.parse("5s"), **options)
    node = RedisNode(Target("r1", HOST, server.port), made, CLOCK.now_ns)
    yield node
    await node.close()


def counters_of(told: CounterSample) -> Counters:
    assert told.counters is not None, told.why
    return told.counters


def json_binding(ttl: str) -> RedisBinding:
    return RedisBinding.model_validate(
        {"key": "product:{key}", "version": {"json": "$.version"}, "ttl": ttl}
    )


def hash_binding(ttl: str) -> RedisBinding:
    return RedisBinding.model_validate(
        {"key": "hash:{key}", "version": {"hash": "version"}, "ttl": ttl}
    )


@pytest.mark.parametrize("ttl", ["always", "suspects", "never"])
@pytest.mark.parametrize("how", ["read", "inspect"])
@pytest.mark.parametrize("bind", [json_binding, hash_binding], ids=["strings", "hashes"])
async def test_what_redis_counts_of_our_reads_is_what_we_say(
    redis_server: RedisServer, ttl: str, how: str, bind: Any
) -> None:
    """MGET, GET and PTTL, HMGET and EXISTS: hits and misses are exact, of strange values too."""
    for number in range(30):
        redis_server.client.set(f"product:{number}", '{"version": 7}')
        redis_server.client.hset(f"hash:{number}", mapping={"version": 7})
    redis_server.client.set("product:odd", "no JSON")
    redis_server.client.hset("hash:odd", mapping={"other": 1})
    keys = [*map(str, range(40)), "odd"]
    async with redis_node(redis_server) as node:
        own, binding = OwnReads(), bind(ttl)
        cache = CountedCache(node.open(binding, PRODUCTS), own, weigh(RedisOptions(), binding))
        source = RedisCounters(node.link)
        before = counters_of(await source.sample())
        for _ in range(3):
            await (cache.read(keys) if how == "read" else cache.inspect(keys))
        after = counters_of(await source.sample())
    assert before.hits is not None
    assert before.misses is not None
    assert own.now() == Own((after.hits or 0) - before.hits, (after.misses or 0) - before.misses)
    assert own.now().hits in (3 * 31, 6 * 31)


async def test_redis_tells_what_it_counts(redis_server: RedisServer) -> None:
    client = redis_server.client
    client.set("a", "x")
    async with redis_node(redis_server) as node:
        source = RedisCounters(node.link)
        first = await source.sample()
        client.get("a")
        client.get("nothing")
        client.delete("a")
        client.unlink("b", "c")
        second = await source.sample()
    before, after = counters_of(first), counters_of(second)
    assert first.identity == second.identity == client.info("server")["run_id"]
    assert (after.hits or 0) - (before.hits or 0) == 1
    assert (after.misses or 0) - (before.misses or 0) == 1
    assert (after.invalidations or 0) - (before.invalidations or 0) == 2
    assert after.items == 0
    assert after.memory_bytes is not None
    assert after.memory_limit_bytes is None
    assert after.requests is not None
    assert before.requests is not None
    assert after.requests > before.requests
    assert (after.request_us or 0) > (before.request_us or 0)


async def test_a_redis_that_evicts_and_expires_says_so() -> None:
    options = ["maxmemory 3mb", "maxmemory-policy allkeys-lru"]
    with RedisServer(options=options) as server:
        for number in range(400):
            server.client.set(f"k{number}", "x" * 10_000)
        server.client.set("short", "x", px=1)
        async with redis_node(server) as node:
            source = RedisCounters(node.link)

            async def has_expired() -> bool:
                server.client.get("short")
                return bool(counters_of(await source.sample()).expirations)

            await eventually(has_expired, "a key has expired", 10)
            counters = counters_of(await source.sample())
    assert counters.memory_limit_bytes == 3 << 20
    assert (counters.evictions or 0) > 50


async def test_a_redis_that_forbids_info_is_unknown() -> None:
    with RedisServer(users={"peer": "on nopass ~* +get +ping +client"}) as server:
        auth = {"username": "peer", "password": {"env": "HOME"}}
        async with redis_node(server, auth=auth) as node:
            told = await RedisCounters(node.link).sample()
    assert told.counters is None
    assert told.why == "INFO: NOPERM: the user lacks a permission; see check --grants"


async def test_a_reset_and_a_restart_make_no_rate() -> None:
    with RedisServer() as server:
        server.client.set("a", "x")
        async with redis_node(server) as node:
            follow = NodeCounters("regional", "r1", "node", OwnReads(), CLOCK)
            source = RedisCounters(node.link)
            server.client.get("a")
            rows = [await follow.look(source), await follow.look(source)]
            server.client.config_resetstat()
            rows += [await follow.look(source), await follow.look(source)]
            server.kill()
            rows.append(await follow.look(source))
            server.start()

            async def is_back() -> bool:
                rows.append(await follow.look(source))
                return rows[-1].answered == 1

            await eventually(is_back, "the node answers again", 20)
            rows.append(await follow.look(source))
    told = [(row.answered, row.restarts, row.covered_ns > 0) for row in rows if row.answered]
    assert told == [
        (1, 0, False), (1, 0, True), (1, 1, False), (1, 0, True), (1, 1, False), (1, 0, True),
    ]  # fmt: skip
    failed = [row for row in rows if row.unanswered]
    assert failed
    assert all(row.hits is None and row.why for row in failed)


class Memcached:
    """What a client of the meta protocol says, a line at a time."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection((HOST, port), 5)
        self.replies = self.socket.makefile("rb")

    def ask(self, line: str) -> bytes:
        self.socket.sendall(line.encode() + b"\r\n")
        answer = self.replies.readline()
        if answer.startswith(b"VA "):
            self.replies.readline()
        return answer

    def close(self) -> None:
        self.replies.close()
        self.socket.close()


@pytest.fixture
def memcached() -> Iterator[MemcachedServer]:
    with MemcachedServer() as server:
        yield server


@pytest.mark.parametrize("flags", ["v", "v t", "k v t f h l", "k v t c s"])
async def test_memcached_counts_one_lookup_for_each_meta_get(
    memcached: MemcachedServer, flags: str
) -> None:
    source = MemcachedCounters(HOST, memcached.port, ConnectionOptions(), CLOCK.now_ns)
    client = Memcached(memcached.port)
    client.ask("set a 0 0 1\r\nx")
    before = counters_of(await source.sample())
    for key in ("a", "b", "a"):
        client.ask(f"mg {key} {flags}")
    after = counters_of(await source.sample())
    client.close()
    weight = weigh_memcached(None, None).read
    assert ((after.hits or 0) - (before.hits or 0)) == 2 * weight
    assert ((after.misses or 0) - (before.misses or 0)) == weight


async def test_memcached_tells_what_it_counts(memcached: MemcachedServer) -> None:
    client = Memcached(memcached.port)
    client.ask("set a 0 0 1\r\nx")
    client.ask("set b 0 0 1\r\nx")
    client.ask("delete a")
    client.ask("md b")
    client.close()
    source = MemcachedCounters(HOST, memcached.port, ConnectionOptions(), CLOCK.now_ns)
    told = await source.sample()
    counters = counters_of(told)
    assert (counters.invalidations, counters.items) == (2, 0)
    assert counters.memory_limit_bytes == 64 << 20
    assert told.identity.isdigit()
    assert told.uptime_s is not None
    assert counters.expirations is None
    assert counters.request_us is None


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        pytest.param(b"", "stats: connection closed", id="closes at once"),
        pytest.param(b"ERROR\r\n", "not the answer of a memcached", id="another protocol"),
        pytest.param(b"STAT a 1\r\n" * 2_000, "more than 1000 lines", id="lines without end"),
        pytest.param(b"x" * 10_000, "cannot read: ValueError", id="a line without end"),
        pytest.param(None, "stats: timed out", id="never answers"),
    ],
)
async def test_a_hostile_memcached_costs_a_time_out_and_is_unknown(
    answer: bytes | None, why: str
) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        if answer is None:
            await reader.read()
        else:
            writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, HOST, 0)
    port = server.sockets[0].getsockname()[1]
    quick = ConnectionOptions(read_timeout=Duration.parse("200ms"))
    told = await MemcachedCounters(HOST, port, quick, CLOCK.now_ns).sample()
    server.close()
    assert told.counters is None
    assert why in told.why


async def test_a_memcached_that_is_not_there_is_unknown() -> None:
    source = MemcachedCounters(HOST, free_port(), ConnectionOptions(), CLOCK.now_ns)
    told = await source.sample()
    assert told.counters is None
    assert told.why.startswith("stats: cannot read: ")


ORIGIN = (200, {"Cache-Control": "max-age=600", "X-Version": "7"}, b"x" * 100)


async def fetch(port: int, path: str, agent: str = "shopper") -> None:
    """One GET of somebody else."""
    reader, writer = await asyncio.open_connection(HOST, port)
    head = f"GET {path} HTTP/1.1\r\nHost: {HOST}:{port}\r\nUser-Agent: {agent}\r\n"
    writer.write(f"{head}Connection: close\r\n\r\n".encode())
    await reader.read()
    writer.close()


def http_node(port: int) -> HttpServer:
    options = HttpOptions(read_timeout=Duration.parse("5s"))
    return HttpServer(Target("e1", HOST, port), options, CLOCK.now_ns)


HTTP_BINDING = HttpBinding.model_validate({"key": "/{key}", "version": {"header": "X-Version"}})


async def test_varnish_tells_what_it_counts_and_our_reads_are_within_bounds() -> None:
    with serving(lambda _: ORIGIN) as web, VarnishServer(origin_port=web.port) as varnish:
        source = VarnishCounters(varnish.folder / "work", CLOCK.now_ns)
        node, own = http_node(varnish.port), OwnReads()
        cache = CountedCache(
            node.open(HTTP_BINDING, PRODUCTS), own, weigh_http(HttpOptions(), HTTP_BINDING)
        )
        for path in ("/1", "/1", "/2"):
            await fetch(varnish.port, path)

        async def counts(hits: int, misses: int) -> bool:
            counters = counters_of(await source.sample())
            return (counters.hits, counters.misses) == (hits, misses)

        await eventually(lambda: counts(1, 2), "Varnish has counted what it answered", 10)
        told = await source.sample()
        before = counters_of(told)
        assert (before.requests, before.items) == (3, 2)
        assert before.memory_limit_bytes == 32 << 20
        assert before.evictions == before.expirations == 0
        assert told.uptime_s is not None
        await cache.read(["1", "2", "3", "1"])
        await eventually(lambda: counts(4, 3), "Varnish has counted ours too", 10)
        await node.close()
    assert own.now() == Own(hits=3, unsure=1)  # what is no hit may have been passed


@pytest.mark.parametrize(
    ("script", "why"),
    [
        pytest.param("sleep 20", "varnishstat: timed out", id="hangs"),
        pytest.param("echo '{'", "varnishstat: ", id="no JSON"),
        pytest.param("echo '[1]'", "varnishstat: not the JSON of varnishstat", id="other JSON"),
        pytest.param("echo '{}'", "varnishstat: the child is not up", id="nothing in it"),
        pytest.param("echo no >&2; exit 3", "varnishstat: no", id="fails and says why"),
        pytest.param("exit 3", "varnishstat: ended with status 3", id="fails"),
        pytest.param("yes", "varnishstat: more than", id="output without end"),
    ],
)
async def test_a_varnishstat_that_fails_is_unknown(tmp_path: Path, script: str, why: str) -> None:
    command = tmp_path / "varnishstat"
    command.write_text(f"#!/bin/sh\n{script}\n")
    command.chmod(0o755)
    told = await VarnishCounters(tmp_path, CLOCK.now_ns, str(command), timeout_s=1.5).sample()
    assert told.counters is None
    assert told.why.startswith(why)


async def test_no_varnish_and_no_varnishstat_are_unknown(tmp_path: Path) -> None:
    told = await VarnishCounters(tmp_path, CLOCK.now_ns).sample()
    assert told.why.startswith("varnishstat: Could not get hold of varnishd")
    missing = await VarnishCounters(tmp_path, CLOCK.now_ns, "/nowhere/varnishstat").sample()
    assert missing.why == "varnishstat: No such file or directory"


def nginx_with_a_log(origin_port: int) -> NginxServer:
    """An nginx as docs/counters.md has it."""
    http = f"log_format stalewatch '{LOG_FORMAT}';"
    log = "access_log {folder}/cache.log stalewatch;"
    server = NginxServer(origin_port=origin_port, http=http)
    server.server = log.format(folder=server.folder) + server.server
    return server


async def test_nginx_counts_what_others_asked_for_and_not_what_we_did() -> None:
    with serving(lambda _: ORIGIN) as web, nginx_with_a_log(web.port) as nginx:
        source = NginxCounters(nginx.folder / "cache.log", CLOCK.now_ns)
        await source.sample()
        node = http_node(nginx.port)
        cache = node.open(HTTP_BINDING, PRODUCTS)
        for path in ("/1", "/1", "/2", "/1"):
            await fetch(nginx.port, path)
        await cache.read(["1", "2", "3"])
        await node.close()

        async def has_all() -> bool:
            return counters_of(await source.sample()).requests == 4

        await eventually(has_all, "nginx has written its log", 10)
        lines = (nginx.folder / "cache.log").read_text().splitlines()
        counters = counters_of(await source.sample())
        await source.close()
    assert len(lines) == 7
    assert (counters.hits, counters.misses, counters.invalidations) == (2, 2, 0)
    assert counters.request_us is not None


def line(status: str = "HIT", agent: str = "shopper", method: str = "GET") -> str:
    return f'{status} 0.002 {method} "{agent}"\n'


async def test_a_log_is_followed_through_rotation_and_truncation(tmp_path: Path) -> None:
    log = tmp_path / "cache.log"
    log.write_text(line() * 50)
    source = NginxCounters(log, CLOCK.now_ns)
    first = await source.sample()
    assert counters_of(first).hits == 0  # what was there before nobody can date
    with log.open("a") as file:
        file.write(line() * 2 + line("MISS") + line("-", method="PURGE") + "HIT 0.0")
    assert counters_of(await source.sample()) == Counters(
        hits=2, misses=1, invalidations=1, requests=4, request_us=8_000
    )
    with log.open("a") as file:
        file.write('04 GET "shopper"\n')
    log.rename(tmp_path / "cache.log.1")
    log.write_text(line("EXPIRED") + line("HIT", "stalewatch") + line("BYPASS"))
    moved = await source.sample()
    assert counters_of(moved) == Counters(
        hits=3, misses=2, invalidations=1, requests=7, request_us=16_000
    )
    assert moved.identity == first.identity
    log.write_text(line("STALE"))
    cut = await source.sample()
    assert cut.identity != first.identity
    assert counters_of(cut).hits == 1
    await source.close()


async def test_a_log_in_another_format_is_unknown(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    log.touch()
    source = NginxCounters(log, CLOCK.now_ns)
    await source.sample()
    log.write_text('127.0.0.1 - - [25/Nov/2026] "GET / HTTP/1.1" 200 1 "-" "curl"\n' * 3)
    told = await source.sample()
    assert told.counters is None
    assert told.why == f"no line is in the format: {LOG_FORMAT}"
    await source.close()


async def test_a_log_that_is_not_there_is_unknown(tmp_path: Path) -> None:
    told = await NginxCounters(tmp_path / "none.log", CLOCK.now_ns).sample()
    assert told.why == f"cannot read {tmp_path}/none.log: No such file or directory"


VALUE = Reading(Result.VALUE, Value(1))


@pytest.mark.parametrize(
    ("readings", "weight", "tells", "expected"),
    [
        pytest.param([VALUE, MISS], 1, "hits and misses", Tally(1, 1, 0), id="one lookup a key"),
        pytest.param([VALUE, MISS], 2, "hits and misses", Tally(2, 2, 0), id="two lookups a key"),
        pytest.param(
            [Reading(Result.UNREADABLE), Reading(Result.UNKNOWN)], 1, "hits and misses",
            Tally(1, 0, 1), id="something unreadable is there, no answer says nothing",
        ),
        pytest.param(
            [VALUE, VALUE._replace(filled=True), MISS], 1, "hits", Tally(1, 0, 2),
            id="what we filled may have missed or been passed",
        ),
        pytest.param([VALUE, MISS], 1, "nothing", Tally(0, 0, 2), id="nothing is told"),
    ],
)  # fmt: skip
def test_readings_weigh_what_the_node_has_counted(
    readings: list[Reading], weight: int, tells: str, expected: Tally
) -> None:
    assert weighed(readings, weight, tells) == expected


class SlowCache:
    """A cache whose reads wait until they are let go, or are cancelled."""

    batch_keys = 10
    effect = ProbeEffect.NONE

    def __init__(self) -> None:
        self.gate = asyncio.Event()

    async def read(self, keys: Sequence[str]) -> Reply:
        await self.gate.wait()
        return Reply(0, 1, [VALUE] * len(keys))

    inspect = read

    async def walk(self, cursor: str = "") -> KeyPage:
        return KeyPage([], cursor)


async def test_a_read_is_under_way_until_it_is_answered_or_given_up() -> None:
    slow, own = SlowCache(), OwnReads()
    cache = CountedCache(slow, own, Weigh(1, 2))
    given_up = asyncio.create_task(cache.inspect(["a", "b"]))
    answered = asyncio.create_task(cache.read(["a"]))
    await asyncio.sleep(0)
    assert own.now() == Own(open=5)
    given_up.cancel()
    await asyncio.wait([given_up])
    assert own.now() == Own(unsure=4, open=1)
    slow.gate.set()
    await answered
    assert own.now() == Own(hits=1, unsure=4)
    assert (cache.batch_keys, cache.effect) == (10, ProbeEffect.NONE)


def scraped(at: int, hits: int, **more: Any) -> CounterSample:
    return CounterSample(at, at + 1, Counters(hits=hits, misses=0), **more)


def test_a_scrape_that_is_seen_twice_counts_once() -> None:
    own = OwnReads()
    node = ScrapedNode(NodeCounters("regional", "r1", "prometheus:main", own, CLOCK), own)

    def look(at: int, hits: int) -> CounterRow | None:
        node.begin()
        own.settle(0, Tally(hits=10))  # between the start of a look and the next
        return node.take(scraped(at, hits))

    rows = [look(100, 0), look(200, 0), look(300, 40), look(400, 40), look(500, 90)]
    assert [row is None for row in rows] == [True, True, False, True, False]
    first, last = rows[2], rows[4]
    assert first is not None
    assert last is not None
    assert first.hits is None  # the first that can be dated
    assert last.hits == 50
    # Ours since the start of the look before the last, and up to now, may be on either side of it.
    assert last.own_hits == (0, 20, 50)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("7", 7), ("1.25e+06", 1_250_000), (3, 3), ("0", 0), ("-1", None), ("NaN", None),
        ("+Inf", None), ("1e30", None), ("", None), ("many", None), (None, None), ([1], None),
    ],
)  # fmt: skip
def test_a_count_that_is_none_is_unknown(told: object, expected: int | None) -> None:
    assert whole(told) == expected
