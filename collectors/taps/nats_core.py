"""The tap `nats`: subjects of NATS core. What is said while nobody listens is lost."""

import asyncio
from typing import Annotated, NoReturn

from pydantic import Field

from collectors.base import Health
from collectors.taps.base import BATCH, BEAT_S, Ear, Setting
from collectors.taps.message import BusOptions, Reader, RefusedError, Said
from collectors.taps.nats_link import NatsFeed, NatsOptions, connected, greet


class NatsCoreOptions(NatsOptions, BusOptions):
    """Subjects of NATS core."""

    subjects: Annotated[tuple[str, ...], Field(min_length=1)]
    """The subjects: `invalidations.>`."""


class NatsCoreTap:
    """A subscription for each subject, and a round trip every other second."""

    def __init__(self, options: NatsCoreOptions, setting: Setting) -> None:
        self._options, self._setting = options, setting
        self._reader = Reader(setting, options.message)

    @property
    def about(self) -> str:
        """Which subjects where."""
        return f"nats {self._options.url} {' '.join(self._options.subjects)}"

    async def session(self, ear: Ear) -> NoReturn:
        """Listen until it fails. Raises TapError."""
        async with connected(self._options) as feed:
            for subject in self._options.subjects:
                await feed.client.subscribe(subject, cb=feed.take)
            await feed.flush()
            ear.hears_from(self._setting.now_ns())
            try:
                while True:
                    await self._listen(feed, ear)
            finally:
                await self._hand_over(feed, ear)

    async def _listen(self, feed: NatsFeed, ear: Ear) -> None:
        """Until the next round trip is due: hand over what comes."""
        loop = asyncio.get_running_loop()
        sent_ns = self._setting.now_ns()
        await feed.flush()
        due = loop.time() + BEAT_S
        await self._hand_over(feed, ear)
        ear.sure_until(sent_ns)
        while (now := loop.time()) < due:
            await feed.wait(due - now)
            await self._hand_over(feed, ear)

    async def _hand_over(self, feed: NatsFeed, ear: Ear) -> None:
        at_ns = self._setting.now_ns()
        while messages := feed.drain(BATCH):
            rows = []
            for message in messages:
                try:
                    rows.append(self._reader.read(message.data, Said(message.subject, at_ns)))
                except RefusedError as refused:
                    ear.refuse(str(refused))
            if rows:
                await ear.hear(rows)

    async def check(self) -> Health:
        """Say hello; whether the subjects may be read shows when they are subscribed to."""
        return await greet(self._options)


def grants(options: NatsCoreOptions) -> str:
    """The permissions of a user that may subscribe, and no more."""
    subjects = ", ".join(f'"{subject}"' for subject in options.subjects)
    return (
        "{user: stalewatch, password: PASSWORD, permissions: "
        f'{{publish: {{deny: ">"}}, subscribe: {{allow: [{subjects}]}}}}}}'
    )
