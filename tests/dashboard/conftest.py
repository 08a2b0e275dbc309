"""A seeded store, the UI on it, and a page that watches for what must not happen."""

import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from store.sqlite import SqliteStore
from tests.dashboard.seed import seed
from tests.dashboard.serving import build, serving


@pytest.fixture
def seeded() -> Iterator[SqliteStore]:
    store = SqliteStore(":memory:")
    seed(store, time.time_ns())
    yield store
    store.close()


@pytest.fixture
def url(seeded: SqliteStore) -> Iterator[str]:
    with serving(build(seeded)) as address:
        yield address


@dataclass
class Watched:
    """A page with its console errors and the requests that left this machine."""

    page: Page
    errors: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)

    def watch(self) -> None:
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on(
            "console",
            lambda message: self.errors.append(message.text) if message.type == "error" else None,
        )
        self.page.on("request", lambda request: self._note(request.url))

    def _note(self, address: str) -> None:
        if not address.startswith(("http://127.0.0.1:", "data:", "blob:")):
            self.strangers.append(address)


@pytest_asyncio.fixture(loop_scope="session")
async def watched(browser: Browser) -> AsyncIterator[Watched]:
    """Every test that takes it also holds that nothing went wrong in the browser."""
    page = await browser.new_page(viewport={"width": 1280, "height": 900}, color_scheme="light")
    made = Watched(page)
    made.watch()
    yield made
    await page.close()
    assert made.errors == []
    assert made.strangers == []
