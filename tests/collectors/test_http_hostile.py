"""Hostile and broken HTTP servers cost one time-out and bounded memory, and are unknown."""

import time
import tracemalloc
from functools import partial
from typing import Any

import pytest

from collectors.base import Keyspace, Reply, Target
from collectors.http import HttpBinding, HttpOptions, HttpServer
from freshness.model import Reading, Result, Value
from settings import Secret
from tests.collectors.hostile import OK, PIECES, Hostile, after, slowly, talking
from tests.collectors.web import Answer, Asked, serving
from tests.servers import Authority, NginxServer
from tests.servers.waiting import eventually

BY_HEADER = {"key": "/p/{key}", "version": {"header": "X-Version"}}
BY_JSON = {"key": "/p/{key}", "version": {"json": "$.version"}}
PRODUCT = Keyspace("product")
PATIENT = {"read_timeout": "5s", "connect_timeout": "5s"}
WAIT = {"read_timeout": "700ms", "connect_timeout": "300ms"}
ENDS_S = 20.0
"""Long past every time-out, for a machine that is busy."""
MOST_BYTES = 32_000_000
"""What two answers may hold at a time, what is in the buffers of their sockets included."""
SLOW = {"not HTTP", "timed out"}
"""Given up for its size, or for its time where this machine is slow."""
HEAD = OK + b"Content-Length: "
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


def connect(port: int, **options: Any) -> HttpServer:
    target = Target("n1", "127.0.0.1", port)
    return HttpServer(target, HttpOptions.model_validate({**PATIENT, **options}), time.monotonic_ns)


async def ask(hostile: Hostile, binding: dict[str, Any], *keys: str) -> tuple[Reply, float]:
    """The reply, and the seconds that it took."""
    node = connect(hostile.port, **WAIT)
    cache = node.open(HttpBinding.model_validate(binding), PRODUCT)
    began = time.monotonic()
    reply = await cache.read(keys or ("1", "2"))
    took_s = time.monotonic() - began
    await node.close()
    return reply, took_s


@pytest.mark.parametrize(
    ("pieces", "pause_s", "binding", "whys"),
    [
        pytest.param(after(OK, b"X-More: more\r\n"), 0, BY_HEADER, SLOW, id="headers"),
        pytest.param(after(OK, b"x" * 65536), 0, BY_HEADER, SLOW, id="one header"),
        pytest.param(
            after(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), 0, BY_HEADER, {"timed out"}, id="hundreds"
        ),
        pytest.param(
            after(HEAD + b"99999999999\r\n\r\n", b"x" * 65536), 0, BY_JSON,
            {"body longer than 65536 bytes"}, id="body",
        ),
        pytest.param(
            after(CHUNKED, b"1\r\nx\r\n"), 0, BY_JSON,
            {"body longer than 65536 bytes", "timed out"}, id="chunks of a byte",
        ),
        pytest.param(
            after(CHUNKED, b"1;" + b"x" * 65536), 0, BY_JSON, SLOW, id="chunk extension",
        ),
        pytest.param(slowly(HEAD + b"2\r\n\r\n{}" * 50), 0.02, BY_JSON, {"timed out"}, id="drip"),
        pytest.param(
            lambda: [HEAD + b"2\r\n\r\n"], 0, BY_JSON, {"timed out"}, id="a head alone"
        ),
        pytest.param(
            lambda: [HEAD + b"2\r\nContent-Length: 3\r\n\r\n{}"], 0, BY_JSON, {"not HTTP"},
            id="two lengths",
        ),
        pytest.param(
            lambda: [OK + b"Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nplain"], 0, BY_JSON,
            {"undecodable body"}, id="not gzip",
        ),
    ],
)  # fmt: skip
async def test_what_never_ends_costs_one_time_out_and_bounded_memory(
    pieces: PIECES, pause_s: float, binding: dict[str, Any], whys: set[str]
) -> None:
    with talking(pieces, pause_s=pause_s) as hostile:
        tracemalloc.start()
        reply, took_s = await ask(hostile, binding)
        _, peak_bytes = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert {reading.why for reading in reply.readings} <= whys
    assert all(reading.result is not Result.VALUE for reading in reply.readings)
    assert took_s < ENDS_S
    assert peak_bytes < MOST_BYTES


async def test_a_version_in_a_header_needs_no_end_of_the_body() -> None:
    with talking(after(HEAD + b"99999999999\r\n\r\n", b"x" * 65536)) as hostile:
        reply, _ = await ask(hostile, BY_HEADER, "1")
        assert reply.readings[0].value == Value(1)
        assert hostile.sent_bytes < MOST_BYTES


def say(answer: Answer, _: Asked) -> Answer:
    return answer


async def test_a_redirect_elsewhere_is_not_followed() -> None:
    with serving(lambda _: (200, {"X-Version": "9"}, b"")) as elsewhere:
        location = f"http://127.0.0.1:{elsewhere.port}/p/1"
        for status in (301, 302, 303, 307, 308):
            answer: Answer = status, {"Location": location, "X-Version": "9"}, b""
            with serving(partial(say, answer)) as web:
                node = connect(web.port)
                cache = node.open(HttpBinding.model_validate(BY_HEADER), PRODUCT)
                reading = (await cache.read(["1"])).readings[0]
                assert reading == Reading(Result.UNKNOWN, why=f"redirect to {location}")
                await node.close()
        assert not elsewhere.asked


