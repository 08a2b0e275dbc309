"""Walking all keys that a node holds, against real servers."""

import asyncio
import time
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.base import Cache, KeyPage, Keyspace, SourceError, Target
from collectors.budget import Budget
from collectors.http import HttpBinding, HttpOptions, HttpServer
from collectors.memcached import MemcachedOptions, MemcachedServer
from collectors.memcached_value import MemcachedBinding
from collectors.options import key_in, keys_in
from collectors.redis import RedisServer
from collectors.redis_server import RedisOptions
from collectors.redis_value import RedisBinding
from collectors.throttle import ThrottledCache
from tests.collectors.test_memcached import HELLO, Client
from tests.servers import MemcachedServer as RealMemcached
from tests.servers import RedisServer as RealRedis
from tests.servers import eventually, free_port

PRODUCT = Keyspace("product")
BINDING = {"key": "product:{key}", "version": {"json": "$.version"}}


async def all_keys(cache: Any) -> list[str]:
    """Every key, page after page."""
    keys: list[str] = []
    cursor = ""
    while True:
        page: KeyPage = await cache.walk(cursor)
        keys += page.keys
        cursor = page.cursor
        if not cursor:
            return keys


# The reverse of a key template.


@pytest.mark.parametrize(
    ("template", "name", "key"),
    [
        pytest.param("product:{key}", "product:42", "42", id="a prefix"),
        pytest.param("product:{key}:v1", "product:42:v1", "42", id="a prefix and a suffix"),
        pytest.param("{key}", "anything at all", "anything at all", id="the key alone"),
        pytest.param("product:{key}", "product:a:b", "a:b", id="a key with the separator in it"),
        pytest.param("product:{key}", "basket:42", None, id="another prefix"),
        pytest.param("product:{key}:v1", "product:42:v2", None, id="another suffix"),
        pytest.param("product:{key}", "product:", None, id="no key"),
        pytest.param("aa{key}aa", "aaa", None, id="prefix and suffix overlap"),
        pytest.param("a{key}a", "aa", None, id="prefix and suffix meet"),
        pytest.param("product:{key}", "", None, id="an empty name"),
        pytest.param("{key}}", "x}", "x", id="a brace beside it"),
    ],
)
def test_the_key_in_a_name(template: str, name: str, key: str | None) -> None:
    assert key_in(template, name) == key


LETTERS = st.text("ab{}:*é", max_size=4)


@given(before=LETTERS, key=LETTERS.filter(bool), after=LETTERS)
def test_what_a_template_makes_of_a_key_has_that_key_in_it(
    before: str, key: str, after: str
) -> None:
    template = f"{before}{{key}}{after}"
    if template.count("{key}") == 1:
        assert key_in(template, template.replace("{key}", key)) == key


def test_a_name_that_is_no_text_is_of_no_keyspace() -> None:
    assert list(keys_in("p:{key}", [b"p:\xff", "p:é".encode(), b"q:1"])) == ["é"]


# memcached.


@pytest.fixture(scope="module")
def memcached_server() -> Iterator[RealMemcached]:
    with RealMemcached() as server:
        yield server


@pytest.fixture
def memcached(memcached_server: RealMemcached) -> Iterator[Client]:
    client = Client(memcached_server.port)
    client.say("flush_all")
    yield client
    client.close()


def connect(port: int, **options: Any) -> MemcachedServer:
    target = Target("n1", "127.0.0.1", port)
    return MemcachedServer(target, MemcachedOptions.model_validate(options), time.monotonic_ns)


def open_memcached(server: MemcachedServer) -> Cache:
    return server.open(MemcachedBinding.model_validate(BINDING), PRODUCT)


def fill(client: Client, names: Iterable[str]) -> None:
    sets = [b"set %b 0 0 1 noreply\r\nx" % name.encode() for name in names]
    for at in range(0, len(sets), 1000):
        client.say(b"\r\n".join(sets[at : at + 1000]))


async def test_every_key_of_the_keyspace_comes_once_in_pages(
    memcached_server: RealMemcached, memcached: Client
) -> None:
    keys = [str(number) for number in range(2500)]
    fill(memcached, (f"product:{key}" for key in keys))
    fill(memcached, (f"basket:{key}" for key in keys))
    server = connect(memcached_server.port)
    cache = open_memcached(server)
    first = await cache.walk()
    assert len(first.keys) == 1000
    assert first.cursor
    assert sorted(await all_keys(cache)) == sorted(keys)
    await server.close()


async def test_an_exact_page_ends_with_an_empty_one(
    memcached_server: RealMemcached, memcached: Client
) -> None:
    fill(memcached, (f"product:{key}" for key in range(1000)))
    server = connect(memcached_server.port)
    assert len(await all_keys(open_memcached(server))) == 1000
    memcached.say("flush_all")
    assert await open_memcached(server).walk() == KeyPage([], "")
    await server.close()


