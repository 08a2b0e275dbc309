"""The cache kind `memcached` against real servers, and against nonsense."""

import asyncio
import math
import socket
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from collectors.base import Keyspace, ProbeEffect, Target, VersionType
from collectors.memcached import TTL_RESOLUTION_S, MemcachedOptions, MemcachedServer, grants
from collectors.memcached_value import MemcachedBinding
from collectors.projection import digest
from freshness.fill import from_ttl
from freshness.model import MISS, Reading, Result, Value
from tests.collectors.web import saying
from tests.servers import Authority, eventually, free_port
from tests.servers import MemcachedServer as RealMemcached

JSON = MemcachedBinding.model_validate({"key": "product:{key}", "version": {"json": "$.version"}})
PRODUCT = Keyspace("product")


class Client:
    """Says what a test wants to a real server, byte for byte."""

    def __init__(self, port: int) -> None:
        self._wire = socket.create_connection(("127.0.0.1", port), 10)

    def say(self, *commands: str | bytes) -> str:
        """What the server answers, to its last command too."""
        for command in commands:
            raw = command.encode() if isinstance(command, str) else command
            self._wire.sendall(raw + b"\r\n")
        self._wire.sendall(b"mn\r\n")
        said = b""
        while not said.endswith(b"MN\r\n"):
            said += self._wire.recv(65536)
        return said[: -len(b"MN\r\n")].decode()

    def set(self, key: str, value: str | bytes, ttl_s: int = 0) -> None:
        raw = value.encode() if isinstance(value, str) else value
        said = self.say(b"set %b 0 %d %d\r\n%b" % (key.encode(), ttl_s, len(raw), raw))
        assert said == "STORED\r\n"

    def stats(self) -> dict[str, str]:
        lines = [line.split(" ", 2) for line in self.say("stats").splitlines()]
        return {line[1]: line[2] for line in lines if line[0] == "STAT"}

    def close(self) -> None:
        self._wire.close()


def connect(port: int, **options: Any) -> MemcachedServer:
    target = Target("n1", "127.0.0.1", port)
    return MemcachedServer(target, MemcachedOptions.model_validate(options), time.monotonic_ns)


def read_of(version: int, ttl_s: float | None = None) -> Reading:
    return Reading(Result.VALUE, Value(version), ttl_s)


@pytest.fixture(scope="module")
def memcached_server() -> Iterator[RealMemcached]:
    with RealMemcached() as server:
        yield server


@pytest.fixture
def real(memcached_server: RealMemcached) -> Iterator[Client]:
    """A client of a real, empty memcached."""
    client = Client(memcached_server.port)
    client.say("flush_all")
    yield client
    client.close()


@pytest.fixture
async def node(memcached_server: RealMemcached) -> AsyncIterator[MemcachedServer]:
    server = connect(memcached_server.port)
    yield server
    await server.close()


async def test_reads_versions_and_misses(node: MemcachedServer, real: Client) -> None:
    real.set("product:a", '{"version":3}')
    real.set("product:b", '{"version":"12"}')
    cache = node.open(JSON, PRODUCT)
    reply = await cache.read(["a", "none", "b"])
    assert list(reply.readings) == [read_of(3), MISS, read_of(12)]
    assert reply.start_ns <= reply.end_ns
    assert reply.size_bytes > 0
    assert list((await cache.read([])).readings) == []
    again = await cache.read(["a"])
    assert again.readings[0] is reply.readings[0]
    real.set("product:a", '{"version":5}')
    assert list((await cache.read(["a"])).readings) == [read_of(5)]


async def test_a_purged_key_is_a_miss_and_so_is_all_after_a_flush(
    node: MemcachedServer, real: Client
) -> None:
    cache = node.open(JSON, PRODUCT)
    for key in "ab":
        real.set(f"product:{key}", '{"version":3}')
    real.say("md product:a")
    assert list((await cache.read(["a", "b"])).readings) == [MISS, read_of(3)]
    real.say("flush_all")
    assert list((await cache.read(["a", "b"])).readings) == [MISS, MISS]


