"""The cache kind `http` against real servers: one of ours, Varnish and nginx."""

import gzip
import time
from collections.abc import Callable
from typing import Any

import pytest

from collectors.base import Keyspace, ProbeEffect, Target, VersionType
from collectors.http import HttpBinding, HttpOptions, HttpServer
from collectors.projection import digest
from freshness.model import MISS, Reading, Result, Value
from tests.collectors.web import Answer, Asked, saying, serving
from tests.servers import Authority, NginxServer, free_port

PRODUCT = Keyspace("product")
BY_HEADER = {"key": "/p/{key}", "version": {"header": "X-Version"}}
BY_JSON = {"key": "/p/{key}", "version": {"json": "$.version"}}
HIT = {"X-Cache": "HIT"}


def connect(port: int, **options: Any) -> HttpServer:
    return HttpServer(
        Target("n1", "127.0.0.1", port), HttpOptions.model_validate(options), time.monotonic_ns
    )


async def read(
    answer: Callable[[Asked], Answer] | Answer,
    binding: dict[str, Any],
    *keys: str,
    written_as: VersionType = VersionType.INTEGER,
    **options: Any,
) -> tuple[list[Reading], list[Asked]]:
    """Readings of keys from a server with these answers, and what it was asked."""
    with serving(answer if callable(answer) else lambda _: answer) as web:
        node = connect(web.port, **options)
        cache = node.open(HttpBinding.model_validate(binding), Keyspace("product", written_as))
        reply = await cache.read(keys or ("1",))
        await node.close()
        assert reply.start_ns <= reply.end_ns
        return list(reply.readings), web.asked


async def read_one(answer: Answer, binding: dict[str, Any], **options: Any) -> Reading:
    return (await read(answer, binding, **options))[0][0]


async def test_reads_a_version_header_for_each_key() -> None:
    def answer(asked: Asked) -> Answer:
        return 200, {**HIT, "X-Version": asked.path.removeprefix("/p/")}, b"page"

    keys = [str(number) for number in range(20)]
    readings, asked = await read(answer, BY_HEADER, *keys, connections=3)
    assert [reading.value for reading in readings] == [Value(int(key)) for key in keys]
    assert {one.method for one in asked} == {"GET"}


async def test_percent_encodes_keys_and_sends_the_declared_headers(tmp_path: Any) -> None:
    (tmp_path / "t").write_text("secret")
    _, asked = await read(
        (200, {**HIT, "X-Version": "1"}, b""),
        BY_HEADER,
        "a/b?c=ü&..",
        request={"host": "www.example.com", "headers": {"X-Tier": "a"}, "only_cached": True},
        auth={"token": {"file": str(tmp_path / "t")}},
    )
    assert asked[0].path == "/p/a%2Fb%3Fc%3D%C3%BC%26.."
    assert asked[0].headers["host"] == "www.example.com"
    assert asked[0].headers["x-tier"] == "a"
    assert asked[0].headers["cache-control"] == "only-if-cached"
    assert asked[0].headers["authorization"] == "Bearer secret"


@pytest.mark.parametrize(
    ("headers", "filled", "age_s", "ttl_s"),
    [
        ({"Cache-Status": "edge; hit; ttl=30"}, False, None, 30),
        ({"Cache-Status": "shield; hit, edge; fwd=miss; stored"}, True, None, None),
        ({"Cache-Status": "shield; fwd=miss, edge; hit; ttl=-5"}, False, None, 0),
        ({"Cache-Status": ";;nonsense", "X-Cache": "HIT"}, False, None, None),
        ({"X-Cache": "HIT", "Age": "7", "Cache-Control": "max-age=10"}, False, 7, 3),
        ({"X-Cache": "HIT", "Age": "7", "Cache-Control": "max-age=9, s-maxage=60"}, False, 7, 53),
        ({"X-Cache": "MISS, HIT"}, False, None, None),
        ({"X-Cache": "HIT, MISS"}, True, None, None),
        ({"X-Cache": "Hit from cloudfront"}, False, None, None),
        ({"X-Cache": "TCP_HIT from squid:3128"}, False, None, None),
        ({"X-Cache": "EXPIRED"}, True, None, None),
        ({"X-Cache": "STALE"}, False, None, None),
        ({"CF-Cache-Status": "HIT", "Age": "3"}, False, 3, None),
        ({"CF-Cache-Status": "REVALIDATED"}, True, None, None),
        ({"Cache-Status": "edge; fwd=uri-miss; ttl=9"}, True, None, None),
        ({"X-Cache": "TCP_REFRESH_HIT"}, True, None, None),
        ({"X-Varnish": "32773 3"}, False, None, None),
        ({"X-Varnish": "32773"}, True, None, None),
        ({"Age": "12"}, False, 12, None),
        ({"Age": "0"}, True, 0, None),
        ({"Age": "-3"}, True, None, None),
        ({"Age": "soon", "Cache-Control": "max-age=60"}, True, None, None),
        ({}, True, None, None),
    ],
)
async def test_reads_what_the_cache_says_of_its_copy(
    headers: dict[str, str], filled: bool, age_s: float | None, ttl_s: float | None
) -> None:
    reading = await read_one((200, {"X-Version": "4", **headers}, b""), BY_HEADER)
    is_past = "ttl=-5" in str(headers) or headers.get("X-Cache") == "STALE"
    why = "served past its time to live, as allowed" if is_past else ""
    assert reading == Reading(Result.VALUE, Value(4), ttl_s, age_s, why, filled)


