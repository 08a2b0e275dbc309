"""Every real server starts, answers, survives what tests do to it, and leaves nothing behind."""

import socket
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import psutil
import psycopg
import pytest
import redis
from playwright.async_api import Page

from tests.servers import (
    NO_RETRY,
    AlertmanagerServer,
    Authority,
    MemcachedServer,
    NatsServer,
    NginxServer,
    PostgresServer,
    PrometheusServer,
    RedisServer,
    Server,
    VarnishServer,
    wait_until,
)


def say(port: int, words: bytes) -> bytes:
    """Send words to a loopback port and return the first that comes back."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(words)
        return connection.recv(4096)


def fetch(url: str) -> tuple[int, bytes]:
    """Status and body of a GET."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.read()


def answer_of_nginx(server: Server) -> object:
    return fetch(f"http://{server.address}/")


ANSWERS: list[tuple[Callable[[], Server], Callable[[Server], object], object]] = [
    (MemcachedServer, lambda s: say(s.port, b"mn\r\n"), b"MN\r\n"),
    (NatsServer, lambda s: say(s.port, b"")[:5], b"INFO "),
    (VarnishServer, lambda s: fetch(f"http://{s.address}/")[0], 503),
    (lambda: NginxServer(server="return 200 hello;"), answer_of_nginx, (200, b"hello")),
    (PrometheusServer, lambda s: fetch(f"http://{s.address}/-/healthy")[0], 200),
    (AlertmanagerServer, lambda s: fetch(f"http://{s.address}/-/healthy")[0], 200),
]


@pytest.mark.parametrize(
    ("make", "ask", "expected"),
    ANSWERS,
    ids=["memcached", "nats", "varnish", "nginx", "prometheus", "alertmanager"],
)
def test_a_server_starts_answers_and_stops(
    make: Callable[[], Server], ask: Callable[[Server], object], expected: object
) -> None:
    with make() as server:
        assert ask(server) == expected
        family = family_of(server)
    assert not server.folder.exists()
    assert not any(is_alive(each) for each in family)


def family_of(server: Server) -> list[psutil.Process]:
    process = server._process
    assert process is not None
    return [process, *process.children(recursive=True)]


def is_alive(process: psutil.Process) -> bool:
    return bool(process.is_running()) and process.status() != psutil.STATUS_ZOMBIE


def test_varnish_counts() -> None:
    with VarnishServer() as varnish:
        fetch(varnish.url)
        wait_until(lambda: varnish.counters()["MAIN.client_req"] >= 1, "the request is counted")


def test_nginx_caches_an_origin() -> None:
    with (
        NginxServer(server="add_header Cache-Control max-age=60; return 200 v1;") as origin,
        NginxServer(origin_port=origin.port) as cache,
    ):
        fetch(cache.url)
        with urllib.request.urlopen(cache.url, timeout=5) as answer:
            assert (answer.headers["X-Cache"], answer.read()) == ("HIT", b"v1")


def test_redis_is_clean_for_each_test(redis_server: RedisServer) -> None:
    assert redis_server.client.dbsize() == 0
    redis_server.client.set("left", "behind")


def test_redis_comes_back_on_its_port_after_a_kill() -> None:
    with RedisServer() as server:
        port = server.port
        server.kill()
        with pytest.raises(redis.ConnectionError):
            redis.Redis(port=port, retry=NO_RETRY).ping()
        server.start()
        assert redis.Redis(port=port).ping()


def test_a_paused_redis_hangs_and_goes_on() -> None:
    with RedisServer() as server:
        impatient = redis.Redis(port=server.port, socket_timeout=0.1, retry=NO_RETRY)
        server.pause()
        with pytest.raises(redis.TimeoutError):
            impatient.ping()
        server.resume()
        assert server.client.ping()


def test_a_paused_server_stops_all_the_same() -> None:
    with RedisServer() as server:
        server.pause()
    assert not server.is_running


def test_redis_asks_for_the_password_of_an_acl_user() -> None:
    rules = {"probe": "on >secret ~product:* +get"}
    with RedisServer(password="admin", users=rules) as server:
        probe = redis.Redis(port=server.port, username="probe", password="secret")
        assert probe.get("product:1") is None
        with pytest.raises(redis.exceptions.NoPermissionError):
            probe.set("product:1", "x")
        with pytest.raises(redis.AuthenticationError):
            redis.Redis(port=server.port, retry=NO_RETRY).get("product:1")


def test_redis_speaks_tls_to_those_whom_the_authority_knows(authority: Authority) -> None:
    with RedisServer(tls=authority, client_certificates=True) as server:
        assert server.client.ping()
        stranger = redis.Redis(
            port=server.port, ssl=True, ssl_ca_certs=str(authority.ca), retry=NO_RETRY
        )
        with pytest.raises(redis.ConnectionError):
            stranger.ping()


def test_postgres_gives_a_database_of_ones_own(database: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute("CREATE TABLE product (id text, version int)")
        row = connection.execute("SELECT count(*) FROM product").fetchone()
    assert row == (0,)


def test_postgres_asks_for_a_password_and_speaks_tls(authority: Authority) -> None:
    with PostgresServer(password="secret", tls=authority) as server:
        trusted = f"{server.dsn()}?sslmode=verify-full&sslrootcert={authority.ca}"
        with psycopg.connect(trusted, password="secret") as connection:
            assert connection.pgconn.ssl_in_use
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(trusted, password="wrong")


def test_postgres_keeps_its_rows_over_a_kill() -> None:
    with PostgresServer() as server:
        server.execute("CREATE TABLE kept (id int)")
        server.kill()
        server.start()
        server.execute("SELECT id FROM kept")


async def test_chromium_shows_a_page(page: Page, tmp_path: Path) -> None:
    shown = tmp_path / "page.html"
    shown.write_text("<title>Fresh</title><h1>Hello</h1>")
    await page.goto(shown.as_uri())
    assert await page.title() == "Fresh"