async def test_a_suspect_is_read_with_its_time_to_live(node: MemcachedServer, real: Client) -> None:
    real.set("product:a", '{"version":3}', 60)
    real.set("product:b", '{"version":3}')
    cache = node.open(JSON, PRODUCT)
    a, b, c = (await cache.inspect(["a", "b", "c"])).readings
    assert a.ttl_s is not None
    assert 58 <= a.ttl_s <= 60
    assert (b.ttl_s, c) == (math.inf, MISS)
    assert (await cache.read(["a"])).readings == [read_of(3)]
    always = node.open(JSON.model_copy(update={"ttl": "always"}), PRODUCT)
    assert (await always.read(["b"])).readings == [read_of(3, math.inf)]


async def test_a_time_to_live_bounds_the_instant_of_the_filling(
    node: MemcachedServer, real: Client
) -> None:
    cache = node.open(JSON, PRODUCT)
    for number in range(20):  # wherever between two ticks of the server's clock
        before_ns = time.monotonic_ns()
        real.set(f"product:{number}", '{"version":3}', 60)
        after_ns = time.monotonic_ns()
        await asyncio.sleep(number * 0.01)
        reply = await cache.inspect([str(number)])
        ttl_s = reply.readings[0].ttl_s
        assert ttl_s is not None
        fill = from_ttl(reply.start_ns, reply.end_ns, ttl_s, 60, TTL_RESOLUTION_S)
        assert fill is not None
        assert fill.lower <= before_ns <= after_ns <= fill.upper


async def test_an_expired_item_is_a_miss(node: MemcachedServer, real: Client) -> None:
    real.set("product:a", '{"version":3}', 1)
    cache = node.open(JSON, PRODUCT)

    async def is_gone() -> bool:
        return list((await cache.read(["a"])).readings) == [MISS]

    await eventually(is_gone, "the item expires", 10)


async def test_reading_bumps_nothing(node: MemcachedServer, real: Client) -> None:
    real.set("product:a", '{"version":3}')
    cache = node.open(JSON, PRODUCT)
    await cache.read(["a"])
    await cache.inspect(["a"])
    assert cache.effect is ProbeEffect.NONE
    assert real.say("mg product:a h u").startswith("HD h0")
    assert "fetch=no" in real.say("me product:a")


async def test_plain_reads_count_as_use(memcached_server: RealMemcached, real: Client) -> None:
    real.set("product:a", '{"version":3}', 60)
    server = connect(memcached_server.port, reads="plain")
    cache = server.open(JSON, PRODUCT)
    assert list((await cache.inspect(["a", "none"])).readings) == [read_of(3), MISS]
    assert cache.effect is ProbeEffect.REFRESHES
    assert "fetch=yes" in real.say("me product:a")
    await server.close()


async def test_an_item_marked_stale_is_judged_by_what_a_client_gets(
    node: MemcachedServer, real: Client
) -> None:
    real.set("product:a", '{"version":3}', 60)
    real.set("product:b", '{"version":3}', 60)
    real.say("md product:a I T30")
    cache = node.open(JSON, PRODUCT)
    reply = await cache.inspect(["a", "b"])
    marked, other = reply.readings
    assert marked == read_of(3), "its time to live is not that of its filling"
    assert other.ttl_s is not None


async def test_at_most_one_batch_takes_tokens_to_fetch_anew(
    node: MemcachedServer, real: Client
) -> None:
    for key in "ab":
        real.set(f"product:{key}", '{"version":3}')
        real.say(f"md product:{key} I T30")
    cache = node.open(JSON, PRODUCT)
    assert list((await cache.read(["a"])).readings) == [read_of(3)]
    assert list((await cache.read(["a", "b"])).readings) == [read_of(3)] * 2
    assert cache.effect is ProbeEffect.REFRESHES
    assert "Z" in real.say("mg product:a t").split()
    assert "W" in real.say("mg product:b t").split(), "the second read left the token alone"


async def test_plain_reads_take_no_token(memcached_server: RealMemcached, real: Client) -> None:
    real.set("product:a", '{"version":3}')
    real.say("md product:a I T30")
    server = connect(memcached_server.port, reads="plain")
    assert list((await server.open(JSON, PRODUCT).read(["a"])).readings) == [read_of(3)]
    assert "W" in real.say("mg product:a t").split()
    await server.close()