async def test_only_if_cached_fills_nothing() -> None:
    def answer(asked: Asked) -> Answer:
        if asked.path.endswith("none"):
            return 504, {}, b""
        return 200, {"X-Version": "4"}, b""

    options: dict[str, Any] = {"request": {"only_cached": True}}
    readings, _ = await read(answer, BY_HEADER, "none", "a", **options)
    assert readings == [MISS, Reading(Result.VALUE, Value(4))]
    binding = HttpBinding.model_validate(BY_HEADER)
    assert connect(1, **options).open(binding, PRODUCT).effect is ProbeEffect.NONE
    assert connect(1).open(binding, PRODUCT).effect is ProbeEffect.FILLS


JSON_ETAG = {"key": "/p/{key}", "version": {"etag": True}}
PROJECTED = {**BY_JSON, "projection": ["$.name", "$.price"]}


@pytest.mark.parametrize(
    ("binding", "headers", "body", "value"),
    [
        (BY_JSON, {}, b'{"version":5}', Value(5)),
        (PROJECTED, {}, b'{"version":5,"name":"T","price":1.0}', Value(5, digest(["T", 1]))),
        (
            {**BY_HEADER, "projection": ["$.name"]},
            {"X-Version": "5"},
            b'{"name":"T"}',
            Value(5, digest(["T"])),
        ),
        ({"key": "/p/{key}", "projection": ["$"]}, {}, b"[1]", Value(None, digest([[1]]))),
        (JSON_ETAG, {"ETag": '"17"'}, b"", Value(17)),
    ],
)
async def test_reads_versions_and_projections(
    binding: dict[str, Any], headers: dict[str, str], body: bytes, value: Value
) -> None:
    assert (await read_one((200, {**HIT, **headers}, body), binding)).value == value


async def test_reads_an_opaque_strong_etag_and_no_weak_one() -> None:
    kind = VersionType.STRING
    strong = (200, {**HIT, "ETag": '"abc"'}, b"")
    assert (await read(strong, JSON_ETAG, written_as=kind))[0][0].value == Value(projection="abc")
    weak = (200, {**HIT, "ETag": 'W/"abc"'}, b"")
    assert "weak" in (await read(weak, JSON_ETAG, written_as=kind))[0][0].why


@pytest.mark.parametrize(
    ("status", "headers", "value"),
    [
        (404, {}, Value(absent=True)),
        (410, {"X-Version": "9"}, Value(9, absent=True)),
        (404, {"X-Version": "nine"}, Value(absent=True)),
    ],
)
async def test_a_not_found_is_a_value(status: int, headers: dict[str, str], value: Value) -> None:
    assert (await read_one((status, {**HIT, **headers}, b""), BY_HEADER)).value == value


BOMB = gzip.compress(bytes(50_000_000))


@pytest.mark.parametrize(
    ("answer", "result", "why"),
    [
        ((200, HIT, b"nonsense"), Result.UNREADABLE, "not JSON"),
        ((200, HIT, b""), Result.UNREADABLE, "empty"),
        ((200, HIT, b'{"version":NaN}'), Result.UNREADABLE, "not JSON"),
        ((200, HIT, b'{"version":true}'), Result.UNREADABLE, "version is a boolean"),
        ((200, HIT, b'{"version":-4}'), Result.UNREADABLE, "version is negative"),
        ((200, HIT, b'{"v":1}'), Result.UNREADABLE, "nothing at $.version"),
        ((200, HIT, b'{"version":"' + b"1" * 70000), Result.UNREADABLE, "body longer than"),
        ((200, {**HIT, "Content-Encoding": "gzip"}, BOMB), Result.UNREADABLE, "body longer than"),
        ((200, {**HIT, "Content-Encoding": "gzip"}, b"{}"), Result.UNKNOWN, "undecodable body"),
        ((301, {"Location": "/login?token=x"}, b""), Result.UNKNOWN, "redirect to /login"),
        ((503, {}, b""), Result.UNKNOWN, "status 503"),
        ((504, {}, b""), Result.UNKNOWN, "status 504"),
        ((403, {}, b""), Result.UNKNOWN, "status 403"),
        ((206, HIT, b'{"version":1}'), Result.UNKNOWN, "status 206"),
        ((200, {"X-Cache": "BYPASS"}, b'{"version":1}'), Result.UNKNOWN, "bypassed"),
        ((200, {"CF-Cache-Status": "DYNAMIC"}, b'{"version":1}'), Result.UNKNOWN, "bypassed"),
    ],
)
async def test_names_why_nothing_can_be_read(answer: Answer, result: Result, why: str) -> None:
    reading = await read_one(answer, BY_JSON)
    assert reading.result is result
    assert why in reading.why


