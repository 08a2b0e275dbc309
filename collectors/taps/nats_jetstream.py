"""The tap `nats-jetstream`: one stream of JetStream, read from where it was left.

The consumer is ephemeral and the place is kept in our own store, so nothing is left on the server.
A beat asks the stream for its state: where it has let go of more than was read, that is a gap.
"""

import asyncio
from dataclasses import dataclass
from typing import Annotated, Any, Final, NoReturn

import nats
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy, RetentionPolicy, StreamInfo
from pydantic import Field

from collectors.base import Health
from collectors.taps.base import BATCH, BEAT_S, Ear, Setting, TapError
from collectors.taps.message import BusOptions, Reader, RefusedError, Said
from collectors.taps.nats_link import FAILURES, NatsFeed, NatsOptions, connected, why_failed
from store.messages import InvalidationRow

UNACKNOWLEDGED: Final = 2 * BATCH
"""Messages that the server sends before it waits for an acknowledgement."""
FORGOTTEN_S: Final = 60.0
"""After so long without us the server drops our consumer."""


class JetStreamOptions(NatsOptions, BusOptions):
    """A stream of JetStream; not a work queue, since reading would take messages from others."""

    stream: Annotated[str, Field(pattern=r"^[^\s.*>/\\]+$")]
    """Its name."""
    subject: str = ">"
    """Which of its subjects."""


@dataclass(slots=True)
class _Place:
    """All of the stream up to `sequence` is read; `made` tells it from another of its name."""

    made: str
    sequence: int

    def __str__(self) -> str:
        return f"{self.made} {self.sequence}"


class JetStreamTap:
    """A push consumer that sends no more than is acknowledged, and a look at the stream a beat."""

    def __init__(self, options: JetStreamOptions, setting: Setting) -> None:
        self._options, self._setting = options, setting
        self._reader = Reader(setting, options.message)

    @property
    def about(self) -> str:
        """Which stream where."""
        one = self._options
        return f"nats-jetstream {one.url} {one.stream} {one.subject}"

    async def session(self, ear: Ear) -> NoReturn:
        """Listen until it fails. Raises TapError."""
        async with connected(self._options) as feed:
            try:
                session = _Session(self._options, self._setting, self._reader, feed, ear)
                await session.begin()
                while True:
                    await session.listen()
            except (*FAILURES, nats.js.errors.Error) as error:
                raise TapError(_why(error)) from None

    async def check(self) -> Health:
        """Say hello, and ask for the stream."""
        try:
            async with connected(self._options) as feed:
                server = f"NATS {feed.client.connected_server_version}"
                try:
                    _refuse_queue(await feed.client.jetstream().stream_info(self._options.stream))
                except (*FAILURES, nats.js.errors.Error) as error:
                    return Health(False, server, _why(error))
                return Health(True, server)
        except TapError as error:
            return Health(False, "NATS", str(error))


class _Session:
    def __init__(
        self,
        options: JetStreamOptions,
        setting: Setting,
        reader: Reader,
        feed: NatsFeed,
        ear: Ear,
    ) -> None:
        self._options, self._setting, self._reader = options, setting, reader
        self._feed, self._ear = feed, ear
        self._stream = feed.client.jetstream(timeout=options.read_timeout.seconds)
        self._place = _Place("", 0)
        self._subscription: Any = None

    async def begin(self) -> None:
        """Go on where the place is; at first, after what is there now."""
        about = await self._stream.stream_info(self._options.stream)
        _refuse_queue(about)
        made, missed = str(about.created), ""
        if not self._ear.position:
            self._place = _Place(made, about.state.last_seq)
        else:
            was, _, sequence = self._ear.position.rpartition(" ")
            self._place = _Place(made, int(sequence))
            missed = self._pass_over(about)
            if was != made or about.state.last_seq < self._place.sequence:
                self._place, missed = _Place(made, 0), "the stream was made anew"
        await self._consume()
        self._ear.hears_from(self._setting.now_ns(), missed)
        await self._ear.hear((), str(self._place))

    def _pass_over(self, about: StreamInfo) -> str:
        """Go to the first message that is there; what was missed where there were others before."""
        if about.state.first_seq <= self._place.sequence + 1:
            return ""
        self._place.sequence = about.state.first_seq - 1
        return "the stream let go of messages"

    async def _consume(self) -> None:
        config = ConsumerConfig(
            deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
            opt_start_seq=self._place.sequence + 1,
            ack_policy=AckPolicy.EXPLICIT,
            max_ack_pending=UNACKNOWLEDGED,
            inactive_threshold=FORGOTTEN_S,
        )
        one = self._options
        self._subscription = await self._stream.subscribe(
            one.subject, cb=self._feed.take, stream=one.stream, config=config, manual_ack=True
        )

    async def listen(self) -> None:
        """Until the next look at the stream is due: hand over what comes."""
        loop = asyncio.get_running_loop()
        due = loop.time() + BEAT_S
        while (now := loop.time()) < due:
            await self._feed.wait(due - now)
            await self._hand_over()
        await self._look()

    async def _look(self) -> None:
        """Has the stream let go of anything unread, and is all of it read?"""
        sent_ns = self._setting.now_ns()
        about = await self._stream.stream_info(self._options.stream)
        consumer = await self._subscription.consumer_info()
        await self._feed.flush()
        await self._hand_over()
        if str(about.created) != self._place.made:
            raise TapError("the stream was made anew")
        if missed := self._pass_over(about):
            self._ear.hears_from(self._setting.now_ns(), missed)
        if consumer.num_pending == 0 and not self._feed.waiting:
            self._place.sequence = max(self._place.sequence, about.state.last_seq)
            await self._ear.hear((), str(self._place))
            self._ear.sure_until(sent_ns)

    async def _hand_over(self) -> None:
        while messages := self._feed.drain(BATCH):
            rows = [row for message in messages if (row := self._row(message))]
            last = max(message.metadata.sequence.stream for message in messages)
            self._place.sequence = max(self._place.sequence, last)
            await self._ear.hear(rows, str(self._place))
            for message in messages:
                await message.ack()

    def _row(self, message: Any) -> InvalidationRow | None:
        place = f"{self._place.made} {message.metadata.sequence.stream}"
        try:
            said = Said(message.subject, self._setting.now_ns(), place)
            return self._reader.read(message.data, said)
        except RefusedError as refused:
            self._ear.refuse(str(refused))
            return None


def _refuse_queue(about: StreamInfo) -> None:
    if about.config.retention == RetentionPolicy.WORK_QUEUE:
        raise TapError("the stream is a work queue: reading it would take messages from others")


def _why(error: BaseException) -> str:
    if isinstance(error, TapError):
        return str(error)
    if isinstance(error, nats.js.errors.NotFoundError):
        return "there is no such stream; check stream"
    return why_failed(error)


def grants(options: JetStreamOptions) -> str:
    """The permissions of a user that may read the stream, and no more."""
    api = "$JS.API"
    name = options.stream
    subjects = (
        f"{api}.STREAM.INFO.{name}", f"{api}.CONSUMER.CREATE.{name}",
        f"{api}.CONSUMER.CREATE.{name}.>", f"{api}.CONSUMER.INFO.{name}.*",
        f"{api}.CONSUMER.DELETE.{name}.*", f"$JS.ACK.{name}.>",
    )  # fmt: skip
    allowed = ", ".join(f'"{subject}"' for subject in subjects)
    return (
        "{user: stalewatch, password: PASSWORD, permissions: "
        f'{{publish: {{allow: [{allowed}]}}, subscribe: {{allow: ["_INBOX.>"]}}}}}}'
    )
