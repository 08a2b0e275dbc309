"""The contract of a tap: something that is listened to for messages that a version exists.

A kind (Redis Streams, LISTEN, ...) is one module. It is one session at a time: from connecting to
the failure that ends it. Whoever runs it opens the next session, and keeps the times in which it
could not hear. A message that makes no sense is refused and ends nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NoReturn, Protocol

from collectors.base import Health, NowNs, VersionType
from store.messages import InvalidationRow

BEAT_S: Final = 2.0
"""How often a quiet connection is asked whether it still hears."""
BATCH: Final = 500
"""Most messages that are made durable at once."""


class TapError(Exception):
    """A session is over; the message is a short reason that is the same each time."""


class Ear(Protocol):
    """Who listens: called on the loop of the session."""

    @property
    def position(self) -> str:
        """Where the last message that is durable stood, also of an earlier process; empty first."""
        ...

    async def hear(self, rows: Sequence[InvalidationRow], position: str | None = None) -> None:
        """Durable when it returns: acknowledge, and let the server forget, after it only.

        It waits for a store that takes nothing now, however long that is. `position` is where the
        last of the rows stands.
        """
        ...

    def refuse(self, why: str) -> None:
        """One message made no sense."""
        ...

    def hears_from(self, at_ns: int, missed: str = "") -> None:
        """All that is said from this instant on is heard.

        A tap that resumes has heard what was said since its position as well, unless `missed` says
        why not; without a position, say this before the first is handed over.
        """
        ...

    def sure_until(self, at_ns: int) -> None:
        """All that was said before this instant has been handed over."""
        ...


class Tap(Protocol):
    """One source, from one section of the config."""

    @property
    def about(self) -> str:
        """What is listened to, without a secret: another text is another source."""
        ...

    async def session(self, ear: Ear) -> NoReturn:
        """Connect and listen; raises TapError once it can no longer hear."""
        ...

    async def check(self) -> Health:
        """Say hello, and say whether it could listen."""
        ...


@dataclass(frozen=True, slots=True)
class Setting:
    """What a tap is told besides its options: its name, how versions are written, wall time."""

    name: str
    now_ns: NowNs
    versions: Mapping[str, VersionType] = field(default_factory=dict)
    """How the versions of each keyspace of the config are written."""


CommitOrder = Literal["always", "declared", "never"]
"""Whether a message comes after its commit; `declared` is what the config says."""


@dataclass(frozen=True, slots=True)
class TapKind:
    """A row of the table of taps.

    `resumes` is whether a new session hears what was said while there was none.
    """

    options: type[Any]
    open: Callable[[Any, Setting], Tap]
    grants: Callable[[Any], str]
    commit_order: CommitOrder
    resumes: bool

    def is_commit_ordered(self, options: Any) -> bool:
        """Whether messages of a tap with these options bound the instant of their commit."""
        if self.commit_order == "declared":
            return bool(options.commit_ordered)
        return self.commit_order == "always"