async def test_odd_names_come_as_they_are_and_the_expired_do_not(
    memcached_server: RealMemcached, memcached: Client
) -> None:
    fill(memcached, ["product:%41", "product:é", "product:a=b", "product:a:b", "product:"])
    memcached.say(b"set product:\xff 0 0 1\r\nx", "ms cHJvZHVjdDphIGI= 1 b\r\nx")
    memcached.set("product:old", "x", 1)

    def is_expired() -> bool:
        return memcached.say("mg product:old") == "EN\r\n"

    await eventually(is_expired, "the item expires", 10)
    server = connect(memcached_server.port)
    assert sorted(await all_keys(open_memcached(server))) == ["%41", "a b", "a:b", "a=b", "é"]
    await server.close()


async def test_writes_go_on_and_keys_that_stay_all_come(
    memcached_server: RealMemcached, memcached: Client
) -> None:
    fill(memcached, (f"product:{key}" for key in range(5000)))
    server = connect(memcached_server.port)
    cache = open_memcached(server)
    found: set[str] = set()
    cursor = ""
    for turn in range(100):
        page = await cache.walk(cursor)
        found.update(page.keys)
        fill(memcached, (f"product:new-{turn}-{key}" for key in range(500)))
        memcached.say(*(f"mg product:{key} v" for key in range(turn, 5000, 50)))
        cursor = page.cursor
        if not cursor:
            break
    assert {str(key) for key in range(5000)} <= found
    await server.close()


async def test_a_cursor_of_another_dump_begins_anew(
    memcached_server: RealMemcached, memcached: Client
) -> None:
    fill(memcached, (f"product:{key}" for key in range(1500)))
    first, second = connect(memcached_server.port), connect(memcached_server.port)
    page = await open_memcached(first).walk()
    resumed = open_memcached(second)
    again = await resumed.walk(page.cursor)
    assert len(again.keys) == 1000
    rest = await resumed.walk(again.cursor)
    assert {*again.keys, *rest.keys} == {str(key) for key in range(1500)}
    assert len((await resumed.walk("nonsense")).keys) == 1000
    await first.close()
    await second.close()


async def test_a_server_killed_between_pages_still_gives_the_rest() -> None:
    with RealMemcached() as real:
        client = Client(real.port)
        fill(client, (f"product:{key}" for key in range(1500)))
        client.close()
        server = connect(real.port)
        cache = open_memcached(server)
        page = await cache.walk()
        real.kill()
        assert len((await cache.walk(page.cursor)).keys) == 500
        with pytest.raises(SourceError, match="connection refused"):
            await cache.walk()
        real.start()
        assert await cache.walk() == KeyPage([], "")
        await server.close()


@pytest.mark.parametrize(
    ("options", "why"),
    [
        pytest.param(["-X"], "metadump not allowed", id="dumping disabled"),
        pytest.param(["-o", "no_lru_crawler"], "lru crawler disabled", id="no crawler"),
    ],
)
async def test_a_server_that_may_not_dump_says_why(options: list[str], why: str) -> None:
    with RealMemcached(*options) as real:
        server = connect(real.port)
        with pytest.raises(SourceError, match=why):
            await open_memcached(server).walk()
        await server.close()


class Dumping:
    """A server that answers `lru_crawler` with what a test says, dump by dump."""

    def __init__(self, *dumps: bytes, close: bool = False) -> None:
        self._dumps = dumps
        self._close = close

    async def __aenter__(self) -> int:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in (b"VERSION 1.6.18\r\n", HELLO.partition(b"\r\n")[2], *self._dumps):
            await reader.read(65536)
            writer.write(answer)
        if self._close:
            writer.close()


@pytest.mark.parametrize(
    ("dumps", "close", "why"),
    [
        pytest.param([b"BUSY currently processing\r\n"], False, "BUSY currently", id="busy"),
        pytest.param([b""], False, "timed out", id="silence"),
        pytest.param([b"key=product:1 exp=-1\n"], False, "timed out", id="no end"),
        pytest.param([b"key=product:1 exp=-1\n"], True, "connection closed", id="cut off"),
        pytest.param([b"key=" + b"x" * 9000], False, "an endless line", id="an endless line"),
        pytest.param([b"HTTP/1.1 400\r\n"], False, "HTTP/1.1 400", id="something else"),
        pytest.param([b"\r\n"], False, "an empty line", id="an empty line"),
        pytest.param([b"ERROR\r\n"] * 2, False, "knows no metadump", id="knows none"),
        pytest.param(
            [b"key=product:1 exp=-1\n" * 60_000], False, "a list longer than 1048576", id="endless"
        ),
    ],
)
async def test_nonsense_ends_a_walk_by_its_reason(
    dumps: list[bytes], close: bool, why: str
) -> None:
    async with Dumping(*dumps, close=close) as port:
        server = connect(port, read_timeout="200ms", longest_dump="1MiB")
        with pytest.raises(SourceError, match=why):
            await open_memcached(server).walk()
        await server.close()


async def test_a_dump_that_drips_is_given_up() -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in (b"VERSION 1\r\n", b"END\r\n"):
            await reader.read(100)
            writer.write(answer)
        while not writer.is_closing():
            writer.write(b"key=product:1 exp=-1\n")
            await asyncio.sleep(0.01)

    async with await asyncio.start_server(drip, "127.0.0.1", 0) as listening:
        server = connect(listening.sockets[0].getsockname()[1], dump_timeout="200ms")
        with pytest.raises(SourceError, match=r"more than 0\.2 s"):
            await open_memcached(server).walk()
        await server.close()


