"""The kind `jaeger`: Jaeger's query service, JSON of `/api/traces`.

That is what the UI of Jaeger 1 and 2 reads, and what other back ends (VictoriaTraces) serve as
well. Times are whole microseconds there, arrays of text are text in JSON, and a large number is
text. A parent is a CHILD_OF reference into the same trace, any other reference a link.
"""

import asyncio
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Final

import orjson
from pydantic import Field

from collectors.base import Health
from collectors.otlp.span import (
    MOST_ATTRIBUTES,
    MOST_KEYS,
    MOST_LINKS,
    WRONG,
    Decoded,
    Kind,
    Outcome,
    Span,
)
from collectors.trace_link import TraceLink, expect_ok
from collectors.traces import Cut, Found, Part, PollOptions, TraceError, Window
from stalewatch_sdk import attributes as ours

PATH: Final = "/api/traces"
_JSON: Final = "application/json"
_US_NS: Final = 1000
_MOST_US: Final = 2**62 // _US_NS
_KINDS: Final = {"producer": Kind.PRODUCER, "consumer": Kind.CONSUMER}
_HEX: Final = re.compile(r"[0-9a-fA-F]{1,32}")
_WHOLE: Final = re.compile(r"-?[0-9]{1,20}")


class JaegerOptions(PollOptions):
    """Jaeger's query service (1.x and 2.x), or what speaks as it does."""

    services: Annotated[tuple[str, ...], Field(min_length=1, max_length=100)]
    """The services whose traces are searched: publishers, and consumers whose spans are linked."""
    operation: str | None = None
    """Only traces with a span of this name."""
    tags: Mapping[str, str] = {}
    """Only traces with a span that has these: `{span.kind: producer}`."""


class JaegerSource:
    """One query service; a search for each service."""

    def __init__(self, options: JaegerOptions, names: Mapping[str, str]) -> None:
        self._options, self._names = options, names
        self._link = TraceLink(options, _JSON)

    @property
    def searches(self) -> int:
        """One a service."""
        return len(self._options.services)

    async def search(self, which: int, window: Window) -> Found:
        """The traces of one service, whole. Raises TraceError."""
        answer = await self._link.get(PATH, self._query(which, window))
        expect_ok(answer)
        if not answer.is_whole:
            return Found(cut=Cut.SIZE)
        # What is large is decoded beside the loop.
        return await asyncio.to_thread(self._decode, answer.body)

    def _decode(self, body: bytes) -> Found:
        traces = _traces(body)
        spans = [span for trace in traces for span in _spans(trace, self._names)]
        return Found(spans, cut=Cut.LIMIT if len(traces) >= self._options.limit else None)

    async def read_trace(self, trace_id: str) -> Part:
        """Never asked: a search brings everything."""
        raise TraceError(f"no trace {trace_id} to read")

    async def check(self) -> Health:
        """Ask for one trace of the first service."""
        try:
            expect_ok(
                await self._link.get(PATH, {"service": self._options.services[0], "limit": "1"})
            )
        except TraceError as error:
            return Health(ok=False, server="Jaeger", problem=str(error))
        return Health(ok=True, server="Jaeger")

    async def close(self) -> None:
        """Let go of every connection."""
        await self._link.close()

    def _query(self, which: int, window: Window) -> dict[str, str]:
        query = {
            "service": self._options.services[which],
            "start": str(window.from_s * 1_000_000),
            # Both ends belong to it: the last microsecond is the next window's.
            "end": str(window.until_s * 1_000_000 - 1),
            "limit": str(self._options.limit),
        }
        if self._options.operation is not None:
            query["operation"] = self._options.operation
        if self._options.tags:
            query["tags"] = orjson.dumps(dict(self._options.tags)).decode()
        return query


class _ShapeError(Exception):
    """A part of a span is not of the type that Jaeger gives it."""


def _traces(body: bytes) -> Sequence[Mapping[str, Any]]:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise TraceError("not JSON") from None
    traces = document.get("data") if isinstance(document, dict) else None
    if traces is None and isinstance(document, dict) and not document.get("errors"):
        return ()
    if not isinstance(traces, list) or not all(isinstance(each, dict) for each in traces):
        raise TraceError("no list of traces in the answer")
    return traces


