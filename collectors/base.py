"""The contract of everything that sees: caches and origins, read in timed batches.

A kind (Redis, HTTP, ...) is one module. It declares its options as pydantic models, so that a
config error names line and column, and it answers a read with a `Reply`, whatever happens: a server
that is down, slow or talks nonsense is a reply of unknown readings with the reason, never an
exception.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

from freshness.model import Reading, Result
from store.base import Clock as ClockRow

NowNs = Callable[[], int]
"""The observer's monotonic clock, nanoseconds."""


class ProbeEffect(StrEnum):
    """What our own read does to the cache that it reads."""

    NONE = "none"
    FILLS = "fills"
    REFRESHES = "refreshes"


@dataclass(frozen=True, slots=True)
class Reply:
    """One timed batch: `readings` stand in the order of the keys asked for.

    `start_ns` was taken before the first send (of the first attempt), `end_ns` after the last
    receive. `identity` is what the node itself said it is (a run id, a served-by header), empty
    where it did not say. `why` is empty unless the whole batch failed.
    """

    start_ns: int
    end_ns: int
    readings: Sequence[Reading]
    identity: str = ""
    why: str = ""
    size_bytes: int = 0
    """What the batch took from the server's answers, for the byte budget."""
    was_asked: bool = True
    """False where we did not send it: that says nothing of the server."""


def unanswered(keys: Sequence[str], start_ns: int, end_ns: int, why: str) -> Reply:
    """A batch that brought nothing: every key unknown, for the same reason."""
    reading = Reading(Result.UNKNOWN, why=why)
    return Reply(start_ns, end_ns, [reading] * len(keys), why=why)


class VersionType(StrEnum):
    """What a version is written as (`keyspaces.K.version.type`)."""

    INTEGER = "integer"
    """A whole number from 0 to 2^63 - 1, or its decimal digits."""
    TIMESTAMP = "timestamp"
    """An instant; becomes integer nanoseconds since the Unix epoch."""
    STRING = "string"
    """Text without order; becomes `Value.projection`."""


class Clock(Protocol):
    """The observer's clock: stamps, and the row that says which clock they are of."""

    def now_ns(self) -> int:
        """The stamp of this instant."""
        ...

    def as_row(self) -> ClockRow:
        """The present epoch; stamps of different epochs are never subtracted."""
        ...


@dataclass(frozen=True, slots=True)
class Keyspace:
    """What a kind needs to know of the keyspace that it reads."""

    name: str
    version: VersionType = VersionType.INTEGER


@dataclass(frozen=True, slots=True)
class Target:
    """One node as discovery found it."""

    name: str
    host: str
    port: int
    region: str = ""


class Source(Protocol):
    """Something that answers for the keys of one keyspace: a cache node, or an origin."""

    @property
    def batch_keys(self) -> int:
        """How many keys one batch should hold now: bounded by the config, less for large values."""
        ...

    async def read(self, keys: Sequence[str]) -> Reply:
        """Read a batch of keys. Never raises for what the server does.

        More keys than `batch_keys` are read in several exchanges, and share the wider stamps.
        """
        ...


@dataclass(frozen=True, slots=True)
class KeyPage:
    """Some of the keys that a node holds, as the keyspace calls them.

    `cursor` goes on after them, empty at the end. `strays` are those of the keys that the node says
    it does not serve; None where it cannot tell, and the layer's placement decides.
    """

    keys: Sequence[str]
    cursor: str
    strays: Sequence[str] | None = None


class Cache(Source, Protocol):
    """One cache node as one keyspace addresses it."""

    @property
    def effect(self) -> ProbeEffect:
        """What `read` and `inspect` do to the cache."""
        ...

    async def inspect(self, keys: Sequence[str]) -> Reply:
        """Read keys again with all that the cache can tell (a TTL): how a suspected key is read."""
        ...

    async def walk(self, cursor: str = "") -> KeyPage:
        """The page of keys after a cursor; raises SourceError, also where a kind cannot list any.

        A key may come twice, and every key that is there throughout comes once at least.
        """
        ...


class Origin(Source, Protocol):
    """The source of truth of one keyspace."""

    @property
    def linearizable(self) -> bool:
        """Whether the last reply was the leader's; take it in the same step as the reply."""
        ...

    async def list_keys(self) -> Sequence[str]:
        """Every key that the origin lists, where the config says how; raises SourceError."""
        ...


@dataclass(frozen=True, slots=True)
class Health:
    """What `check` prints of one server: what answered, and what is wrong with it."""

    ok: bool
    server: str
    problem: str = ""
    """What is wrong and what to do about it; empty where all is well."""


class Server(Protocol):
    """A connection to one node or origin, shared by the keyspaces that it holds."""

    def open(self, binding: Any, keyspace: Keyspace) -> Source:
        """The server as one keyspace sees it; `binding` is the kind's own model of how."""
        ...

    async def check(self) -> Health:
        """Say hello."""
        ...

    async def close(self) -> None:
        """Let go of every connection."""
        ...


@runtime_checkable
class Redirecting(Protocol):
    """A server that says so where another one serves a key."""

    def take_redirects(self) -> bool:
        """Whether it has said so since this was last asked."""
        ...


@dataclass(frozen=True, slots=True)
class CacheKind:
    """A row of the table of cache kinds.

    `options` and `binding` are pydantic models: of the layer's own settings, and of how a keyspace
    is addressed there (`keyspaces.K.layers.L`). `grants` is the least access that reading needs.
    `ages_own_copies` is whether the age of a reading is always that of the node's own copy,
    `speaks_itself` whether what acknowledges messages for a node is the process that is read,
    `is_pool` whether many caches answer as one, so that nothing is said of a node as a whole.
    `ttl_resolution_s` is by how much a TTL that it tells may be off, either way. `placements` are
    those that a layer of the kind may have; `cluster` makes what finds the nodes of a cluster and
    its placement, from what finds some of them; `ask_sentinels` as `collectors.discovery` has it.
    """

    options: type[Any]
    binding: type[Any]
    connect: Callable[[Target, Any, NowNs], Server]
    grants: Callable[[Any, Mapping[str, Any]], str]
    ages_own_copies: bool = False
    speaks_itself: bool = False
    is_pool: bool = False
    ttl_resolution_s: float = 0.0
    placements: tuple[str, ...] = ("all",)
    cluster: Callable[[Any, Any, NowNs], Any] | None = None
    ask_sentinels: Callable[[Any, NowNs], Awaitable[Sequence[tuple[str, int]]]] | None = None


@dataclass(frozen=True, slots=True)
class OriginKind:
    """A row of the table of origin kinds; `binding` is of `keyspaces.K.origin`."""

    options: type[Any]
    binding: type[Any]
    connect: Callable[[Any, NowNs], Server]
    grants: Callable[[Any, Mapping[str, Any]], str]


class SourceError(Exception):
    """A server did not do what was asked outside a probe; the message says what and where."""
