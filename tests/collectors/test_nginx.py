"""The cache kind `nginx` against a real nginx with the documented configuration, word for word."""

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
from collectors.http import PASSED, PAST_ITS_TIME, HttpBinding, HttpServer, NginxOptions
from freshness.model import MISS, Reading, Result, Value
from tests.collectors.documented import snippets
from tests.collectors.web import Answer, Asked, serving
from tests.servers import NginxServer, free_port
from tests.servers.waiting import eventually, wait_until

LOCATION = """
location / {{
  proxy_pass http://127.0.0.1:{port};
  proxy_cache_valid any 10m;
  proxy_cache_lock on;
  proxy_cache_bypass $http_x_refresh;
  add_header X-Cache-Status $upstream_cache_status always;
}}
"""
BY_HEADER = HttpBinding.model_validate({"key": "/p/{key}", "version": {"header": "X-Version"}})
PRODUCT = Keyspace("product")


@dataclass
class Shop:
    """An origin that counts who asks, an nginx before it, and us."""

    nginx: NginxServer
    asked: list[Asked]
    secret: Path
    version: int = 1
    headers: dict[str, str] = field(default_factory=dict)
    held: threading.Event = field(default_factory=threading.Event)

    def answer(self, _: Asked) -> Answer:
        self.held.wait(10)
        return 200, {"X-Version": str(self.version), **self.headers}, b"page"

    def probe(self, **request: Any) -> HttpServer:
        """Us, as the page says."""
        guarded = {"only_cached": True, "secret": {"file": str(self.secret)}, **request}
        options = NginxOptions.model_validate({"request": guarded, "read_timeout": "3s"})
        return HttpServer(Target("n1", "127.0.0.1", self.nginx.port), options, time.monotonic_ns)

    def user(self, path: str, **headers: str) -> httpx2.Response:
        """Somebody else."""
        return httpx2.get(self.nginx.url + path, headers=headers, timeout=10)

    def files(self) -> list[Path]:
        """The entries of the cache."""
        return [each for each in (self.nginx.folder / "cache").rglob("*") if each.is_file()]

    def counts(self) -> tuple[int, int]:
        """Entries that nginx holds, and questions to the origin."""
        return len(self.files()), len(self.asked)


@contextmanager
def shop(tmp_path: Path) -> Iterator[Shop]:
    (tmp_path / "secret").write_text("change-me\n")
    box: list[Shop] = []

    def answer(asked: Asked) -> Answer:
        return box[0].answer(asked)

    with serving(answer) as web:
        http, server = snippets("nginx.md", "nginx")
        ours = f"127.0.0.1:{free_port()}"
        nginx = NginxServer(
            http=http.replace("127.0.0.1:8099", ours),
            server=server.replace("127.0.0.1:8099", ours) + LOCATION.format(port=web.port),
        )
        with nginx:
            box.append(Shop(nginx, web.asked, tmp_path / "secret"))
            box[0].held.set()
            yield box[0]


async def read(node: HttpServer, *keys: str) -> tuple[Sequence[Reading], Reply]:
    reply = await node.open(BY_HEADER, PRODUCT).read(keys or ("1",))
    return list(reply.readings), reply


async def read_one(node: HttpServer) -> Reading:
    return (await read(node))[0][0]


async def test_a_read_of_what_is_not_there_fills_nothing(tmp_path: Path) -> None:
    with shop(tmp_path) as it:
        node = it.probe()
        readings, _ = await read(node, *map(str, range(50)))
        assert readings == [MISS] * 50
        assert node.open(BY_HEADER, PRODUCT).effect is ProbeEffect.NONE
        assert it.counts() == (0, 0)
        assert (await node.check()).problem == ""
        await node.close()


async def test_a_hit_tells_the_version_and_no_age_that_is_only_repeated(tmp_path: Path) -> None:
    with shop(tmp_path) as it:
        node, it.headers = it.probe(), {"Age": "7", "Cache-Control": "max-age=60"}
        it.user("/p/1")
        assert await read_one(node) == Reading(Result.VALUE, Value(1))
        assert it.user("/p/1").headers["age"] == "7"
        assert it.counts() == (1, 1)
        await node.close()


async def test_a_removed_file_and_a_refresh_are_seen(tmp_path: Path) -> None:
    with shop(tmp_path) as it:
        node = it.probe()
        it.user("/p/1")
        assert await _holds(node, 1)
        it.files()[0].unlink()
        assert await read_one(node) == MISS
        assert it.counts() == (0, 1)
        it.version = 2
        it.user("/p/1")
        assert await _holds(node, 2)
        it.version = 3
        assert it.user("/p/1", **{"X-Refresh": "1"}).headers["x-cache-status"] == "BYPASS"
        assert await _holds(node, 3)
        assert it.counts() == (1, 3)
        await node.close()


