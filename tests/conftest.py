"""Fixtures that give tests real servers, and the rules on missing ones and skips."""

from collections.abc import AsyncIterator, Iterator

import hypothesis
import pytest
import pytest_asyncio
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from playwright.async_api import Browser, Page, expect

from tests.servers import Authority, PostgresServer, RedisServer, chromium
from tests.servers.installed import MISSING, SERVERS, is_ci, version

# A time limit on an example says more about the machine than about the code. In CI examples are the
# same each time (as hypothesis has its profile "ci"): what is new is looked for while developing.
hypothesis.settings.register_profile("default", deadline=None)
hypothesis.settings.load_profile("ci" if is_ci() else "default")

# A page takes seconds to draw where other tests load both cores; none fails for that.
expect.set_options(timeout=30_000)

REAL = {"redis_server", "postgres_server", "database", "browser", "page"}


@pytest.fixture(scope="session")
def _redis() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@pytest.fixture
def redis_server(_redis: RedisServer) -> RedisServer:
    """A running, empty Redis; do not kill or pause it, others use it after you."""
    _redis.clean()
    return _redis


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A running PostgreSQL; take `database` for one of your own in it."""
    with PostgresServer() as server:
        yield server


@pytest.fixture
def database(postgres_server: PostgresServer) -> Iterator[str]:
    """The URL of an empty PostgreSQL database, dropped afterwards."""
    name = postgres_server.create_database()
    yield postgres_server.dsn(name)
    postgres_server.drop_database(name)


@pytest.fixture(scope="session")
def authority() -> Iterator[Authority]:
    """A test CA with an identity for a server and one for a client."""
    made = Authority()
    yield made
    made.close()


@pytest.fixture(scope="session")
def _exporter() -> InMemorySpanExporter:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)  # there is one a process, and it can be set but once
    return exporter


@pytest.fixture
def spans(_exporter: InMemorySpanExporter) -> Iterator[InMemorySpanExporter]:
    """The spans that ended during the test."""
    _exporter.clear()
    yield _exporter
    _exporter.clear()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def _chromium() -> AsyncIterator[Browser]:
    async with chromium() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def browser(_chromium: Browser) -> AsyncIterator[Browser]:
    """A headless Chromium; each `new_page` of it has cookies, storage and a cache of its own.

    One process serves all tests, so no page of one is left to the next; do not close it.
    """
    yield _chromium
    for context in _chromium.contexts:
        await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser) -> Page:
    """A page with nothing of another's."""
    return await browser.new_page()


def pytest_report_header() -> str:
    """Name every real server with its version."""
    return "servers: " + ", ".join(f"{name} {version(name)}" for name in SERVERS)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Quick tests first: a slip in the mathematics shows before a browser starts."""
    items.sort(key=_uses_real_servers)
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            # Chromium is driven from the loop that started it.
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


def _uses_real_servers(item: pytest.Item) -> bool:
    return bool(REAL.intersection(getattr(item, "fixturenames", ())))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which servers are missing, and that under CI nothing may be skipped."""
    skipped = terminalreporter.stats.get("skipped", [])
    missing = [name for name in SERVERS if any(f"{MISSING}{name};" in _why(r) for r in skipped)]
    if missing:
        terminalreporter.write_line(f"Tests skipped for want of: {', '.join(missing)}", yellow=True)
    if skipped and is_ci():
        terminalreporter.write_line("CI=true: a skipped test is a failed run", red=True)


def _why(report: pytest.TestReport) -> str:
    return str(report.longrepr)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Under CI a skipped test fails the run."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if exitstatus == 0 and is_ci() and reporter and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
