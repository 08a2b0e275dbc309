"""Webhooks and chats through real HTTP servers, in good order and in every bad one."""

import asyncio
import itertools
import json
import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from alerts.base import Channel, ChannelError
from alerts.kinds import KINDS
from alerts.outbox import LEASE_NS, LONGEST_WAIT_NS
from store.base import Store
from store.sqlite import SqliteStore
from tests.alerts.hooks import START, UI, Desk, S
from tests.collectors.hostile import after, slowly, talking
from tests.collectors.web import Answer, Asked, saying, serving
from tests.servers import Authority, free_port

HOOKS = ["webhook", "slack"]
HEAD = b"HTTP/1.1 503 Service Unavailable\r\n"


@pytest.fixture
def book() -> Iterator[Store]:
    store = SqliteStore(":memory:")
    yield store
    store.close()


def hook(kind: str, url: object, **more: Any) -> Channel:
    made = KINDS[kind].options.model_validate({"url": url, **more})
    return KINDS[kind].open(made, UI)


def desk(book: Store, kind: str, port: int, **more: Any) -> Desk:
    return Desk(book, hook(kind, f"http://127.0.0.1:{port}/hook/s3cret", **more))


def answering(*answers: Answer) -> Any:
    """Each in turn, then 200 for ever."""
    turns = itertools.chain(answers, itertools.repeat((200, {}, b"ok")))
    return lambda _: next(turns)


@pytest.mark.parametrize("kind", HOOKS)
async def test_a_notification_is_posted_once(book: Store, kind: str) -> None:
    with serving(answering()) as web:
        at = desk(book, kind, web.port)
        at.owe()
        assert await at.work() == 1
        assert await at.work() == 0
    (asked,) = web.asked
    assert (asked.method, asked.path) == ("POST", "/hook/s3cret")
    assert asked.headers["content-type"] == "application/json"
    assert json.loads(asked.body)
    assert at.row.state == "delivered"


@pytest.mark.parametrize(
    ("answer", "state", "why"),
    [
        pytest.param((204, {}, b""), "delivered", "", id="no content is enough"),
        pytest.param((500, {}, b"oops"), "owed", "500: oops", id="a fault of the server"),
        pytest.param((503, {}, b""), "owed", "HTTP 503", id="a fault without words"),
        pytest.param((429, {}, b"slow down"), "owed", "429: slow down", id="too many"),
        pytest.param((401, {}, b"who?"), "owed", "401: who?", id="credentials can be corrected"),
        pytest.param((400, {}, b"no such"), "dead", "400: no such", id="refused for good"),
        pytest.param((410, {}, b"<b>gone"), "dead", "410: <b>gone", id="gone for good"),
        pytest.param(
            (302, {"Location": "http://evil.test/x?token=1"}, b""),
            "owed",
            "302: redirects to evil[.]test, which is not followed",
            id="a redirect",
        ),
    ],
)
@pytest.mark.parametrize("kind", HOOKS)
async def test_what_an_answer_makes_of_it(
    book: Store, kind: str, answer: Answer, state: str, why: str
) -> None:
    with serving(answering(answer)) as web:
        at = desk(book, kind, web.port)
        at.owe()
        await at.work()
    assert (at.row.state, at.row.why.removeprefix(f"{at.channel.address}: ")) == (state, why)
    assert len(web.asked) == 1


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        pytest.param({"Retry-After": "120"}, 120, id="seconds"),
        pytest.param(
            {
                "Date": "Fri, 15 Jan 2027 08:00:00 GMT",
                "Retry-After": "Fri, 15 Jan 2027 08:02:00 GMT",
            },
            120,
            id="a date against that of the answer",
        ),
        pytest.param({"Retry-After": "99999999999"}, LONGEST_WAIT_NS / S, id="for years"),
        pytest.param({"Retry-After": "soon"}, 4.5, id="nonsense"),
        pytest.param({"Retry-After": "-5"}, 4.5, id="the past"),
    ],
)
async def test_a_server_that_asks_to_wait_is_left_alone(
    book: Store, headers: Mapping[str, str], wait_s: float
) -> None:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    said = f"HTTP/1.1 429 Too Many Requests\r\n{lines}Content-Length: 0\r\n\r\n"
    with saying(said.encode()) as port:
        at = desk(book, "webhook", port)
        at.owe()
        await at.work()
    assert (at.row.next_at_ns - START) / S == wait_s


