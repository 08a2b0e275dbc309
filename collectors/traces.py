"""The contract of a trace source: a tracing back end that is asked for spans of invalidations.

A kind (Jaeger, Tempo) is one module. It finds spans in a window of time and gives them as the
receiver's decoders do, so that one mapping serves both ways in. Whatever the back end does is a
`TraceError` with a short reason, or a part that says it is not whole.
"""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Any, NamedTuple, Protocol, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from collectors.base import Health
from collectors.options import ConnectionOptions
from collectors.otlp.span import Decoded
from settings import Duration, Size

NS = 10**9


class TraceError(Exception):
    """The back end could not be read; the message is a reason that is the same each time."""


class Cut(StrEnum):
    """Why spans that the back end has were not read; a metric counts by it."""

    LIMIT = "limit"
    """A search brought as many traces as it may, in the shortest window that is asked for."""
    SIZE = "size"
    """A reply was larger than `longest_reply`."""
    TRACE = "trace"
    """A trace that was found could not be read, or not whole."""
    OUTAGE = "outage"
    """The source was down for longer than what is asked for afterwards."""
    STORE = "store"
    """Rows that the store can never take."""


class Window(NamedTuple):
    """Unix time from and until which spans are asked for, whole seconds."""

    from_s: int
    until_s: int

    def halves(self) -> "tuple[Window, Window] | None":
        """Both halves; None where it is one second."""
        middle = (self.from_s + self.until_s) // 2
        if middle in (self.from_s, self.until_s):
            return None
        return Window(self.from_s, middle), Window(middle, self.until_s)


class Part(NamedTuple):
    """Spans that were read, and what is missing of them."""

    spans: Sequence[Decoded] = ()
    cut: Cut | None = None


class Found(NamedTuple):
    """What a search brought: spans at once, or the ids of traces that are still to be read.

    With `cut` there is more in the window than came; a shorter one may bring it.
    """

    spans: Sequence[Decoded] = ()
    trace_ids: Sequence[str] = ()
    cut: Cut | None = None


class TraceSource(Protocol):
    """One back end."""

    @property
    def searches(self) -> int:
        """How many different searches a window takes, numbered from 0."""
        ...

    async def search(self, which: int, window: Window) -> Found:
        """One search. Raises TraceError."""
        ...

    async def read_trace(self, trace_id: str) -> Part:
        """One trace of `Found.trace_ids`. Raises TraceError where the back end is gone."""
        ...

    async def check(self) -> Health:
        """Search the last minute, and keep nothing."""
        ...

    async def close(self) -> None:
        """Let go of every connection."""
        ...


def _is_base_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        is_right = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_right = False
    if not is_right or "@" in url or parts.query or parts.fragment or set(url) & set(' \t"<>\\'):
        raise ValueError(
            "expected an address such as http://jaeger.internal:16686, without user and query"
        )
    return url


class PollOptions(ConnectionOptions):
    """What every kind is asked with."""

    url: Annotated[str, AfterValidator(_is_base_url)]
    """Address of the query API, with the path in front of `/api` where there is one."""
    interval: Duration = Duration.parse("30s")
    """From one poll to the next; a second at least."""
    lookback: Duration = Duration.parse("5m")
    """How far before the last poll each asks, thus how late a span may be."""
    limit: Annotated[int, Field(ge=1, le=10_000)] = 500
    """Most traces of one search; a search that is full is asked again in shorter windows."""
    longest_reply: Size = Size.parse("8MiB")
    """Bytes of a reply that are read; 64MiB at most."""
    headers: Mapping[str, str] = {}
    """More headers for each request: `X-Scope-OrgID: shop`."""
    connect_timeout: Duration = Duration.parse("2s")
    """How long connecting may take, name resolution, TLS and authentication included."""
    read_timeout: Duration = Duration.parse("10s")
    """How long one exchange may take."""

    @model_validator(mode="after")
    def _overlaps(self) -> Self:
        if self.interval.ns < NS:
            raise ValueError("expected an interval of at least 1s")
        if not 2 * self.interval.ns <= self.lookback.ns <= 24 * 3600 * NS:
            raise ValueError("expected a lookback from twice the interval to 24h")
        if self.longest_reply.bytes > 64 * 2**20:
            raise ValueError("expected longest_reply of at most 64MiB")
        return self


class TraceKind(NamedTuple):
    """A row of the table of kinds: the model of its settings, and how one is connected.

    `connect` takes the settings, and the attributes to read as `mapping.names_of` gives them.
    """

    options: type[Any]
    connect: Callable[[Any, Mapping[str, str]], TraceSource]