async def test_a_placeholder_of_somebody_who_fetches_is_no_value(
    node: MemcachedServer, real: Client
) -> None:
    assert "W" in real.say("mg product:a v N30")
    (reading,) = (await node.open(JSON, PRODUCT).read(["a"])).readings
    assert (reading.result, reading.why[:13]) == (Result.UNREADABLE, "a placeholder")


@pytest.mark.parametrize(
    ("binding", "value", "written_as", "expected"),
    [
        pytest.param(
            {"version": {"json": "$.version"}, "projection": ["$.name"]},
            '{"version":7,"name":"Tea"}',
            VersionType.INTEGER,
            Reading(Result.VALUE, Value(7, digest(["Tea"]))),
            id="version and projection",
        ),
        pytest.param(
            {"projection": ["$.name"]},
            '{"name":"Tea"}',
            VersionType.INTEGER,
            Reading(Result.VALUE, Value(None, digest(["Tea"]))),
            id="projection alone",
        ),
        pytest.param(
            {"version": {"text": True}}, "12", VersionType.INTEGER, read_of(12), id="raw number"
        ),
        pytest.param(
            {"version": {"text": True}},
            "W9",
            VersionType.STRING,
            Reading(Result.VALUE, Value(projection="W9")),
            id="raw opaque text",
        ),
        pytest.param(
            {"version": {"json": "$.version"}, "absent": {"equals": "null"}},
            "null",
            VersionType.INTEGER,
            Reading(Result.VALUE, Value(absent=True)),
            id="cached not-found",
        ),
        pytest.param(
            {"version": {"json": "$.version"}},
            b"\r\nEN\r\n\x00\xff",
            VersionType.INTEGER,
            Reading(Result.UNREADABLE, why="not JSON"),
            id="bytes that look like the protocol",
        ),
        pytest.param(
            {"version": {"json": "$.version"}},
            "",
            VersionType.INTEGER,
            Reading(Result.UNREADABLE, why="empty"),
            id="empty",
        ),
        pytest.param(
            {"version": {"json": "$.version"}},
            '{"version":-1}',
            VersionType.INTEGER,
            Reading(Result.UNREADABLE, why="version is negative"),
            id="negative",
        ),
    ],
)
async def test_a_binding_says_how_a_value_is_read(
    binding: dict[str, Any],
    value: str | bytes,
    written_as: VersionType,
    expected: Reading,
    node: MemcachedServer,
    real: Client,
) -> None:
    real.set("product:x", value)
    real.set("product:y", '{"version":1,"name":"n"}')
    bound = MemcachedBinding.model_validate({"key": "product:{key}", **binding})
    reply = await node.open(bound, Keyspace("product", written_as)).read(["x", "y"])
    assert reply.readings[0] == expected
    assert reply.readings[1].result in (Result.VALUE, Result.UNREADABLE)


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ("a b", "a key with a space or a control byte"),
        ("a\r\nset product:evil 0 0 1\r\nx", "a key with a space or a control byte"),
        ("a\x00b", "a key with a space or a control byte"),
        ("a\x7fb", "a key with a space or a control byte"),
        ("k" * 243, "a key of more than 250 bytes"),
        ("é" * 122, "a key of more than 250 bytes"),
    ],
)
@pytest.mark.parametrize("reads", ["meta", "plain"])
async def test_a_key_that_is_none_never_reaches_the_wire(
    reads: str, key: str, why: str, memcached_server: RealMemcached, real: Client
) -> None:
    real.set("product:good", '{"version":1}')
    server = connect(memcached_server.port, reads=reads)
    cache = server.open(JSON, PRODUCT)
    before = real.stats()
    reply = await cache.read(["good", key, "good"])
    assert list(reply.readings) == [read_of(1), Reading(Result.UNKNOWN, why=why), read_of(1)]
    after = real.stats()
    assert int(after["cmd_get"]) - int(before["cmd_get"]) == 2
    assert after["cmd_set"] == before["cmd_set"]
    await server.close()


