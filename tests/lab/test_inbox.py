"""The inbox takes mail from anybody, and shows it without letting it do anything."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from email.message import EmailMessage

import aiosmtplib
import pytest
from playwright.async_api import Page

from lab.http_service import Reply, Request, Service
from lab.inbox import KEPT, Inbox
from lab.ports import listen, port_of

EVIL = "<script>document.title='taken'</script><b>x</b>"


class Post:
    """A running inbox."""

    def __init__(self) -> None:
        self.inbox = Inbox()
        self.listener = listen()

    async def send(
        self, subject: str, html: str = "<html><head></head><p>hello</p></html>"
    ) -> None:
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = "sw@shop.test", "oncall@shop.test", subject
        mail.set_content(f"the first line of {subject}\nand more\n")
        mail.add_alternative(html, subtype="html")
        port = port_of(self.listener)
        await aiosmtplib.send(mail, hostname="127.0.0.1", port=port, start_tls=False)

    async def get(self, path: str) -> Reply:
        return await self.inbox.answer(Request("GET", path, "", {}, b""))


@contextlib.asynccontextmanager
async def _post() -> AsyncIterator[Post]:
    made = Post()
    server = await made.inbox.listen(made.listener)
    try:
        yield made
    finally:
        server.close()


@pytest.fixture
async def post() -> AsyncIterator[Post]:
    async with _post() as made:
        yield made


async def test_a_mail_can_be_read_in_every_form(post: Post) -> None:
    await post.send("one")
    await post.send("two")
    (newest, _) = json.loads((await post.get("/mails.json")).body)
    assert (newest["number"], newest["subject"]) == (2, "two")
    assert newest["first_line"] == "the first line of two"
    assert b"hello" in (await post.get("/2/html")).body
    assert b"Subject: two" in (await post.get("/2/raw")).body
    for nothing in ("/3", "/x", "/2/other", "/2/html/more"):
        assert (await post.get(nothing)).status == 404


async def test_only_the_newest_are_kept(post: Post) -> None:
    for number in range(KEPT + 1):
        await post.send(f"mail {number}")
    assert len(json.loads((await post.get("/mails.json")).body)) == KEPT
    assert (await post.get("/1")).status == 404


async def test_markup_in_a_mail_is_text_on_our_pages(post: Post) -> None:
    await post.send(EVIL)
    for path in ("/", "/1"):
        assert b"<script>" not in (await post.get(path)).body
        assert b"&lt;script&gt;" in (await post.get(path)).body


async def test_a_browser_shows_a_mail_and_runs_nothing_of_it(page: Page) -> None:
    # The page's loop is not that of the fixture.
    async with _post() as post, _served(post.inbox) as address:
        await post.send("plain", f"<html><head></head><body><h1>It broke</h1>{EVIL}</body></html>")
        await page.goto(address)
        await page.click("text=plain")
        frame = page.frame_locator("iframe")
        assert await frame.locator("h1").inner_text() == "It broke"
        assert await page.title() == "plain"


@contextlib.asynccontextmanager
async def _served(inbox: Inbox) -> AsyncIterator[str]:
    listener = listen()
    service = Service(inbox.answer, listener)
    serving = asyncio.create_task(service.run_until_exit())
    yield f"http://127.0.0.1:{port_of(listener)}/"
    service.should_exit = True
    await serving
