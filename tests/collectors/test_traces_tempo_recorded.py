"""Tempo's query API by recorded replies, served over real connections; broken ones as well."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from collectors.otlp.mapping import Mapper, names_of
from collectors.otlp.span import Outcome, Span
from collectors.traces import Cut, Found, Part, TraceError, Window
from collectors.traces_tempo import TempoOptions, TempoSource, default_query
from settings import Duration, Size
from tests.collectors.otlp.spans import CONSUMER, NOW, PRODUCER, PUBLISHED, RECEIVED, S, request
from tests.collectors.recorded import TEMPO_SEARCH, TEMPO_TRACE_ID, tempo_search, tempo_trace
from tests.collectors.web import Asked, saying, serving

WINDOW = Window(NOW // S - 300, NOW // S)
REQUEST = request((PRODUCER, PUBLISHED), (CONSUMER, RECEIVED), (2, {}))
TRACE = tempo_trace(REQUEST)


def source(port: int, **changes: Any) -> TempoSource:
    return TempoSource(TempoOptions(**{"url": f"http://127.0.0.1:{port}", **changes}), names_of({}))


async def found(body: bytes, **changes: Any) -> Found:
    with serving(lambda _: (200, {}, body)) as web:
        asked = source(web.port, **changes)
        try:
            return await asked.search(0, WINDOW)
        finally:
            await asked.close()


async def read(body: bytes, status: int = 200, **changes: Any) -> Part:
    with serving(lambda _: (status, {}, body)) as web:
        asked = source(web.port, **changes)
        try:
            return await asked.read_trace(TEMPO_TRACE_ID)
        finally:
            await asked.close()


async def test_a_recorded_search_and_trace_become_spans() -> None:
    def answer(asked: Asked) -> tuple[int, dict[str, str], bytes]:
        return 200, {}, TEMPO_SEARCH if "/search" in asked.path else TRACE

    with serving(answer) as web:
        asked = source(web.port, headers={"X-Scope-OrgID": "shop"})
        ids = (await asked.search(0, WINDOW)).trace_ids
        part = await asked.read_trace(ids[0])
        await asked.close()
    search, trace = web.asked
    assert parse_qs(urlsplit(search.path).query) == {
        "q": [default_query(names_of({}))],
        "start": [str(NOW // S - 300)],
        "end": [str(NOW // S)],
        "limit": ["500"],
        "spss": ["1"],
    }
    assert trace.path == f"/api/v2/traces/{TEMPO_TRACE_ID}"
    assert trace.headers["accept"] == "application/protobuf"
    assert search.headers["x-scope-orgid"] == trace.headers["x-scope-orgid"] == "shop"
    mapper = Mapper(lambda *_: True)
    rows = [mapper.row(span, NOW) if isinstance(span, Span) else span for span in part.spans]
    assert (rows[0].id, rows[1].node, rows[2]) == ("m1", "e1", Outcome.OTHER)  # type: ignore[union-attr]
    assert part.cut is None


def test_the_query_that_is_made_knows_mapped_names() -> None:
    assert default_query(names_of({})) == (
        "{ span.cache.invalidation.id != nil || span.cache.invalidation.outcome != nil }"
    )
    mapped = names_of({"cache.invalidation.id": 'my "id"', "cache.keyspace": "shop.entity"})
    assert default_query(mapped).endswith('|| span."my \\"id\\"" != nil }')
    assert "entity" not in default_query(mapped)


async def test_as_many_traces_as_asked_for_may_not_be_all() -> None:
    assert (await found(tempo_search("1", "2"), limit=2)).cut is Cut.LIMIT
    assert (await found(tempo_search("1", "2"), limit=3)).cut is None


PARTS = {
    "a trace that Tempo says is partial": (
        tempo_trace(REQUEST, is_partial=True),
        200,
        3,
        Cut.TRACE,
    ),
    "a trace that is gone": (b"", 404, 0, Cut.TRACE),
    "a trace that Tempo finds too large": (b"too large", 422, 0, Cut.TRACE),
    "half a trace": (TRACE[:100], 200, 0, Cut.TRACE),
    "JSON where protobuf was asked for": (b'{"trace": {}}', 200, 0, Cut.TRACE),
    "a number without end": (b"\x0a" + b"\xff" * 30, 200, 0, Cut.TRACE),
    "a size beyond the answer": (b"\x0a\xff\xff\xff\xff\x7f", 200, 0, Cut.TRACE),
    "groups, which protobuf gave up": (b"\x0b\x0c", 200, 0, Cut.TRACE),
    "an empty answer": (b"", 200, 0, None),
}


@pytest.mark.parametrize("about", PARTS)
async def test_a_trace_that_is_not_whole_is_told(about: str) -> None:
    body, status, spans, cut = PARTS[about]
    part = await read(body, status)
    assert (len(part.spans), part.cut) == (spans, cut)


async def test_a_trace_that_is_too_large_is_not_read_and_told() -> None:
    assert await read(TRACE, longest_reply=Size(50)) == Part(cut=Cut.SIZE)


@pytest.mark.parametrize("status", [401, 429, 500, 503])
async def test_a_back_end_in_trouble_ends_the_poll(status: int) -> None:
    with pytest.raises(TraceError, match=f"status {status}"):
        await read(b"", status)


BROKEN = {
    "no JSON": (200, b"<html>", "not JSON"),
    "a list": (200, b"[]", "no list of traces in the answer"),
    "traces that are text": (200, b'{"traces": "x"}', "no list of traces in the answer"),
    "a trace without an id": (200, b'{"traces": [{}]}', "a trace without an id in the answer"),
    "an id that is a path": (
        200, b'{"traces": [{"traceID": "../../x"}]}', "a trace without an id in the answer",
    ),
    "a query that Tempo refuses": (400, b"parse error", "status 400"),
    "a redirect": (307, b"", "redirect to nowhere"),
}  # fmt: skip


@pytest.mark.parametrize("about", BROKEN)
async def test_a_broken_search_is_a_reason(about: str) -> None:
    status, body, why = BROKEN[about]
    with serving(lambda _: (status, {}, body)) as web:
        asked = source(web.port)
        with pytest.raises(TraceError, match=f"^{why}$"):
            await asked.search(0, WINDOW)
        assert (await asked.check()).ok is (status == 200)
        await asked.close()


async def test_no_traces_are_no_error() -> None:
    assert await found(b'{"metrics": {}}') == Found(trace_ids=[])
    assert await found(b'{"traces": null}') == Found(trace_ids=[])


async def test_a_server_that_says_nothing_costs_one_time_out() -> None:
    soon = Duration.parse("200ms")
    with saying(close=False) as port:
        asked = source(port, read_timeout=soon, connect_timeout=soon)
        with pytest.raises(TraceError, match="timed out"):
            await asked.search(0, WINDOW)
        await asked.close()