async def test_binary_keys_are_sent_in_base64_where_declared(
    node: MemcachedServer, real: Client
) -> None:
    value = '{"version":4}'
    assert real.say(f"ms cHJvZHVjdDphIGI= {len(value)} b\r\n{value}").startswith("HD")
    binary = JSON.model_copy(update={"binary_keys": True})
    reply = await node.open(binary, PRODUCT).read(["a b", "none\r\n", "é", " " * 200])
    assert list(reply.readings[:3]) == [read_of(4), MISS, MISS]
    assert reply.readings[3].why == "a key of more than 250 bytes"


async def test_keys_of_250_bytes_and_of_other_scripts_are_read(
    node: MemcachedServer, real: Client
) -> None:
    for key in ("k" * 242, "é" * 121):
        real.set(f"product:{key}", '{"version":1}')
    cache = node.open(JSON, PRODUCT)
    assert list((await cache.read(["k" * 242, "é" * 121])).readings) == [read_of(1)] * 2


async def test_large_values_make_smaller_batches(node: MemcachedServer, real: Client) -> None:
    large = '{"version":1,"page":"' + "x" * 900_000 + '"}'
    keys = [str(number) for number in range(20)]
    for key in keys:
        real.set(f"product:{key}", large)
    cache = node.open(JSON, PRODUCT)
    first = await cache.read(keys)
    assert {reading.why for reading in first.readings} == {"reply longer than 8388608 bytes"}
    assert list((await cache.read(keys)).readings) == [read_of(1)] * 20
    assert cache.batch_keys == 1
    for key in keys:
        real.set(f"product:{key}", '{"version":2}')
    for _ in range(8):
        await cache.read(keys)
    assert cache.batch_keys == 50


async def test_keyspaces_share_the_connection(node: MemcachedServer, real: Client) -> None:
    real.set("product:a", '{"version":1}')
    before = int(real.stats()["total_connections"])
    caches = [node.open(JSON, PRODUCT) for _ in range(10)]
    replies = await asyncio.gather(*(cache.read(["a"]) for cache in caches))
    assert all(reply.readings == [read_of(1)] for reply in replies)
    assert int(real.stats()["total_connections"]) == before + 1


async def test_a_cancelled_read_leaves_no_answer_for_the_next(
    node: MemcachedServer, real: Client
) -> None:
    real.set("product:a", '{"version":1}')
    real.set("product:b", '{"version":2}')
    cache = node.open(JSON, PRODUCT)
    for _ in range(5):
        reading = asyncio.create_task(cache.read(["a"]))
        for _ in range(2):
            await asyncio.sleep(0)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        assert (await cache.read(["b"])).readings == [read_of(2)]


# Who answers.


async def test_a_restart_changes_the_identity_and_loses_no_read() -> None:
    with RealMemcached() as server:
        node = connect(server.port)
        cache = node.open(JSON, PRODUCT)
        first = await cache.read(["a"])
        assert (await cache.read(["a"])).identity == first.identity
        server.kill()
        down = await cache.read(["a"])
        assert list(down.readings) == [Reading(Result.UNKNOWN, why=down.why)]
        server.start()
        client = Client(server.port)
        client.set("product:a", '{"version":3}')
        client.close()

        async def answers() -> bool:
            return list((await cache.read(["a"])).readings) == [read_of(3)]

        await eventually(answers, "the node is read again")
        second = await cache.read(["a"])
        assert first.identity
        assert second.identity not in ("", first.identity)
        await node.close()


async def test_check_names_the_server(node: MemcachedServer) -> None:
    health = await node.check()
    assert health.ok
    assert health.server.startswith("memcached 1.")
    assert not health.problem
    assert "lru_crawler metadump" in grants(MemcachedOptions(), {"product": JSON})


async def test_nobody_listens() -> None:
    node = connect(free_port())
    reply = await node.open(JSON, PRODUCT).read(["a", "b"])
    assert list(reply.readings) == [Reading(Result.UNKNOWN, why="connection refused")] * 2
    assert "check host and port" in (await node.check()).problem


