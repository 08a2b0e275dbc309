"""Jaeger's query API by recorded replies, served over real connections; broken ones as well."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest

from collectors.otlp.mapping import Mapper, names_of
from collectors.otlp.span import Outcome, Span
from collectors.traces import Cut, Found, TraceError, Window
from collectors.traces_jaeger import JaegerOptions, JaegerSource
from settings import Duration, Size
from store.messages import InvalidationRow, ReceiptRow
from tests.collectors.otlp.spans import NOW, S
from tests.collectors.recorded import JAEGER_TRACES, jaeger_span, jaeger_traces
from tests.collectors.web import Web, saying, serving

WINDOW = Window(NOW // S - 300, NOW // S)
TRACE = "04e3a1f3a5b0c7d2e4f60718293a4b5c"


def source(port: int, **changes: Any) -> JaegerSource:
    given = {"url": f"http://127.0.0.1:{port}", "services": ("shop",), **changes}
    return JaegerSource(JaegerOptions(**given), names_of({}))


@contextmanager
def answering(body: bytes, status: int = 200, **headers: str) -> Iterator[Web]:
    with serving(lambda _: (status, headers, body)) as web:
        yield web


async def found(body: bytes, **changes: Any) -> Found:
    with answering(body) as web:
        asked = source(web.port, **changes)
        try:
            return await asked.search(0, WINDOW)
        finally:
            await asked.close()


async def rows(body: bytes) -> list[Any]:
    mapper = Mapper(lambda layer, node: (layer, node) == ("edge", "e1"), frozenset({"product"}))
    spans = (await found(body)).spans
    return [mapper.row(each, NOW) if isinstance(each, Span) else each for each in spans]


async def test_recorded_spans_become_the_rows_that_the_receiver_makes() -> None:
    other, published, received, linked = await rows(JAEGER_TRACES)
    assert other is Outcome.OTHER
    assert published == InvalidationRow(
        id="m1",
        keyspace="product",
        scope="key",
        keys=("42", "43"),
        version=3,
        version_text="3",
        publisher="shop-1",
        stream="invalidations",
        sequence=7,
        written_at_ns=1_799_999_998_000_123_456,
        received_at_ns=NOW,
        host="web-1",
        trace_id=TRACE,
        span_id="0a0b0c0d0e0f1011",
    )
    assert received == ReceiptRow(
        invalidation="m1",
        layer="edge",
        node="e1",
        outcome="applied",
        at_ns=1_799_999_998_103_500_000,
        received_at_ns=NOW,
        is_known=True,
        publisher="shop-1",
        sequence=7,
        host="edge-host",
        trace_id=TRACE,
        span_id="2122232425262728",
        parent_span_id="0a0b0c0d0e0f1011",
    )
    assert (linked.outcome, linked.links) == ("failed", ((TRACE, "0a0b0c0d0e0f1011"),))
    # Leading zeros that Jaeger left out are put back.
    assert (linked.trace_id, linked.span_id) == (
        "a1b2c3d4e5f60718".rjust(32, "0"),
        "7788".rjust(16, "0"),
    )


async def test_what_is_asked_for() -> None:
    with answering(jaeger_traces()) as web:
        asked = source(
            web.port,
            url=f"http://127.0.0.1:{web.port}/select/jaeger/",
            services=("shop", "edge & co"),
            operation="publish",
            tags={"span.kind": "producer"},
            headers={"X-Scope-OrgID": "7"},
        )
        assert asked.searches == 2
        await asked.search(1, WINDOW)
        await asked.close()
    (request,) = web.asked
    parts = urlsplit(request.path)
    assert parts.path == "/select/jaeger/api/traces"
    assert parse_qs(parts.query) == {
        "service": ["edge & co"],
        "start": [str((NOW // S - 300) * 10**6)],
        "end": [str(NOW // S * 10**6 - 1)],
        "limit": ["500"],
        "operation": ["publish"],
        "tags": ['{"span.kind":"producer"}'],
    }
    assert request.headers["x-scope-orgid"] == "7"


async def test_as_many_traces_as_asked_for_may_not_be_all() -> None:
    two = jaeger_traces(jaeger_span(1, NOW // S), jaeger_span(2, NOW // S))
    assert (await found(two, limit=2)).cut is Cut.LIMIT
    assert (await found(two, limit=3)).cut is None


async def test_an_answer_that_is_too_large_is_not_read_and_told() -> None:
    assert await found(JAEGER_TRACES, longest_reply=Size(1000)) == Found(cut=Cut.SIZE)


BENT: dict[str, tuple[dict[str, Any], Outcome]] = {
    "a trace id that is no hex": ({"traceID": "xyz"}, Outcome.MALFORMED),
    "a span id that is too long": ({"spanID": "1" * 17}, Outcome.MALFORMED),
    "an id that is a number": ({"spanID": 7}, Outcome.MALFORMED),
    "a start that is text": ({"startTime": "1"}, Outcome.MALFORMED),
    "a start beyond 64 bits": ({"startTime": 2**63}, Outcome.MALFORMED),
    "a negative duration": ({"duration": -1}, Outcome.MALFORMED),
    "references that are no list": ({"references": {"a": 1}}, Outcome.MALFORMED),
    "a reference without ids": ({"references": [{}]}, Outcome.MALFORMED),
    "tags that are no mappings": ({"tags": ["a"]}, Outcome.MALFORMED),
    "no tags at all": ({"tags": None}, Outcome.OTHER),
    "a start of zero": ({"startTime": 0}, Outcome.NO_TIME),
    "a start far ahead": ({"startTime": (NOW // S + 1000) * 10**6}, Outcome.FUTURE),
}


@pytest.mark.parametrize("about", BENT)
async def test_a_span_out_of_shape_is_refused_alone(about: str) -> None:
    changes, outcome = BENT[about]
    at = NOW // S - 5
    bent, whole = await rows(jaeger_traces(jaeger_span(1, at, **changes), jaeger_span(2, at)))
    assert bent is outcome
    assert isinstance(whole, InvalidationRow)


def tagged(*tags: dict[str, Any]) -> bytes:
    span = jaeger_span(1, NOW // S - 5)
    return jaeger_traces({**span, "tags": [*span["tags"], *tags]})


KEYS = {
    "a key": ("42", ("42",)),
    "an array of keys": ('["1","2"]', ("1", "2")),
    "a key that only looks like an array": ('["1",2"]', ('["1",2"]',)),
    "an array with a number in it is a key": ('["1",2,"3"]', ('["1",2,"3"]',)),
}


@pytest.mark.parametrize("about", KEYS)
async def test_an_array_of_keys_comes_as_text(about: str) -> None:
    text, keys = KEYS[about]
    (row,) = await rows(tagged({"key": "cache.key", "type": "string", "value": text}))
    assert row.keys == keys


@pytest.mark.parametrize(
    "tag",
    [
        pytest.param({"type": "float64", "value": 3.5}, id="a fraction"),
        pytest.param({"type": "bool", "value": True}, id="a truth value"),
        pytest.param({"type": "int64", "value": 2**63}, id="beyond 64 bits"),
        pytest.param({"type": "string", "value": None}, id="null"),
        pytest.param({"type": "string", "value": {"a": 1}}, id="a mapping"),
    ],
)
async def test_a_version_of_another_type_is_refused(tag: dict[str, Any]) -> None:
    assert await rows(tagged({"key": "cache.version", **tag})) == [Outcome.WRONG_TYPE]


BROKEN = {
    "no JSON": (200, b"<html>", {}, "not JSON"),
    "half JSON": (200, JAEGER_TRACES[:900], {}, "not JSON"),
    "a list": (200, b"[]", {}, "no list of traces in the answer"),
    "data that is text": (200, b'{"data": "x"}', {}, "no list of traces in the answer"),
    "traces that are numbers": (200, b'{"data": [1]}', {}, "no list of traces in the answer"),
    "errors alone": (200, b'{"errors": [{"code": 1}]}', {}, "no list of traces in the answer"),
    "deep nesting": (200, b"[" * 100_000, {}, "not JSON"),
    "an error of the server": (500, b"down", {}, "status 500"),
    "an unknown service": (404, b"", {}, "status 404"),
    "a redirect": (
        302,
        b"",
        {"location": "http://evil.test/x?t=1"},
        "redirect to http://evil.test/x",
    ),
}


@pytest.mark.parametrize("about", BROKEN)
async def test_a_broken_answer_is_a_reason(about: str) -> None:
    status, body, headers, why = BROKEN[about]
    with answering(body, status, **headers) as web:
        asked = source(web.port)
        with pytest.raises(TraceError, match=f"^{why}$"):
            await asked.search(0, WINDOW)
        await asked.close()
    assert len(web.asked) == 1


async def test_no_traces_are_no_error() -> None:
    assert await found(b'{"data": null, "errors": null}') == Found(spans=[])


async def test_a_trace_out_of_shape_is_one_refused_span() -> None:
    body = orjson.dumps({"data": [{"spans": 7}, {"spans": [3], "processes": 5}]})
    assert await rows(body) == [Outcome.MALFORMED, Outcome.MALFORMED]


async def test_a_server_that_says_nothing_costs_one_time_out() -> None:
    soon = Duration.parse("200ms")
    with saying(close=False) as port:
        asked = source(port, read_timeout=soon, connect_timeout=soon)
        with pytest.raises(TraceError, match="timed out"):
            await asked.search(0, WINDOW)
        assert (await asked.check()).problem == "timed out"
        await asked.close()


async def test_of_an_endless_body_a_bounded_part_is_read() -> None:
    pieces = [b"HTTP/1.1 200 OK\r\n\r\n", *[b" " * 65_536] * 200]
    with saying(*pieces) as port:
        asked = source(port, longest_reply=Size(2**20))
        assert await asked.search(0, WINDOW) == Found(cut=Cut.SIZE)
        await asked.close()


async def test_check_says_what_answers() -> None:
    with answering(jaeger_traces()) as web:
        asked = source(web.port)
        health = await asked.check()
        await asked.close()
    assert (health.ok, health.server) == (True, "Jaeger")