PIECES = [
    pytest.param(lambda: [], "no answer within", id="it hangs"),
    pytest.param(after(b"HTTP/1.1 200 OK\r\n", b"X-More: 1\r\n"), "", id="headers without end"),
    pytest.param(slowly(b"HTTP/1.1 200 OK\r\n" * 100), "no answer within", id="a byte at a time"),
    pytest.param(lambda: [b"220 mail.test ESMTP\r\n\r\n"], "the answer is not HTTP", id="mail"),
    pytest.param(
        after(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        "503: xxxx",
        id="words without end",
    ),
    pytest.param(
        after(HEAD + b"Content-Length: 999999999\r\n\r\n", b"y" * 65536),
        "503: yyyy",
        id="a flood of words",
    ),
]


@pytest.mark.parametrize(("pieces", "why"), PIECES)
@pytest.mark.parametrize("kind", HOOKS)
async def test_a_hostile_server_costs_one_time_out(
    book: Store, kind: str, pieces: Any, why: str
) -> None:
    with talking(pieces, pause_s=0.001) as hostile:
        at = desk(book, kind, hostile.port, timeout="700ms")
        at.owe()
        await at.work()
        assert hostile.sent_bytes < 8_000_000
    assert (at.row.state, at.row.attempts) == ("owed", 1)
    assert why in at.row.why
    assert len(at.row.why) < 400


async def test_a_good_answer_without_end_is_a_good_answer(book: Store) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    with talking(after(head, b"1\r\nx\r\n"), pause_s=0.001) as hostile:
        at = desk(book, "webhook", hostile.port, timeout="2s")
        at.owe()
        await at.work()
    assert at.row.state == "delivered"


@pytest.mark.parametrize("kind", HOOKS)
async def test_nobody_there_is_waited_for(book: Store, kind: str) -> None:
    at = desk(book, kind, free_port())
    at.owe()
    await at.work()
    assert (at.row.state, at.row.why.rpartition(": ")[2]) == ("owed", "connection refused")


@pytest.mark.parametrize("kind", HOOKS)
async def test_a_connection_cut_after_the_body_sends_the_same_again(book: Store, kind: str) -> None:
    with saying() as port:
        at = desk(book, kind, port)
        at.owe()
        await at.work()
    assert (at.row.state, at.row.attempts) == ("owed", 1)
    assert at.row.why.endswith("connection closed before the answer")


@pytest.mark.parametrize("kind", HOOKS)
async def test_a_crash_between_delivery_and_settling_is_recognised(book: Store, kind: str) -> None:
    with serving(answering()) as web:
        at = desk(book, kind, web.port)
        at.owe("n77")
        (leased,) = book.lease(START, START + LEASE_NS)
        await at.channel.deliver(leased)  # and the process is gone
        await at.work_until(START + LEASE_NS + 2 * S)
    first, second = web.asked
    assert at.row.state == "delivered"
    assert first.body == second.body
    if kind == "webhook":
        assert [each.headers["idempotency-key"] for each in web.asked] == ["n77", "n77"]
    else:
        assert "n77" in json.loads(first.body)["attachments"][0]["footer"]


async def test_a_server_that_is_down_for_an_hour_gets_everything_once(book: Store) -> None:
    is_down = [True]
    with serving(lambda _: (503 if is_down[0] else 200, {}, b"")) as web:
        at = desk(book, "webhook", web.port)
        for number in range(3):
            at.owe(f"n{number}")
        await at.work_until(START + 3600 * S)
        assert {row.state for row in book.notifications()} == {"owed"}
        is_down[0] = False
        before = len(web.asked)
        await at.work_until(START + 4500 * S)
    ids = sorted(asked.headers["idempotency-key"] for asked in web.asked[before:])
    assert ids == ["n0", "n1", "n2"]


@pytest.mark.parametrize(
    ("auth", "sent"),
    [
        pytest.param({"token": {"file": "secret"}}, "Bearer correct horse", id="bearer"),
        pytest.param(
            {"username": "sw", "password": {"file": "secret"}},
            "Basic c3c6Y29ycmVjdCBob3JzZQ==",
            id="basic",
        ),
    ],
)
async def test_credentials_are_sent_and_never_told(
    book: Store, tmp_path: Path, auth: dict[str, Any], sent: str
) -> None:
    (tmp_path / "secret").write_text("correct horse\n")
    given = {"url": "http://127.0.0.1:1/x", "auth": auth, "headers": {"X-Key": {"file": "secret"}}}
    options = KINDS["webhook"].options.model_validate(given, context={"base": tmp_path})
    with serving(answering((403, {}, b"no"))) as web:
        where = type(options).model_validate({"url": f"http://127.0.0.1:{web.port}/"})
        options = options.model_copy(update={"url": where.url})  # type: ignore[attr-defined]
        at = Desk(book, KINDS["webhook"].open(options, UI))
        at.owe()
        await at.work()
    assert web.asked[0].headers["authorization"] == sent
    assert web.asked[0].headers["x-key"] == "correct horse"
    assert at.row.state == "owed"
    assert "horse" not in at.row.why
    assert "horse" not in repr(options)


async def test_a_secret_that_breaks_a_header_is_never_sent(book: Store, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("a\r\nX-Evil: 1")
    with serving(answering()) as web:
        headers = {"X-Key": {"file": str(tmp_path / "secret")}}
        at = desk(book, "webhook", web.port, headers=headers)
        at.owe()
        await at.work()
    assert (web.asked, at.row.state) == ([], "owed")


@pytest.mark.parametrize("kind", HOOKS)
async def test_an_address_may_be_a_secret(book: Store, tmp_path: Path, kind: str) -> None:
    secret = tmp_path / "url"
    with serving(answering()) as web:
        secret.write_text("not an address of any kind\n")
        at = Desk(book, hook(kind, {"file": str(secret)}))
        at.owe()
        await at.work()
        assert [row.id for row in book.notifications(state="owed")] == ["n1"]
        assert "holds is no http or https URL" in at.row.why
        assert "not an address" not in at.row.why + at.channel.address
        secret.write_text(f"http://127.0.0.1:{web.port}/services/T0/B0/xyz\n")
        await at.work_until(START + 10 * S)
    assert [asked.path for asked in web.asked] == ["/services/T0/B0/xyz"]
    assert at.row.state == "delivered"


class TlsServer:
    """Answers each request over TLS with 200."""

    def __init__(self, authority: Authority) -> None:
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.context.load_cert_chain(authority.server.cert, authority.server.key)
        self.asked = 0

    async def __aenter__(self) -> int:
        self.server = await asyncio.start_server(self._answer, "127.0.0.1", 0, ssl=self.context)
        return int(self.server.sockets[0].getsockname()[1])

    async def __aexit__(self, *_: object) -> None:
        self.server.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.asked += bool(await reader.read(65536))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()


@pytest.mark.parametrize("is_trusted", [True, False], ids=["trusted", "trusted by nobody"])
async def test_a_certificate_that_nobody_trusts_is_told_nothing(
    book: Store, authority: Authority, is_trusted: bool
) -> None:
    server = TlsServer(authority)
    async with server as port:
        more = {"tls": {"ca": authority.ca}} if is_trusted else {}
        at = Desk(book, hook("webhook", f"https://127.0.0.1:{port}/", **more))
        at.owe()
        await at.work()
    assert at.row.state == ("delivered" if is_trusted else "owed"), at.row.why
    assert bool(server.asked) == is_trusted
    if not is_trusted:
        assert "cannot connect: " in at.row.why


@pytest.mark.parametrize("kind", HOOKS)
async def test_a_greeting_tells_nobody(kind: str) -> None:
    def answer(asked: Asked) -> Answer:
        return (404, {}, b"") if asked.method == "HEAD" else (200, {}, b"")

    with serving(answer) as web:
        said = await hook(kind, f"http://127.0.0.1:{web.port}/hook/s3cret").greet()
        assert "BaseHTTP" in said
    assert [(asked.method, asked.path) for asked in web.asked] == [("HEAD", "/")]


@pytest.mark.parametrize(
    ("says", "why"),
    [
        pytest.param(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", "502", id="a proxy"),
        pytest.param(b"", "connection closed before the answer", id="it hangs up"),
    ],
)
async def test_a_greeting_says_what_is_wrong(says: bytes, why: str) -> None:
    with saying(says) as port, pytest.raises(ChannelError, match=why):
        await hook("slack", f"http://127.0.0.1:{port}/x").greet()


@pytest.mark.parametrize(
    ("kind", "given", "said"),
    [
        ("webhook", {"url": "ftp://x.test/"}, "expected a URL such as"),
        ("webhook", {"url": "https://user:pw@x.test/"}, "expected a URL such as"),
        ("webhook", {"url": "https://x.test/", "headers": {"Host": {"env": "X"}}}, "not set by us"),
        ("webhook", {"url": "https://x.test/", "headers": {"A b": {"env": "X"}}}, "name of a head"),
        ("slack", {}, "Field required"),
        ("alertmanager", {"urls": []}, "at least 1 item"),
        ("alertmanager", {"urls": ["http://a.test"], "resend": "1s"}, "from 5s to 1h"),
    ],
    ids=["no http", "a login", "a header of ours", "no header", "nowhere", "nobody", "too often"],
)
def test_options_that_cannot_be_meant_are_refused(
    kind: str, given: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        KINDS[kind].options.model_validate(given)