@pytest.mark.parametrize(
    ("said", "close", "why"),
    [
        ([], True, "connection closed"),
        ([b"\x00\x01garbage\r\n\r\n"], True, "not HTTP"),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"], True, "half an answer"),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"], False, "timed out"),
        ([b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000], True, "not HTTP"),
        ([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"], True, "not HTTP"),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n"], True, "not HTTP"),
        ([], False, "timed out"),
    ],
)
async def test_half_answers_and_garbage_are_unknown(
    said: list[bytes], close: bool, why: str
) -> None:
    with saying(*said, close=close) as port:
        patience = "150ms" if why == "timed out" else "10s"
        node = connect(port, read_timeout=patience, connect_timeout=patience)
        reply = await node.open(HttpBinding.model_validate(BY_JSON), PRODUCT).read(["1", "2"])
        assert [(one.result, one.why) for one in reply.readings] == [(Result.UNKNOWN, why)] * 2
        assert reply.why == why
        assert not (await node.check()).ok
        await node.close()


async def test_nobody_listens() -> None:
    node = connect(free_port())
    reply = await node.open(HttpBinding.model_validate(BY_JSON), PRODUCT).read(["1"])
    assert reply.why == "connection refused"


async def test_an_identity_is_proven_by_one_header_for_all_keys() -> None:
    def answer(asked: Asked) -> Answer:
        name = "a" if asked.path == "/p/1" else "b"
        return 200, {**HIT, "X-Version": "1", "X-Served-By": name}, b""

    with serving(answer) as web:
        node = connect(web.port, request={"served_by": "X-Served-By"})
        cache = node.open(HttpBinding.model_validate(BY_HEADER), PRODUCT)
        assert (await cache.read(["1"])).identity == "a"
        assert (await cache.read(["1", "2"])).identity == ""
        await node.close()


async def test_unchanged_answers_give_the_same_object() -> None:
    with serving(lambda _: (200, {**HIT, "X-Version": "1"}, b"")) as web:
        node = connect(web.port)
        cache = node.open(HttpBinding.model_validate(BY_HEADER), PRODUCT)
        first = (await cache.read(["1"])).readings[0]
        assert (await cache.read(["1"])).readings[0] is first
        await node.close()


async def test_real_nginx_says_hit_and_miss() -> None:
    answer: Answer = (200, {"X-Version": "6"}, b"page")
    with serving(lambda _: answer) as web, NginxServer(origin_port=web.port) as nginx:
        binding = HttpBinding.model_validate(BY_HEADER)
        node = connect(nginx.port)
        cache = node.open(binding, PRODUCT)
        filled = [(await cache.read(["1"])).readings[0].filled for _ in range(2)]
        assert filled == [True, False]
        nginx.pause()
        hung = connect(nginx.port, read_timeout="100ms", connect_timeout="100ms")
        assert (await hung.open(binding, PRODUCT).read(["1"])).why == "timed out"
        nginx.resume()
        await node.close()
        await hung.close()


async def test_tls_is_verified(authority: Authority) -> None:
    server = (
        f"ssl_certificate {authority.server.cert}; ssl_certificate_key {authority.server.key};"
        "location / { add_header X-Version 3; add_header X-Cache HIT; return 200; }"
    )
    nginx = NginxServer(server=server)
    plain_prepare = nginx.prepare

    def prepare() -> None:
        plain_prepare()
        config = nginx.folder / "nginx.conf"
        config.write_text(config.read_text().replace(f"{nginx.address};", f"{nginx.address} ssl;"))

    nginx.prepare = prepare  # type: ignore[method-assign]
    with nginx:
        binding = HttpBinding.model_validate(BY_HEADER)
        expected = {"": Value(3), "localhost": Value(3), "other.test": None}
        for name, value in expected.items():
            tls = {"ca": str(authority.ca), **({"server_name": name} if name else {})}
            node = connect(nginx.port, tls=tls)
            reply = await node.open(binding, PRODUCT).read(["1"])
            assert reply.readings[0].value == value, reply
            await node.close()
        stranger = connect(nginx.port, tls={})
        assert "certificate" in (await stranger.open(binding, PRODUCT).read(["1"])).why
        await stranger.close()
