"""The contract of everything that sees: caches and origins, read in timed batches.

A kind (Redis, HTTP, ...) is one module. It declares its options as pydantic models, so that a
config error names line and column, and it answers a read with a `Reply`, whatever happens: a server
that is down, slow or talks nonsense is a reply of unknown readings with the reason, never an
exception.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from freshness.model import Reading, Result

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


def unanswered(keys: Sequence[str], start_ns: int, end_ns: int, why: str) -> Reply:
    """A batch that brought nothing: every key unknown, for the same reason."""
    reading = Reading(Result.UNKNOWN, why=why)
    return Reply(start_ns, end_ns, [reading] * len(keys), why=why)


@dataclass(frozen=True, slots=True)
class Target:
    """One node as discovery found it."""

    name: str
    host: str
    port: int
    region: str = ""


class Source(Protocol):
    """Something that answers for the keys of one keyspace: a cache node, or an origin."""

    async def read(self, keys: Sequence[str]) -> Reply:
        """Read a batch of keys. Never raises for what the server does."""
        ...


class Cache(Source, Protocol):
    """One cache node as one keyspace addresses it."""

    effect: ProbeEffect


class Origin(Source, Protocol):
    """The source of truth of one keyspace."""

    linearizable: bool

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

    def open(self, binding: Any, keyspace: str) -> Source:
        """The server as one keyspace sees it; `binding` is the kind's own model of how."""
        ...

    async def check(self) -> Health:
        """Say hello."""
        ...

    async def close(self) -> None:
        """Let go of every connection."""
        ...


@dataclass(frozen=True, slots=True)
class CacheKind:
    """A row of the table of cache kinds.

    `options` and `binding` are pydantic models: of the layer's own settings, and of how a keyspace
    is addressed there (`keyspaces.K.layers.L`). `grants` is the least access that reading needs.
    """

    options: type[Any]
    binding: type[Any]
    connect: Callable[[Target, Any, NowNs], Server]
    grants: Callable[[Any, Mapping[str, Any]], str]


@dataclass(frozen=True, slots=True)
class OriginKind:
    """A row of the table of origin kinds; as `CacheKind`, for `origins.O` and `keyspaces.K.origin`."""

    options: type[Any]
    binding: type[Any]
    connect: Callable[[Any, NowNs], Server]
    grants: Callable[[Any, Mapping[str, Any]], str]


class SourceError(Exception):
    """A server did not do what was asked outside a probe; the message says what and where."""
