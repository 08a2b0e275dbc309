"""Who is let in, on http and on websockets, over real connections from two addresses."""

import base64
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from settings.secret import Secret
from stalewatch.auth import Basic, ProxyHeader, content_security_policy
from stalewatch.auth.proxies import BehindProxies, is_trusted
from store.sqlite import SqliteStore
from tests.stalewatch.serving import STRANGER, TRUSTED_PEER, Visitor, make_app, served

PASSWORD = "päss:word"
TRUSTED = [ip_network(f"{TRUSTED_PEER}/32")]
GUARDED = ["/", "/key/product/42", "/api/v1/nodes", "/metrics", "/_dash-layout", "/assets/app.css"]


def basic(username: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


@pytest.fixture(scope="module")
def with_password() -> Iterator[int]:
    auth = Basic("sre", lambda: PASSWORD)
    with served(make_app(SqliteStore(), auth=auth)) as port:
        yield port


@pytest.fixture(scope="module")
def behind_proxy() -> Iterator[int]:
    auth = ProxyHeader("X-Forwarded-User", TRUSTED)
    with served(make_app(SqliteStore(), auth=auth, metrics_open=True)) as port:
        yield port


@pytest.mark.parametrize("path", GUARDED)
def test_a_password_opens_every_path_and_nothing_else_does(with_password: int, path: str) -> None:
    visitor = Visitor(with_password)
    refusal = visitor.get(path)
    assert refusal.status_code == 401
    assert refusal.headers["www-authenticate"].startswith("Basic ")
    assert refusal.headers["content-type"] == "application/problem+json"
    assert visitor.get(path, authorization=basic("sre", PASSWORD)).status_code == 200


@pytest.mark.parametrize(
    "authorization",
    [
        pytest.param(basic("sre", "wrong"), id="another password"),
        pytest.param(basic("sre", PASSWORD + "x"), id="a longer password"),
        pytest.param(basic("sre", ""), id="no password"),
        pytest.param(basic("", PASSWORD), id="no user"),
        pytest.param(basic("SRE", PASSWORD), id="another user"),
        pytest.param("Basic", id="no token"),
        pytest.param("Basic !!!", id="not base64"),
        pytest.param("Basic " + base64.b64encode(b"sre").decode(), id="no colon"),
        pytest.param("Basic " + base64.b64encode(b"sre:\xff").decode(), id="not UTF-8"),
        pytest.param("Bearer " + basic("sre", PASSWORD)[6:], id="another scheme"),
    ],
)
def test_a_wrong_password_is_refused(with_password: int, authorization: str) -> None:
    assert Visitor(with_password).get("/", authorization=authorization).status_code == 401


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_is_open_to_all(with_password: int, path: str) -> None:
    assert Visitor(with_password).get(path).status_code == 200


@pytest.mark.parametrize("path", ["/healthz/", "/healthz/../api/v1/nodes", "//healthz", "/Healthz"])
def test_nothing_that_looks_like_health_is_open(with_password: int, path: str) -> None:
    assert Visitor(with_password).get(path).status_code == 401


def test_a_websocket_wants_the_password_too(with_password: int) -> None:
    assert Visitor(with_password).refused() == 401
    assert Visitor(with_password, authorization=basic("sre", "wrong")).refused() == 401
    Visitor(with_password, authorization=basic("sre", PASSWORD)).listen()


def test_a_password_that_cannot_be_read_lets_nobody_in(tmp_path: Path) -> None:
    secret = Secret(file=tmp_path / "none")
    with served(make_app(SqliteStore(), auth=Basic("sre", secret.reveal))) as port:
        refusal = Visitor(port).get("/", authorization=basic("sre", ""))
        assert refusal.status_code == 503
        (tmp_path / "none").write_text("later\n")
        assert Visitor(port).get("/", authorization=basic("sre", "later")).status_code == 200


def test_an_empty_password_lets_nobody_in() -> None:
    with served(make_app(SqliteStore(), auth=Basic("sre", lambda: ""))) as port:
        assert Visitor(port).get("/", authorization=basic("sre", "")).status_code == 401


@pytest.mark.parametrize("path", GUARDED[:3])
def test_only_a_trusted_proxy_may_name_the_user(behind_proxy: int, path: str) -> None:
    assert Visitor(behind_proxy, x_forwarded_user="ann").get(path).status_code == 200
    assert Visitor(behind_proxy).get(path).status_code == 401
    assert Visitor(behind_proxy, x_forwarded_user="").get(path).status_code == 401
    assert Visitor(behind_proxy, STRANGER, x_forwarded_user="ann").get(path).status_code == 401


def test_forwarded_for_makes_nobody_trusted(behind_proxy: int) -> None:
    stranger = Visitor(behind_proxy, STRANGER, x_forwarded_user="ann", x_forwarded_for="127.0.0.1")
    assert stranger.get("/").status_code == 401
    assert stranger.refused() == 401


def test_a_websocket_wants_the_proxy_too(behind_proxy: int) -> None:
    assert Visitor(behind_proxy).refused() == 401
    assert Visitor(behind_proxy, STRANGER, x_forwarded_user="ann").refused() == 401
    Visitor(behind_proxy, x_forwarded_user="ann").listen()


def test_metrics_can_be_open(behind_proxy: int) -> None:
    assert Visitor(behind_proxy, STRANGER).get("/metrics").status_code == 200


@pytest.fixture(scope="module")
def unguarded() -> Iterator[int]:
    app = make_app(SqliteStore(), external_origin="https://ops.example.com", trusted=TRUSTED)
    with served(app) as port:
        yield port


@pytest.mark.parametrize(
    ("origin", "is_ours"),
    [
        pytest.param(None, True, id="the same host"),
        pytest.param("https://ops.example.com", True, id="that of external_url"),
        pytest.param("https://OPS.example.com", True, id="the same in capitals"),
        pytest.param("http://ops.example.com", False, id="another scheme"),
        pytest.param("https://ops.example.com.evil.example", False, id="a longer name"),
        pytest.param("https://evil.example", False, id="another host"),
        pytest.param("http://127.0.0.1:1", False, id="another port"),
        pytest.param("null", False, id="a page without an origin"),
        pytest.param("http://[", False, id="nonsense"),
        pytest.param("", False, id="none"),
    ],
)
def test_only_our_own_pages_may_open_a_websocket(
    unguarded: int, origin: str | None, is_ours: bool
) -> None:
    visitor = Visitor(unguarded)
    if is_ours:
        visitor.listen(origin=origin)
    else:
        assert visitor.refused(origin=origin) == 403


def test_a_trusted_proxy_says_which_host_was_asked(unguarded: int) -> None:
    origin, said = "https://shop.example", {"x_forwarded_host": "evil.example, shop.example"}
    Visitor(unguarded, **said).listen(origin=origin)
    assert Visitor(unguarded, **said).refused(origin="https://evil.example") == 403
    assert Visitor(unguarded, STRANGER, **said).refused(origin=origin) == 403


def test_every_answer_carries_the_security_headers(with_password: int, unguarded: int) -> None:
    for answer in (
        Visitor(with_password).get("/"),
        Visitor(unguarded).get("/"),
        Visitor(unguarded).get("/api/v1/nodes"),
        Visitor(unguarded).get("/api/v1/none"),
    ):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


def test_the_policy_allows_the_scripts_of_the_page_alone() -> None:
    policy = content_security_policy(["'sha256-abc='"])
    assert "script-src 'self' 'sha256-abc='; style-src" in policy
    assert "unsafe-eval" not in policy


@pytest.mark.parametrize(
    ("client", "expected"),
    [
        pytest.param(("10.1.2.3", 1), True, id="IPv4"),
        pytest.param(("::ffff:10.1.2.3", 1), True, id="IPv4 in IPv6"),
        pytest.param(("fd00::1", 1), True, id="IPv6"),
        pytest.param(("11.1.2.3", 1), False, id="another network"),
        pytest.param(("", 0), False, id="no address"),
        pytest.param(None, False, id="a Unix socket"),
    ],
)
def test_trust_goes_by_the_address_of_the_peer(client: object, expected: bool) -> None:
    networks = [ip_network("10.0.0.0/8"), ip_network("fd00::/8")]
    assert is_trusted({"type": "http", "client": client}, networks) is expected


async def seen(path: str, external_path: str, **headers: str) -> dict[str, Any]:
    """The scope that comes through `BehindProxies` from a trusted peer."""
    got: dict[str, Any] = {}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        got.update(scope)

    scope = {
        "type": "http",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "client": (TRUSTED_PEER, 1),
        "headers": [(name.replace("_", "-").encode(), x.encode()) for name, x in headers.items()],
    }
    await BehindProxies(app, external_path, TRUSTED)(scope, None, None)  # type: ignore[arg-type]
    return got


@pytest.mark.parametrize(
    ("path", "external_path", "expected"),
    [
        ("/sw/key/a", "/sw/", "/key/a"),
        ("/key/a", "/sw/", "/key/a"),
        ("/sw", "/sw/", "/"),
        ("/sw/", "sw", "/"),
        ("/swim", "/sw/", "/swim"),
        ("/a/b/key/x", "/a/b/", "/key/x"),
        ("/key//x", "/", "/key//x"),
        ("/sw//x", "/sw/", "//x"),
    ],
)
async def test_the_external_path_is_taken_off(path: str, external_path: str, expected: str) -> None:
    scope = await seen(path, external_path)
    assert (scope["path"], scope["raw_path"]) == (expected, expected.encode())


async def test_a_trusted_proxy_says_scheme_and_prefix() -> None:
    scope = await seen("/deep/x", "/", x_forwarded_prefix="/deep", x_forwarded_proto="https")
    assert (scope["path"], scope["scheme"]) == ("/x", "https")
