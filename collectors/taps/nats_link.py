"""A connection to NATS that is one session: it does not reconnect, so that each loss shows."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Annotated, Any, Final

import nats
from nats.aio.client import Client
from pydantic import AfterValidator

from collectors.base import Health
from collectors.options import ConnectionOptions, ServerProblem, shown
from collectors.taps.base import TapError

FAILURES: Final = (nats.errors.Error, OSError, TimeoutError, ValueError)
MOST_WAITING: Final = 20_000
"""Messages that wait for the store, after which the session is given up."""


def _is_plain_address(url: str) -> str:
    if not url.startswith(("nats://", "tls://")) or "@" in url:
        raise ValueError("expected nats://HOST:PORT without a user: set auth instead")
    return url


class NatsOptions(ConnectionOptions):
    """A NATS server, or a cluster by one of its servers."""

    url: Annotated[str, AfterValidator(_is_plain_address)]
    """Its address: `nats://bus.internal:4222`."""


class NatsFeed:
    """A connection, and what was heard on it."""

    def __init__(self, client: Client, patience_s: float) -> None:
        self.client = client
        self.waiting: list[Any] = []
        self.came = asyncio.Event()
        self._patience_s = patience_s
        self.why = ""
        """Why the session is over; empty while it is not."""

    async def take(self, message: Any) -> None:
        """A message came; too many that wait end the session."""
        if len(self.waiting) >= MOST_WAITING:
            self.end("more messages than the store takes")
        else:
            self.waiting.append(message)
        self.came.set()

    def end(self, why: str) -> None:
        """The session is over, for the first reason."""
        self.why = self.why or why
        self.came.set()

    async def wait(self, within_s: float) -> None:
        """Until a message comes, or the time is up. Raises TapError once the session is over."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(within_s, 0.001)):
                await self.came.wait()
        if self.why and not self.waiting:
            raise TapError(self.why)

    def drain(self, most: int) -> list[Any]:
        """The messages that came first."""
        taken, self.waiting = self.waiting[:most], self.waiting[most:]
        if not self.waiting and not self.why:
            self.came.clear()
        return taken

    async def flush(self) -> None:
        """A round trip: whatever the server sent before it is here. Raises TapError."""
        try:
            async with asyncio.timeout(self._patience_s):
                await self.client.flush()
        except FAILURES as error:
            raise TapError(why_failed(error)) from None


@contextlib.asynccontextmanager
async def connected(options: NatsOptions) -> AsyncIterator[NatsFeed]:
    """A connection for the time of a session. Raises TapError."""
    client = Client()
    feed = NatsFeed(client, options.read_timeout.seconds)

    async def note_error(error: Exception) -> None:
        feed.end(why_failed(error))

    async def note_end() -> None:
        feed.end("connection closed")

    try:
        async with asyncio.timeout(options.connect_timeout.seconds):
            await client.connect(
                options.url,
                name="stalewatch",
                allow_reconnect=False,
                error_cb=note_error,
                disconnected_cb=note_end,
                closed_cb=note_end,
                **_security(options),
            )
    except (*FAILURES, *ServerProblem) as error:
        # The client tries again for as long as it may: the first reason says more than the last.
        why = feed.why or why_failed(error)
        await _close(client)
        raise TapError(why) from None
    except BaseException:
        await _close(client)
        raise
    try:
        yield feed
    finally:
        await _close(client)


async def greet(options: NatsOptions) -> Health:
    """Connect, and say who answered."""
    try:
        async with connected(options) as feed:
            await feed.flush()
            return Health(True, f"NATS {feed.client.connected_server_version}")
    except TapError as error:
        return Health(False, "NATS", str(error))


def _security(options: NatsOptions) -> dict[str, Any]:
    given: dict[str, Any] = {}
    if options.tls is not None:
        given |= {"tls": options.tls.context(), "tls_hostname": options.tls.server_name}
    auth = options.auth
    if auth is not None and auth.token is not None:
        given["token"] = auth.token.reveal()
    elif auth is not None and auth.password is not None:
        given |= {"user": auth.username or "", "password": auth.password.reveal()}
    return given


async def _close(client: Client) -> None:
    """Close without a wait for a server that hangs."""
    with contextlib.suppress(Exception):
        async with asyncio.timeout(1):
            await client.close()


def why_failed(error: BaseException) -> str:
    """A short reason without anything that differs from one time to the next."""
    if isinstance(error, TimeoutError | nats.errors.TimeoutError):
        return "timed out"
    if isinstance(error, ConnectionRefusedError | nats.errors.NoServersError):
        return "connection refused, or nobody answers; check url"
    if isinstance(error, nats.errors.AuthorizationError):
        return "the server refuses us; check auth"
    if isinstance(error, nats.errors.UnexpectedEOF | nats.errors.StaleConnectionError):
        return "connection closed"
    return shown(str(error)) or type(error).__name__