async def test_a_hanging_node_times_out_and_comes_back() -> None:
    with RealMemcached() as server:
        node = connect(server.port, read_timeout="100ms", connect_timeout="100ms")
        cache = node.open(JSON, PRODUCT)
        assert list((await cache.read(["a"])).readings) == [MISS]
        server.pause()
        assert (await cache.read(["a"])).why == "timed out"
        assert (await cache.read(["a"])).why == "connecting timed out"
        server.resume()

        async def answers() -> bool:
            return list((await cache.read(["a"])).readings) == [MISS]

        await eventually(answers, "the node answers again")
        await node.close()


async def test_a_user_and_password_are_sent_only_to_a_server_that_asks(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, memcached_server: RealMemcached, real: Client
) -> None:
    monkeypatch.setenv("MEMCACHED_PW_OF_TEST", "right")
    auth = {"username": "stalewatch", "password": {"env": "MEMCACHED_PW_OF_TEST"}}
    with Guarded("stalewatch:right") as server:
        node = connect(server.port, auth=auth)
        assert list((await node.open(JSON, PRODUCT).read(["a"])).readings) == [MISS]
        assert (await node.check()).ok
        nobody = connect(server.port)
        assert (await nobody.open(JSON, PRODUCT).read(["a"])).why == "unauthenticated"
        assert "set auth" in (await nobody.check()).problem
        monkeypatch.setenv("MEMCACHED_PW_OF_TEST", "wrong")
        stranger = connect(server.port, auth=auth)
        assert (await stranger.check()).problem == "user or password is wrong: check auth"
        monkeypatch.delenv("MEMCACHED_PW_OF_TEST")
        lost = connect(server.port, auth=auth)
        assert "MEMCACHED_PW_OF_TEST" in (await lost.check()).problem
        for one in (node, nobody, stranger, lost):
            await one.close()
    before = real.stats()["cmd_set"]
    monkeypatch.setenv("MEMCACHED_PW_OF_TEST", "right")
    open_node = connect(memcached_server.port, auth=auth)
    assert (await open_node.check()).ok
    assert real.stats()["cmd_set"] == before
    await open_node.close()


class Guarded(RealMemcached):
    """A memcached with an authentication file."""

    def __init__(self, *lines: str) -> None:
        super().__init__("-Y", "auth")
        self._lines = lines

    def prepare(self) -> None:
        (self.folder / "auth").write_text("\n".join(self._lines) + "\n")


@pytest.mark.parametrize("auth", [{"token": {"env": "X"}}, {"password": {"env": "X"}}])
def test_auth_is_a_user_with_a_password(auth: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="a username and a password"):
        MemcachedOptions.model_validate({"auth": auth})


async def test_tls(authority: Authority) -> None:
    options = (
        "-Z", "-o", f"ssl_chain_cert={authority.server.cert},ssl_key={authority.server.key}",
    )  # fmt: skip
    with RealMemcached(*options) as server:
        node = connect(server.port, tls={"ca": str(authority.ca)})
        assert list((await node.open(JSON, PRODUCT).read(["a"])).readings) == [MISS]
        other = connect(server.port, tls={"ca": str(authority.ca), "server_name": "other.test"})
        assert "Hostname mismatch" in (await other.open(JSON, PRODUCT).read(["a"])).why
        plain = connect(server.port, connect_timeout="200ms")
        assert (await plain.open(JSON, PRODUCT).read(["a"])).why
        for one in (node, other, plain):
            await one.close()


# Nonsense: unknown with its reason, one time-out, bounded memory.

HELLO = b"VERSION 1.6.18\r\nSTAT pid 1\r\nSTAT uptime 1\r\nSTAT time 9\r\nEND\r\n"


class Scripted:
    """A server that answers each request it has read with the next of some answers."""

    def __init__(self, *answers: bytes, close: bool = False) -> None:
        self._answers = answers
        self._close = close
        self.connections = 0

    async def __aenter__(self) -> "Scripted":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        for answer in (b"VERSION 1.6.18\r\n", HELLO.partition(b"\r\n")[2], *self._answers):
            if not await reader.read(65536):
                break
            writer.write(answer)
        if self._close:
            writer.close()