def _spans(trace: Mapping[str, Any], names: Mapping[str, str]) -> Iterator[Decoded]:
    spans, processes = trace.get("spans"), trace.get("processes")
    if not isinstance(spans, list):
        yield Outcome.MALFORMED
        return
    shared = {
        id: _values(process.get("tags"), names)
        for id, process in (processes if isinstance(processes, dict) else {}).items()
        if isinstance(process, dict)
    }
    for span in spans:
        try:
            yield _span(span, names, shared)
        except _ShapeError:
            yield Outcome.MALFORMED


def _span(span: Any, names: Mapping[str, str], shared: Mapping[str, Mapping[str, Any]]) -> Decoded:
    if not isinstance(span, dict):
        raise _ShapeError
    tags = {
        tag["key"]: tag.get("value")
        for tag in _list(span, "tags")
        if tag.get("key") in ("span.kind", "error", "otel.status_code")
    }
    kind = _KINDS.get(str(tags.get("span.kind")).lower())
    if kind is None:
        return Outcome.OTHER
    trace_id = _id(span.get("traceID"), 32)
    parent, links = _references(span, trace_id)
    start_us, took_us = _microseconds(span, "startTime"), _microseconds(span, "duration")
    process = span.get("processID")
    own = shared.get(process, {}) if isinstance(process, str) else {}
    return Span(
        kind,
        trace_id,
        _id(span.get("spanID"), 16),
        parent,
        start_us * _US_NS,
        (start_us + took_us) * _US_NS,
        tags.get("error") in (True, "true") or tags.get("otel.status_code") == "ERROR",
        {**own, **_values(span.get("tags"), names)},
        links,
    )


def _references(span: Mapping[str, Any], trace_id: str) -> tuple[str, Sequence[tuple[str, str]]]:
    """The parent's id, empty where there is none, and the links."""
    parent, links = "", []
    for reference in _list(span, "references")[: MOST_LINKS + 1]:
        to = _id(reference.get("traceID"), 32), _id(reference.get("spanID"), 16)
        if reference.get("refType") == "CHILD_OF" and to[0] == trace_id and not parent:
            parent = to[1]
        else:
            links.append(to)
    return parent, tuple(links[:MOST_LINKS])


def _values(tags: Any, names: Mapping[str, str]) -> dict[str, Any]:
    values = {}
    for tag in (tags if isinstance(tags, list) else [])[:MOST_ATTRIBUTES]:
        key = tag.get("key") if isinstance(tag, dict) else None
        name = names.get(key) if isinstance(key, str) else None
        if name is not None:
            values[name] = _value(tag, is_key=name == ours.KEY)
    return values


def _value(tag: Mapping[str, Any], *, is_key: bool) -> Any:
    value = tag.get("value")
    if tag.get("type") == "int64" and isinstance(value, str) and _WHOLE.fullmatch(value):
        return int(value)
    if isinstance(value, str):
        return _keys(value) if is_key else value
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return value if is_number and tag.get("type") in ("int64", None) else WRONG


def _keys(text: str) -> str | tuple[str, ...]:
    """Several keys, where the text is a list of texts in JSON: so Jaeger keeps an array."""
    if text.startswith('["') and text.endswith('"]'):
        try:
            keys = orjson.loads(text)
        except orjson.JSONDecodeError:
            return text
        if all(isinstance(key, str) for key in keys):
            return tuple(keys[: MOST_KEYS + 1])
    return text


def _list(span: Mapping[str, Any], name: str) -> Sequence[Mapping[str, Any]]:
    values = span.get(name)
    if values is None:
        return ()
    if not isinstance(values, list) or not all(isinstance(each, dict) for each in values):
        raise _ShapeError
    return values


def _id(value: object, digits: int) -> str:
    """Hex of so many digits; Jaeger may leave leading zeros out."""
    if not isinstance(value, str) or not _HEX.fullmatch(value) or len(value) > digits:
        raise _ShapeError
    return value.lower().rjust(digits, "0")


def _microseconds(span: Mapping[str, Any], name: str) -> int:
    value = span.get(name, 0)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _MOST_US:
        raise _ShapeError
    return value