async def test_an_old_server_is_asked_for_its_size_classes_and_its_dead_left_out() -> None:
    dump = b"key=product:a exp=-1\nkey=product:b exp=9\nkey=product:c exp=10\nEND\r\n"
    async with Dumping(b"BADCLASS invalid class id\r\n", dump) as port:
        server = connect(port)
        assert await all_keys(open_memcached(server)) == ["a", "c"], "the server's time is 9"
        await server.close()


# Redis.


def open_redis(server: RedisServer, **binding: Any) -> Cache:
    return server.open(RedisBinding.model_validate({**BINDING, **binding}), PRODUCT)


def connect_redis(port: int) -> RedisServer:
    return RedisServer(Target("n1", "127.0.0.1", port), RedisOptions(), time.monotonic_ns)


async def test_redis_lists_the_keys_of_the_keyspace_alone(redis_server: RealRedis) -> None:
    keys = [str(number) for number in range(3000)]
    redis_server.client.mset({f"product:{key}": "x" for key in keys})
    redis_server.client.mset({f"basket:{key}": "x" for key in keys})
    redis_server.client.mset({"product:é": "x", "product:a b": "x", "product:": "x"})
    redis_server.client.set(b"product:\xff", "x")
    server = connect_redis(redis_server.port)
    found = await all_keys(open_redis(server))
    assert set(found) == {*keys, "é", "a b"}
    assert set(await all_keys(open_redis(server, key="[x]*{key}"))) == set()
    await server.close()


async def test_pages_of_redis_are_not_nearly_empty_where_others_fill_the_node(
    redis_server: RealRedis,
) -> None:
    redis_server.client.mset({f"basket:{key}": "x" for key in range(20_000)})
    redis_server.client.mset({f"product:{key}": "x" for key in range(10)})
    server = connect_redis(redis_server.port)
    cache = open_redis(server)
    pages = 0
    cursor = ""
    found: list[str] = []
    while pages == 0 or cursor:
        page = await cache.walk(cursor)
        found += page.keys
        cursor, pages = page.cursor, pages + 1
    assert set(found) == {str(key) for key in range(10)}
    assert pages <= 2
    await server.close()


async def test_a_walk_of_redis_begins_anew_after_a_restart() -> None:
    with RealRedis() as real:
        real.client.mset({f"product:{key}": "x" for key in range(3000)})
        server = connect_redis(real.port)
        cache = open_redis(server)
        page = await cache.walk()
        real.kill()
        with pytest.raises(SourceError, match="cannot list keys"):
            await cache.walk(page.cursor)
        real.start()
        real.client.mset({f"product:{key}": "x" for key in range(3000)})
        found: set[str] = set()

        async def goes_on() -> bool:
            nonlocal page
            try:
                page = await cache.walk(page.cursor)
            except SourceError:
                return False
            found.update(page.keys)
            return not page.cursor

        await eventually(goes_on, "the walk ends")
        assert found == {str(key) for key in range(3000)}
        await server.close()


async def test_without_the_right_to_scan_the_walk_says_so() -> None:
    with RealRedis(users={"default": "on nopass ~* +@all -scan"}) as real:
        server = connect_redis(real.port)
        with pytest.raises(SourceError, match=r"\+scan"):
            await open_redis(server).walk()
        with pytest.raises(SourceError):
            await open_redis(server).walk("nonsense")
        await server.close()


# Behind a budget.


async def test_a_walk_waits_for_its_turn_and_takes_it_from_the_probes(
    redis_server: RealRedis,
) -> None:
    redis_server.client.mset({f"product:{key}": "x" for key in range(10)})
    server = connect_redis(redis_server.port)
    budget = Budget(time.monotonic_ns(), reads_per_s=20)
    for _ in range(20):
        budget.spend(time.monotonic_ns())
    cache = ThrottledCache(open_redis(server), budget, time.monotonic_ns, patience_ns=0)
    asked_ns = time.monotonic_ns()
    assert len(await all_keys(cache)) == 10
    assert time.monotonic_ns() - asked_ns > 10_000_000, "it waited for the bucket"
    assert (await cache.read(["1"])).was_asked is False, "its read was the bucket's last"
    await server.close()


async def test_a_failed_walk_slows_the_node_down_and_other_kinds_cannot() -> None:
    server = connect(free_port())
    budget = Budget(time.monotonic_ns())
    cache = ThrottledCache(open_memcached(server), budget, time.monotonic_ns, patience_ns=0)
    with pytest.raises(SourceError, match="connection refused"):
        await cache.walk()
    assert budget.share < 1

    http = HttpServer(Target("n2", "127.0.0.1", 1), HttpOptions(), time.monotonic_ns)
    binding = HttpBinding.model_validate({"key": "/{key}", "version": {"header": "X-Version"}})
    other = ThrottledCache(http.open(binding, PRODUCT), budget, time.monotonic_ns, 0)
    with pytest.raises(SourceError, match="cannot list their keys"):
        await other.walk()
