"""Mail through a real SMTP server, in good order and in every bad one."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from alerts.base import ChannelError
from alerts.letter import message_id
from alerts.mail import MailChannel, MailOptions
from alerts.outbox import LEASE_NS, Outbox
from store.alert_book import NotificationRow
from store.base import Store
from store.sqlite import SqliteStore
from tests.alerts.letters import START, S, notification
from tests.servers import Authority
from tests.servers.smtp import HOST, MailServer, SilentServer

A, B, C = "a@example.com", "b@example.com", "c@example.com"
SENDER = "sw@example.com"
HOUR = 3600 * S


class Desk:
    """An outbox over a real store and a real mail server, under a clock of its own."""

    def __init__(self, book: Store, options: MailOptions) -> None:
        self.book = book
        self.channel = MailChannel(options, "https://ops.example.com/")
        self.now_ns = START

    def owe(self, id: str = "n1", to: tuple[str, ...] = (A,)) -> None:
        row = notification(id, to=to, created_at_ns=self.now_ns)
        self.book.write_alerts([], [], [row])

    async def work(self) -> int:
        outbox = Outbox(self.book, {"sre": self.channel}, lambda: self.now_ns, lambda: 0.9)
        return await outbox.deliver_due()

    async def work_until(self, until_ns: int) -> int:
        """Look each second until then; how many attempts that were."""
        attempts = 0
        while self.now_ns < until_ns:
            attempts += await self.work()
            self.now_ns += S
        return attempts

    @property
    def row(self) -> NotificationRow:
        (row,) = self.book.notifications()
        return row


def options(port: int, **more: Any) -> MailOptions:
    given = {"smtp": f"{HOST}:{port}", "tls": "none", "from": SENDER, "to": [A, B, C], **more}
    return MailOptions.model_validate(given)


@pytest.fixture
def book() -> Iterator[Store]:
    store = SqliteStore(":memory:")
    yield store
    store.close()


@pytest.fixture
async def server() -> AsyncIterator[MailServer]:
    async with MailServer() as running:
        yield running


@pytest.fixture
def desk(book: Store, server: MailServer) -> Desk:
    return Desk(book, options(server.port))


async def test_a_notification_becomes_one_mail(desk: Desk, server: MailServer) -> None:
    desk.owe(to=(A, B))
    assert await desk.work() == 1
    (mail,) = server.mails
    assert mail.to == (A, B)
    assert mail.id == message_id("n1", SENDER)
    assert mail.message["Auto-Submitted"] == "auto-generated"
    assert [part.get_content_type() for part in mail.message.iter_parts()] == [
        "text/plain",
        "text/html",
    ]
    assert (desk.row.state, desk.row.delivered_at_ns) == ("delivered", START)
    assert await desk.work() == 0


async def test_a_server_that_hangs_is_left(book: Store) -> None:
    async with SilentServer() as silent:
        desk = Desk(book, options(silent.port, timeout="200ms"))
        desk.owe()
        await desk.work()
        assert silent.connections == 1
    assert (desk.row.state, desk.row.attempts) == ("owed", 1)
    assert "Timed out" in desk.row.why


async def test_greylisting_is_waited_out(desk: Desk, server: MailServer) -> None:
    server.refusals[A] = "451 4.7.1 greylisted, come again"
    desk.owe()
    await desk.work()
    assert (desk.row.state, desk.row.why) == ("owed", f"{A}: 451 4.7.1 greylisted, come again")
    server.refusals.clear()
    await desk.work_until(START + 10 * S)
    assert desk.row.state == "delivered"
    assert len(server.mails) == 1


async def test_a_mail_that_is_refused_for_now_comes_again(desk: Desk, server: MailServer) -> None:
    server.data_answers = ["452 4.3.1 disk full"]
    desk.owe(to=(A, B))
    await desk.work_until(START + 10 * S)
    assert [mail.to for mail in server.mails] == [(A, B)]


async def test_a_mail_that_is_refused_for_good_is_a_dead_letter(
    desk: Desk, server: MailServer
) -> None:
    server.data_answers = ["554 5.7.1 not here"]
    desk.owe()
    await desk.work_until(START + 60 * S)
    assert (desk.row.state, desk.row.why) == ("dead", f"{A}: 554 5.7.1 not here")
    assert [row.id for row in desk.book.notifications(state="dead")] == ["n1"]
    assert server.commands.count("DATA") == 1


@pytest.mark.parametrize("was_taken", [True, False], ids=["mail taken", "mail not taken"])
async def test_a_connection_dropped_after_data_sends_the_same_mail_again(
    desk: Desk, server: MailServer, was_taken: bool
) -> None:
    server.drops, server.keeps_dropped = 1, was_taken
    desk.owe()
    await desk.work()
    assert desk.row.attempts == 1
    await desk.work_until(START + 10 * S)
    assert desk.row.state == "delivered"
    assert len(server.mails) == 1 + was_taken
    assert {mail.raw for mail in server.mails} == {server.mails[0].raw}


@pytest.mark.parametrize(
    ("answer", "state"),
    [("450 4.2.1 mailbox busy", "owed"), ("550 5.1.1 no such user", "dead")],
    ids=["for now", "for good"],
)
async def test_one_of_three_recipients_is_refused(
    desk: Desk, server: MailServer, answer: str, state: str
) -> None:
    server.refusals[B] = answer
    desk.owe(to=(A, B, C))
    await desk.work()
    assert [mail.to for mail in server.mails] == [(A, C)]
    assert (desk.row.state, list(desk.row.recipients)) == (state, [B])
    server.refusals.clear()
    await desk.work_until(START + 10 * S)
    wanted = [(A, C), (B,)] if state == "owed" else [(A, C)]
    assert [mail.to for mail in server.mails] == wanted
    assert len({mail.id for mail in server.mails}) == 1


async def test_a_server_that_is_down_for_an_hour_gets_everything_once(
    desk: Desk, server: MailServer
) -> None:
    await server.stop()
    for number in range(6):
        desk.owe(f"n{number}")
    attempts = await desk.work_until(START + HOUR)
    assert {row.state for row in desk.book.notifications()} == {"owed"}
    assert 6 * 8 <= attempts <= 6 * 16
    await server.start()
    await desk.work_until(START + HOUR + 900 * S)
    assert {row.state for row in desk.book.notifications()} == {"delivered"}
    assert sorted(mail.id for mail in server.mails) == sorted(
        message_id(f"n{number}", SENDER) for number in range(6)
    )


async def test_a_crash_between_delivery_and_settling_is_recognised(
    desk: Desk, server: MailServer
) -> None:
    desk.owe()
    (leased,) = desk.book.lease(START, START + LEASE_NS)
    await desk.channel.deliver(leased)  # and the process is gone
    await desk.work_until(START + LEASE_NS + 2 * S)
    assert desk.row.state == "delivered"
    assert len(server.mails) == 2
    assert server.mails[0].raw == server.mails[1].raw


@pytest.mark.filterwarnings("ignore:Requiring AUTH while")  # TLS from the start is secure
@pytest.mark.parametrize("tls", ["starttls", "tls"])
async def test_a_connection_is_secured_and_logged_in(
    book: Store, authority: Authority, tmp_path: Path, tls: str
) -> None:
    secret = tmp_path / "password"
    secret.write_text("correct horse\n")
    server = MailServer(authority.server, tls_at_once=tls == "tls", login=("sw", "correct horse"))
    async with server:
        login = {"username": "sw", "password": {"file": str(secret)}}
        desk = Desk(book, options(server.port, tls=tls, ca=authority.ca, **login))
        desk.owe()
        await desk.work()
        assert desk.row.state == "delivered", desk.row.why
        assert (server.mails[0].was_secured, server.mails[0].login) == (True, "sw")
        secret.write_text("wrong")
        desk.owe("n2")
        await desk.work()
        (waiting,) = book.notifications(state="owed")
        assert "535" in waiting.why
        assert "wrong" not in waiting.why


@pytest.mark.parametrize("tls", ["starttls", "tls"])
async def test_a_certificate_that_nobody_trusts_gets_no_mail(
    book: Store, authority: Authority, tls: str
) -> None:
    async with MailServer(authority.server, tls_at_once=tls == "tls") as server:
        desk = Desk(book, options(server.port, tls=tls))
        desk.owe()
        await desk.work()
        assert (desk.row.state, server.mails) == ("owed", [])
        assert "certificate verify failed" in desk.row.why


async def test_starttls_must_succeed(book: Store, server: MailServer) -> None:
    desk = Desk(book, options(server.port, tls="starttls"))
    desk.owe()
    await desk.work()
    assert (desk.row.state, server.mails) == ("owed", [])


async def test_a_greeting_tells_nobody(desk: Desk, server: MailServer) -> None:
    assert await desk.channel.greet() == "mail.test"
    assert server.commands == ["NOOP"]
    await server.stop()
    with pytest.raises(ChannelError, match=f"{HOST}:{server.port}: .*refused|Connect"):
        await desk.channel.greet()


async def test_deliveries_side_by_side_keep_apart(desk: Desk, server: MailServer) -> None:
    for number in range(8):
        desk.owe(f"n{number}")
    await asyncio.gather(desk.work(), desk.work())
    assert len({mail.id for mail in server.mails}) == len(server.mails) == 8


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"username": "sw"}, "both username and password"),
        ({"from": "Stalewatch <sw@example.com>"}, "expected a mail address"),
        ({"from": "sw@example.com\nBcc: eve@evil.test"}, "expected a mail address"),
        ({"to": []}, "at least 1 item"),
        (
            {"smtp": "mail.internal:25", "username": "sw", "password": {"env": "X"}},
            "sent in the clear",
        ),
    ],
    ids=["half a login", "a name", "a line end", "nobody", "a password in the clear"],
)
def test_options_that_cannot_be_meant_are_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        options(25, **given)
