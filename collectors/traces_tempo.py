"""The kind `tempo`: Grafana Tempo, TraceQL at `/api/search` and then each trace that it found.

Traces are read at `/api/v2/traces/{id}` (Tempo 2.7 and later) as protobuf, which is documented and
exact; the JSON of that endpoint writes ids as base64. The answer is a message of a trace, of
figures, of a status and of a text, and the trace is on the wire what an OTLP request is.
"""

import asyncio
import re
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Annotated, Any, Final
from urllib.parse import quote

import orjson
from pydantic import Field

from collectors.base import Health
from collectors.otlp.mapping import ids_of
from collectors.otlp.protobuf import decode_protobuf
from collectors.otlp.span import DecodeError
from collectors.trace_link import TraceLink, expect_ok, is_gone
from collectors.traces import Cut, Found, Part, PollOptions, TraceError, Window
from stalewatch_sdk import attributes as ours

_JSON: Final = "application/json"
_PROTOBUF: Final = "application/protobuf"
_TRACE, _STATUS = 1, 3
"""Fields of the answer."""
_PLAIN_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_TRACE_ID: Final = re.compile(r"[0-9a-fA-F]{1,32}")


class TempoOptions(PollOptions):
    """Grafana Tempo, 2.7 and later."""

    query: Annotated[str, Field(min_length=1)] | None = None
    """The TraceQL that finds them; left out, spans with an id or an outcome, by mapped names."""


class TempoSource:
    """One query front end."""

    def __init__(self, options: TempoOptions, names: Mapping[str, str]) -> None:
        self._options, self._names = options, names
        self._link = TraceLink(options, _JSON)
        self._query = options.query or default_query(names)

    @property
    def searches(self) -> int:
        """One."""
        return 1

    async def search(self, which: int, window: Window) -> Found:  # noqa: ARG002 there is but one
        """The ids of traces. Raises TraceError."""
        query = {
            "q": self._query,
            "start": str(window.from_s),
            "end": str(window.until_s),
            "limit": str(self._options.limit),
            "spss": "1",
        }
        answer = await self._link.get("/api/search", query)
        expect_ok(answer)
        if not answer.is_whole:
            return Found(cut=Cut.SIZE)
        ids = list(_trace_ids(answer.body))
        return Found(trace_ids=ids, cut=Cut.LIMIT if len(ids) >= self._options.limit else None)

    async def read_trace(self, trace_id: str) -> Part:
        """Every span of a trace. Raises TraceError where the back end is gone."""
        answer = await self._link.get(f"/api/v2/traces/{quote(trace_id)}", accept=_PROTOBUF)
        if is_gone(answer):
            expect_ok(answer)
        if answer.status != HTTPStatus.OK:
            return Part(cut=Cut.TRACE)
        if not answer.is_whole:
            return Part(cut=Cut.SIZE)
        return await asyncio.to_thread(self._decode, answer.body)

    def _decode(self, body: bytes) -> Part:
        try:
            trace, is_whole = _unwrapped(body)
            return Part(list(decode_protobuf(trace, self._names)), None if is_whole else Cut.TRACE)
        except DecodeError:
            return Part(cut=Cut.TRACE)

    async def check(self) -> Health:
        """Search once, with the query of the config."""
        try:
            expect_ok(await self._link.get("/api/search", {"q": self._query, "limit": "1"}))
        except TraceError as error:
            return Health(ok=False, server="Tempo", problem=str(error))
        return Health(ok=True, server="Tempo")

    async def close(self) -> None:
        """Let go of every connection."""
        await self._link.close()


def default_query(names: Mapping[str, str]) -> str:
    """TraceQL for spans that may be invalidations or receipts, under each name they may have."""
    found = sorted(
        {*ids_of(names), *(n for n, own in names.items() if own == ours.INVALIDATION_OUTCOME)}
    )
    return "{ " + " || ".join(f"span.{_attribute(name)} != nil" for name in found) + " }"


def _attribute(name: str) -> str:
    if _PLAIN_NAME.fullmatch(name):
        return name
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _trace_ids(body: bytes) -> Iterator[str]:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise TraceError("not JSON") from None
    traces: Any = document.get("traces", ()) if isinstance(document, dict) else None
    if not isinstance(traces, list | tuple | None) or not isinstance(document, dict):
        raise TraceError("no list of traces in the answer")
    for trace in traces or ():
        id = trace.get("traceID") if isinstance(trace, dict) else None
        if not isinstance(id, str) or not _TRACE_ID.fullmatch(id):
            raise TraceError("a trace without an id in the answer")
        # Leading zeros are left out of a search's ids, and some proxies want all digits.
        yield id.lower().rjust(32, "0")


def _unwrapped(body: bytes) -> tuple[bytes, bool]:
    """The trace of an answer, and whether it is whole. Raises DecodeError."""
    trace, is_whole = b"", True
    for field, value in _fields(body):
        if field == _TRACE and isinstance(value, bytes):
            trace += value  # of a message that comes twice, both halves count
        elif field == _STATUS:
            is_whole = value == 0
    return trace, is_whole


def _fields(body: bytes) -> Iterator[tuple[int, int | bytes]]:
    """The outermost fields of a protobuf message."""
    at = 0
    while at < len(body):
        tag, at = _varint(body, at)
        match tag & 7:
            case 0:
                value, at = _varint(body, at)
                yield tag >> 3, value
                continue
            case 2:
                size, at = _varint(body, at)
            case 1:
                size = 8
            case 5:
                size = 4
            case _:
                raise DecodeError("the answer is no protobuf")
        if at + size > len(body):
            raise DecodeError("the answer is cut off")
        yield tag >> 3, body[at : at + size]
        at += size


def _varint(body: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(body):
            break
        value |= (body[at] & 127) << shift
        at += 1
        if body[at - 1] < 128:
            return value, at
    raise DecodeError("the answer is no protobuf")