CONTROL = "1\r\nX-Evil: 1\r\n\r\nGET /other HTTP/1.1\r\n\x00"


async def test_no_key_breaks_out_of_its_path() -> None:
    def answer(asked: Asked) -> tuple[int, dict[str, str], bytes]:
        return 200, {"X-Version": "1", "X-Cache": "HIT"}, b""

    with serving(answer) as web:
        node = connect(web.port)
        cache = node.open(HttpBinding.model_validate(BY_HEADER), PRODUCT)
        readings = (await cache.read([CONTROL, "a/../b", "%2e", "a#b", "~ü€"])).readings
        assert {reading.value for reading in readings} == {Value(1)}
        assert {one.path for one in web.asked} == {
            "/p/1%0D%0AX-Evil%3A%201%0D%0A%0D%0AGET%20%2Fother%20HTTP%2F1.1%0D%0A%00",
            "/p/a%2F..%2Fb",
            "/p/%252e",
            "/p/a%23b",
            "/p/~%C3%BC%E2%82%AC",
        }
        assert not any("x-evil" in one.headers for one in web.asked)
        await node.close()


@pytest.mark.parametrize("key", [".", ".."])
async def test_a_key_that_is_a_step_of_a_path_is_not_asked_for(key: str) -> None:
    with serving(lambda _: (200, {"X-Version": "1", "X-Cache": "HIT"}, b"")) as web:
        node = connect(web.port)
        cache = node.open(HttpBinding.model_validate(BY_HEADER), PRODUCT)
        reading = (await cache.read([key])).readings[0]
        assert reading == Reading(Result.UNKNOWN, why="cannot ask: the path has a dot segment")
        assert not web.asked
        await node.close()


@pytest.mark.parametrize(
    ("secret", "binding"),
    [
        ("one\r\nX-Evil: 1", BY_HEADER),
        ("one\nX-Evil: 1", BY_HEADER),
        ("fine", {**BY_HEADER, "key": "/p\r\nX-Evil: 1\r\n/{key}"}),
    ],
    ids=["a secret with CR LF", "a secret with LF", "a path with CR LF"],
)
async def test_no_line_end_of_ours_reaches_the_wire(
    secret: str, binding: dict[str, Any], tmp_path: Any
) -> None:
    (tmp_path / "secret").write_bytes(secret.encode())
    request = {"only_cached": True, "secret": Secret(file=tmp_path / "secret")}
    with talking(lambda: [HEAD + b"0\r\n\r\n"]) as hostile:
        node = connect(hostile.port, request=request)
        await node.open(HttpBinding.model_validate(binding), PRODUCT).read(["1"])
        await node.close()
        assert b"\nX-Evil" not in b"".join(hostile.heard)


async def test_a_missing_secret_is_unknown_and_names_where_it_should_be(tmp_path: Any) -> None:
    request = {"only_cached": True, "secret": {"file": str(tmp_path / "none")}}
    with serving(lambda _: (200, {"X-Version": "1"}, b"")) as web:
        node = connect(web.port, request=request)
        reply = await node.open(HttpBinding.model_validate(BY_HEADER), PRODUCT).read(["1"])
        assert "cannot read the secret file" in reply.why
        assert not web.asked
        await node.close()


async def test_a_certificate_that_changes_is_verified_anew(authority: Authority) -> None:
    stranger = Authority()
    nginx = NginxServer(
        server="ssl_certificate crt; ssl_certificate_key key; keepalive_timeout 0;"
        "location / { add_header X-Version 3; add_header X-Cache HIT; return 200; }"
    )
    prepare = nginx.prepare

    def prepare_tls() -> None:
        prepare()
        config = nginx.folder / "nginx.conf"
        config.write_text(config.read_text().replace(f"{nginx.address};", f"{nginx.address} ssl;"))
        show(authority)

    def show(whose: Authority) -> None:
        (nginx.folder / "crt").write_bytes(whose.server.cert.read_bytes())
        (nginx.folder / "key").write_bytes(whose.server.key.read_bytes())

    nginx.prepare = prepare_tls  # type: ignore[method-assign]
    with nginx:
        node = connect(nginx.port, tls={"ca": str(authority.ca)}, **PATIENT)
        cache = node.open(HttpBinding.model_validate(BY_HEADER), PRODUCT)
        for whose, value in ((authority, Value(3)), (stranger, None), (authority, Value(3))):
            show(whose)
            nginx.reload()

            async def is_seen(value: Value | None = value) -> bool:
                reading = (await cache.read(["1"])).readings[0]
                return reading.value == value and (value is not None or "certif" in reading.why)

            await eventually(is_seen, f"{value} with the certificate shown", 20)
        await node.close()
    stranger.close()
