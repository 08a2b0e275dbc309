"""The cache kind `varnish` against a real Varnish with the documented VCL, word for word."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest

from collectors.base import Keyspace, ProbeEffect, Reply, Target
from collectors.http import PASSED, PAST_ITS_TIME, HttpBinding, HttpServer, VarnishOptions
from freshness.model import MISS, Reading, Result, Value
from tests.collectors.documented import snippets
from tests.collectors.web import Answer, Asked, serving
from tests.servers import VarnishServer
from tests.servers.varnish import PLAIN_VCL
from tests.servers.waiting import eventually, wait_until

PURGING = """
sub vcl_recv {
  if (req.method == "PURGE") { return (purge); }
  if (req.method == "BAN") { ban("obj.http.X-Tag == " + req.http.X-Tag); return (synth(200)); }
  if (req.url ~ "/private") { return (pass); }
}
"""
BY_HEADER = HttpBinding.model_validate({"key": "/p/{key}", "version": {"header": "X-Version"}})
PRIVATE = HttpBinding.model_validate({"key": "/private/{key}", "version": {"header": "X-Version"}})
PRODUCT = Keyspace("product")


@dataclass
class Shop:
    """An origin that counts who asks, a Varnish before it, and us."""

    varnish: VarnishServer
    asked: list[Asked]
    secret: Path
    origin_port: int
    version: int = 1
    cache_control: str = "max-age=60"
    requests: int = 0
    held: threading.Event = field(default_factory=threading.Event)

    def answer(self, asked: Asked) -> Answer:
        self.held.wait(10)
        tag = asked.path.rpartition("/")[2]
        kept = {"Cache-Control": self.cache_control, "X-Tag": tag}
        return 200, {"X-Version": str(self.version), **kept}, b"page"

    def probe(self, **request: Any) -> HttpServer:
        """Us, as the page says."""
        guarded = {"only_cached": True, "secret": {"file": str(self.secret)}, **request}
        options = VarnishOptions.model_validate({"request": guarded, "read_timeout": "3s"})
        return HttpServer(Target("v1", "127.0.0.1", self.varnish.port), options, time.monotonic_ns)

    def user(self, path: str, method: str = "GET", **headers: str) -> httpx2.Response:
        """Somebody else."""
        self.requests += 1
        return httpx2.request(method, self.varnish.url + path, headers=headers, timeout=10)

    def counts(self, objects: int) -> tuple[int, int]:
        """Objects that Varnish holds, and questions to the origin.

        Threads hand their counts over now and then: every request so far is awaited there, and the
        objects that should be.
        """
        done: dict[str, int] = {}

        def are_counted() -> bool:
            done.update(self.varnish.counters())
            return done["MAIN.client_req"] >= self.requests and done["MAIN.n_object"] >= objects

        wait_until(are_counted, "the counters are written", 20)
        return done["MAIN.n_object"], len(self.asked)


@contextmanager
def shop(tmp_path: Path) -> Iterator[Shop]:
    (tmp_path / "secret").write_text("change-me\n")
    box: list[Shop] = []

    def answer(asked: Asked) -> Answer:
        return box[0].answer(asked)

    with serving(answer) as web:
        (snippet,) = snippets("varnish.md", "vcl")
        vcl = PLAIN_VCL.format(host="127.0.0.1", port=web.port) + snippet + PURGING
        with VarnishServer(vcl=vcl) as varnish:
            box.append(Shop(varnish, web.asked, tmp_path / "secret", web.port))
            box[0].held.set()
            yield box[0]


async def read(
    node: HttpServer, *keys: str, binding: HttpBinding = BY_HEADER
) -> tuple[Sequence[Reading], Reply]:
    reply = await node.open(binding, PRODUCT).read(keys or ("1",))
    return list(reply.readings), reply


async def read_one(node: HttpServer, binding: HttpBinding = BY_HEADER) -> Reading:
    return (await read(node, binding=binding))[0][0]


async def test_a_read_of_what_is_not_there_fills_nothing(tmp_path: Path) -> None:
    with shop(tmp_path) as it:
        node = it.probe()
        readings, _ = await read(node, *map(str, range(50)))
        assert readings == [MISS] * 50
        assert node.open(BY_HEADER, PRODUCT).effect is ProbeEffect.NONE
        it.requests += 50
        assert it.counts(0) == (0, 0)
        assert (await node.check()).problem == ""
        await node.close()


async def test_a_hit_tells_version_age_and_time_to_live(tmp_path: Path) -> None:
    with shop(tmp_path) as it:
        node = it.probe()
        it.user("/p/1")
        reading = await read_one(node)
        assert reading.value == Value(1)
        assert not reading.filled
        assert reading.why == ""
        assert reading.age_s is not None
        assert reading.ttl_s is not None
        assert 58 <= reading.age_s + reading.ttl_s <= 60
        it.requests += 1
        assert it.counts(1) == (1, 1)
        await node.close()


async def test_a_purge_and_a_ban_are_seen_as_a_miss_and_then_as_the_new_version(
    tmp_path: Path,
) -> None:
    with shop(tmp_path) as it:
        node = it.probe()
        for version, (method, headers) in enumerate((("PURGE", {}), ("BAN", {"X-Tag": "1"})), 1):
            it.version = version
            it.user("/p/1")
            assert (await read_one(node)).value == Value(version)
            it.user("/p/1", method, **headers)
            assert await read_one(node) == MISS
            assert len(it.asked) == version
        it.version = 3
        it.user("/p/1")
        assert (await read_one(node)).value == Value(3)
        await node.close()


async def test_grace_is_told_and_our_read_refreshes_nothing(tmp_path: Path) -> None:
    with shop(tmp_path) as it:
        node, it.cache_control = it.probe(), "max-age=1, stale-while-revalidate=60"
        it.user("/p/1")
        it.version = 2

        async def is_past_its_time() -> bool:
            return (await read_one(node)).why == PAST_ITS_TIME

        await eventually(is_past_its_time, "the object is in grace", 20)
        for _ in range(5):
            reading = await read_one(node)
            assert (reading.value, reading.filled, reading.ttl_s) == (Value(1), False, 0)
            it.requests += 1
        assert it.counts(1) == (1, 1)
        assert it.user("/p/1").headers["x-version"] == "1"
        wait_until(lambda: len(it.asked) == 2, "a user's read refreshes it", 20)
        await eventually(lambda: _holds(node, 2), "the new version is there", 20)
        await node.close()


async def _holds(node: HttpServer, version: int) -> bool:
    return (await read_one(node)).value == Value(version)


async def test_a_hit_for_miss_is_a_miss_and_a_pass_is_unknown(tmp_path: Path) -> None:
    with shop(tmp_path) as it:
        node, it.cache_control = it.probe(), "no-store"
        it.user("/p/1")
        it.user("/p/1")
        assert len(it.asked) == 2
        before = it.counts(1)
        assert await read_one(node) == MISS
        reading = await read_one(node, PRIVATE)
        assert (reading.result, reading.why) == (Result.UNKNOWN, PASSED)
        it.requests += 2
        assert it.counts(1) == before
        await node.close()


async def test_a_fetch_under_way_is_not_waited_for(tmp_path: Path) -> None:
    with shop(tmp_path) as it:
        node = it.probe()
        it.held.clear()
        user = threading.Thread(target=it.user, args=("/p/1",))
        user.start()
        wait_until(lambda: it.asked, "a user's read is at the origin", 20)
        assert await read_one(node) == MISS
        it.held.set()
        user.join(20)
        assert (await read_one(node)).value == Value(1)
        assert len(it.asked) == 1
        await node.close()


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        ({"X-Stalewatch": "guessed", "Cache-Control": "only-if-cached"}, "a wrong secret"),
        ({"Cache-Control": "only-if-cached"}, "no secret"),
        ({"X-Stalewatch": "change-me"}, "a secret alone"),
    ],
)
def test_others_are_ordinary_clients(tmp_path: Path, headers: dict[str, str], why: str) -> None:
    with shop(tmp_path) as it:
        response = it.user("/p/1", **headers)
        assert (response.status_code, response.headers["x-version"]) == (200, "1"), why
        assert "cache-status" not in response.headers
        assert "x-stalewatch" not in it.asked[0].headers


async def test_killed_and_back_it_is_unknown_then_another(tmp_path: Path) -> None:
    with shop(tmp_path) as it:
        node = it.probe()
        it.user("/p/1")
        first = (await read(node))[1]
        assert "/" in first.identity
        assert (await read(node, "1", "none"))[1].identity == first.identity
        it.varnish.kill()
        readings, reply = await read(node)
        assert (readings[0].result, reply.why) == (Result.UNKNOWN, "connection refused")
        it.varnish.start()
        readings, second = await read(node)
        assert readings == [MISS]
        assert second.identity.partition("/")[0] == first.identity.partition("/")[0]
        assert second.identity not in {"", first.identity}
        await node.close()


async def test_without_the_vcl_what_our_read_brought_is_tagged(tmp_path: Path) -> None:
    answer: Answer = (200, {"X-Version": "6", "Cache-Control": "max-age=60"}, b"page")
    with serving(lambda _: answer) as web, VarnishServer(origin_port=web.port) as varnish:
        target = Target("v1", "127.0.0.1", varnish.port)
        node = HttpServer(target, VarnishOptions(), time.monotonic_ns)
        assert node.open(BY_HEADER, PRODUCT).effect is ProbeEffect.FILLS
        first, second = await read_one(node), await read_one(node)
        assert (first.value, first.filled) == (Value(6), True)
        assert (second.value, second.filled) == (Value(6), False)
        assert second.age_s is not None
        assert second.ttl_s == 60 - second.age_s
        await node.close()
        deaf = VarnishOptions.model_validate({"request": {"only_cached": True}})
        blind = HttpServer(target, deaf, time.monotonic_ns)
        web.asked.clear()
        assert "not obeyed" in (await blind.check()).problem
        await blind.close()
