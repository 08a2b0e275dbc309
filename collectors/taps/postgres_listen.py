"""The tap `postgresql-listen`: NOTIFY of a PostgreSQL. What is said while nobody listens is lost.

A notification that is sent within a transaction comes after its commit: one that a trigger sends
with key and version is evidence, which `commit_ordered` declares.
"""

from typing import Annotated, Any, Final, NoReturn

from psycopg import sql
from pydantic import Field

from collectors.base import Health
from collectors.postgres_link import FAILURES, why_failed
from collectors.taps.base import BATCH, BEAT_S, Ear, Setting, TapError
from collectors.taps.message import BusOptions, Reader, RefusedError, Said
from collectors.taps.postgres_feed import (
    PostgresFeed,
    PostgresTapOptions,
    connected,
    greet,
    place_of,
    role,
)

Channel = Annotated[str, Field(min_length=1, max_length=63)]
_SOON_S: Final = 0.05
"""How long notifications that come together are gathered."""


class PostgresListenOptions(PostgresTapOptions, BusOptions):
    """Channels of NOTIFY."""

    channels: Annotated[tuple[Channel, ...], Field(min_length=1)]
    """The channels, spelt as in LISTEN: without quotes PostgreSQL folds them to lower case."""


class PostgresListenTap:
    """LISTEN, and a question every other second."""

    def __init__(self, options: PostgresListenOptions, setting: Setting) -> None:
        self._options, self._setting = options, setting
        self._reader = Reader(setting, options.message)

    @property
    def about(self) -> str:
        """Which channels where."""
        return f"postgresql-listen {place_of(self._options)} {' '.join(self._options.channels)}"

    async def session(self, ear: Ear) -> NoReturn:
        """Listen until it fails. Raises TapError."""
        async with connected(self._options) as feed:
            for channel in self._options.channels:
                await feed.ask(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
            ear.hears_from(self._setting.now_ns())
            asked_ns = self._setting.now_ns()
            while True:
                # A notification may follow its commit by a moment, so that one beat is not proof
                # enough: what came before the last but one has been heard.
                before_ns, asked_ns = asked_ns, self._setting.now_ns()
                await self._check_listening(feed)
                await self._hand_over(feed, ear, BEAT_S)
                ear.sure_until(before_ns)

    async def _check_listening(self, feed: PostgresFeed) -> None:
        """A pooler that gives each question another session would let us listen in vain."""
        rows = await feed.ask("SELECT pg_listening_channels()")
        if not {row[0] for row in rows} >= set(self._options.channels):
            raise TapError("LISTEN does not last: connect to the server itself, not to a pooler")

    async def _hand_over(self, feed: PostgresFeed, ear: Ear, within_s: float) -> None:
        """What comes within so long, once it has come."""
        messages = await self._notifications(feed, within_s, 1)
        while messages:
            messages += await self._notifications(feed, _SOON_S, BATCH)
            await self._read(messages, ear)
            messages = await self._notifications(feed, 0, BATCH)

    async def _notifications(self, feed: PostgresFeed, within_s: float, most: int) -> list[Any]:
        try:
            heard = feed.connection.notifies(timeout=within_s, stop_after=most)
            return [each async for each in heard]
        except FAILURES as error:
            raise TapError(why_failed(error)) from None

    async def _read(self, messages: list[Any], ear: Ear) -> None:
        at_ns = self._setting.now_ns()
        rows = []
        for message in messages:
            try:
                said = Said(message.channel, at_ns)
                rows.append(self._reader.read(message.payload.encode(), said))
            except RefusedError as refused:
                ear.refuse(str(refused))
        if rows:
            await ear.hear(rows)

    async def check(self) -> Health:
        """Say hello; everybody who may connect may listen."""
        return await greet(self._options, "SELECT 1")


def grants(options: PostgresListenOptions) -> str:
    """The role, which needs no right on any table."""
    return "\n".join(role(options))