async def _holds(node: HttpServer, version: int) -> bool:
    return await read_one(node) == Reading(Result.VALUE, Value(version))


async def test_a_copy_past_its_time_is_told_and_our_read_refreshes_nothing(tmp_path: Path) -> None:
    with shop(tmp_path) as it:
        node, it.headers = it.probe(), {"Cache-Control": "max-age=1"}
        it.user("/p/1")
        it.version = 2

        async def is_past_its_time() -> bool:
            return (await read_one(node)).why == PAST_ITS_TIME

        await eventually(is_past_its_time, "the copy is past its time", 20)
        for _ in range(5):
            assert await read_one(node) == Reading(Result.VALUE, Value(1), why=PAST_ITS_TIME)
        assert it.counts() == (1, 1)
        assert it.user("/p/1").headers["x-version"] == "1"
        wait_until(lambda: len(it.asked) == 2, "a user's read refreshes it", 20)
        await node.close()


async def test_what_no_client_would_get_past_its_time_is_a_miss(tmp_path: Path) -> None:
    with shop(tmp_path) as it:
        config = it.nginx.folder / "nginx.conf"
        text = config.read_text()
        config.write_text(text.replace("use_stale updating error timeout", "use_stale off"))
        it.nginx.kill()
        it.nginx.start()
        node, it.headers = it.probe(), {"Cache-Control": "max-age=1"}
        it.user("/p/1")

        async def is_missed() -> bool:
            return await read_one(node) == MISS

        await eventually(is_missed, "the copy is past its time", 20)
        assert it.counts() == (1, 1)
        await node.close()


async def test_a_fetch_under_way_is_not_waited_for_and_its_lock_not_taken(tmp_path: Path) -> None:
    with shop(tmp_path) as it:
        node = it.probe()
        it.held.clear()
        user = threading.Thread(target=it.user, args=("/p/1",))
        user.start()
        wait_until(lambda: it.asked, "a user's read is at the origin", 20)
        assert await read_one(node) == MISS
        it.held.set()
        user.join(20)
        assert await _holds(node, 1)
        assert len(it.asked) == 1
        await node.close()


@pytest.mark.parametrize(
    ("headers", "why"), [({"X-Stalewatch": "guessed"}, "a wrong secret"), ({}, "no secret")]
)
def test_others_are_ordinary_clients(tmp_path: Path, headers: dict[str, str], why: str) -> None:
    with shop(tmp_path) as it:
        response = it.user("/p/1", **headers)
        assert (response.status_code, response.headers["x-version"]) == (200, "1"), why
        assert it.user("/stalewatch-probe").status_code == 404


async def test_killed_and_back_it_is_unknown_then_up_with_its_copies(tmp_path: Path) -> None:
    with shop(tmp_path) as it:
        node = it.probe()
        it.user("/p/1")
        first = (await read(node, "1", "none"))[1]
        assert first.identity
        it.nginx.kill()

        async def is_refused() -> bool:
            return (await read(node))[1].why == "connection refused"

        await eventually(is_refused, "its workers are dead too", 20)
        assert (await read_one(node)).result is Result.UNKNOWN
        it.nginx.start()

        async def is_back() -> bool:
            return (await read(node))[1].identity == first.identity

        await eventually(is_back, "the cache is loaded", 20)
        assert await _holds(node, 1)
        assert len(it.asked) == 1
        await node.close()


async def test_without_the_configuration_what_our_read_brought_is_tagged() -> None:
    box = {"cc": "max-age=1"}
    with serving(lambda _: (200, {"X-Version": "6", "Cache-Control": box["cc"]}, b"page")) as web:
        location = "proxy_cache cache;" + LOCATION.format(port=web.port)
        with NginxServer(server=location) as nginx:
            target = Target("n1", "127.0.0.1", nginx.port)
            node = HttpServer(target, NginxOptions(), time.monotonic_ns)
            assert node.open(BY_HEADER, PRODUCT).effect is ProbeEffect.FILLS
            assert [(await read_one(node)).filled for _ in range(2)] == [True, False]

            async def is_filled_again() -> bool:
                return (await read_one(node)).filled

            await eventually(is_filled_again, "the copy expired, and our read fetched it", 20)
            options = NginxOptions.model_validate({"request": {"headers": {"X-Refresh": "1"}}})
            passing = HttpServer(target, options, time.monotonic_ns)
            assert await read_one(passing) == Reading(Result.UNKNOWN, why=PASSED)
            await node.close()
            await passing.close()