@pytest.mark.parametrize(
    ("answer", "close", "why"),
    [
        pytest.param(b"", True, "connection closed", id="silence, then gone"),
        pytest.param(b"", False, "timed out", id="silence"),
        pytest.param(b"VA 100 O0\r\nhalf an an", True, "connection closed", id="half, then gone"),
        pytest.param(b"VA 100 O0\r\nhalf an an", False, "timed out", id="half"),
        pytest.param(b"VA 3 O0\r\n12345\r\n", False, "a value of another length", id="too short"),
        pytest.param(b"VA 8 O0\r\n{}\r\nEN O1\r\n", False, "a value of another", id="too long"),
        pytest.param(b"VA 1073741824 O0\r\nxx", False, "reply longer than 8388608", id="1 GiB"),
        pytest.param(b"VA " + b"9" * 30 + b" O0\r\n", False, "not the memcached", id="30 digits"),
        pytest.param(b"VA -1 O0\r\n\r\n", False, "not the memcached protocol", id="below zero"),
        pytest.param(b"x" * 5000, False, "an endless line", id="an endless line"),
        pytest.param(b"EN O1\r\n", False, "answers out of step", id="another's miss"),
        pytest.param(b"VA 1 O7\r\n1\r\n", False, "answers out of step", id="another's value"),
        pytest.param(b"VA 1\r\n1\r\n", False, "answers out of step", id="nobody's value"),
        pytest.param(b"EN O0\r\nEN O0\r\n", False, "more answers than requests", id="two"),
        pytest.param(b"EN O0\r\nEN", False, "more answers than requests", id="one and a half"),
        pytest.param(b"SERVER_ERROR out of memory\r\n", False, "SERVER_ERROR out of", id="error"),
        pytest.param(b"ERROR\r\n", False, "ERROR", id="no meta commands"),
        pytest.param(b"HD O0\r\n", False, "not the answer to a read", id="no value"),
        pytest.param(b"\xff\xfe\x00\r\n", False, "not the answer to a read", id="no text"),
    ],
)
async def test_nonsense_is_unknown_by_its_reason(answer: bytes, close: bool, why: str) -> None:
    async with Scripted(answer, close=close) as server:
        node = connect(server.port, read_timeout="200ms")
        (reading,) = (await node.open(JSON, PRODUCT).read(["a"])).readings
        assert reading.result is Result.UNKNOWN
        assert reading.why.startswith(why)
        await node.close()


@pytest.mark.parametrize(
    ("said", "why"),
    [
        pytest.param(b"HTTP/1.1 400 Bad Request\r\n\r\n", "more answers", id="HTTP"),
        pytest.param(b"-ERR unknown command\r\n", "not the memcached protocol", id="Redis"),
        pytest.param(b"ERROR Too many open connections\r\n", "ERROR Too many", id="full"),
        pytest.param(b"\x16\x03\x01" * 3000, "an endless line", id="binary"),
        pytest.param(b"STAT a b\r\n" * 2, "more answers", id="out of turn"),
    ],
)
async def test_what_is_no_memcached_is_named_when_connecting(said: bytes, why: str) -> None:
    with saying(said) as port:
        node = connect(port, connect_timeout="300ms")
        reply = await node.open(JSON, PRODUCT).read(["a"])
        assert reply.why.startswith(why)
        assert not (await node.check()).ok
        await node.close()


async def test_endless_statistics_are_given_up() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"VERSION 1\r\n")
        for number in range(20_000):
            writer.write(b"STAT a%d b\r\n" % number)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    node = connect(server.sockets[0].getsockname()[1])
    assert (await node.open(JSON, PRODUCT).read(["a"])).why
    await node.close()
    server.close()


async def test_a_server_without_statistics_is_read_without_identity() -> None:
    class Proxy(Scripted):
        async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            for answer in (
                b"VERSION 1.6\r\n",
                b"ERROR\r\n",
                b"VA 13 O0\r\n" + b'{"version":3}\r\n',
            ):
                await reader.read(65536)
                writer.write(answer)

    async with Proxy() as server:
        node = connect(server.port)
        reply = await node.open(JSON, PRODUCT).read(["a"])
        assert (list(reply.readings), reply.identity) == ([read_of(3)], "")
        await node.close()
