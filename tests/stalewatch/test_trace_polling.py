"""Polls over recorded replies of Jaeger: what is stored and told, and mistakes in the config."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import orjson
import pytest

from stalewatch.clock import ObserverClock
from stalewatch.config import ConfigError, load
from stalewatch.metrics import Metrics
from stalewatch.reach import TRACES, look
from stalewatch.trace_polling import TracePolling
from store.sqlite import SqliteStore
from tests.collectors.recorded import JAEGER_TRACES
from tests.collectors.web import Answer, Asked, Web, serving
from tests.servers.waiting import eventually
from tests.stalewatch.config.configs import GOOD, bent, written
from tests.stalewatch.serving import Visitor, make_app, served

POLL = """\
traces:
  mapping: {{cache.keyspace: shop.entity}}
  poll:
    shop-jaeger: {{kind: jaeger, url: "http://127.0.0.1:{port}", services: [shop], interval: 1s}}
"""
NOW_DATED = JAEGER_TRACES.replace(b'"cache.keyspace"', b'"shop.entity"')


@dataclass
class Jaeger:
    """What the back end says now."""

    status: int = 200
    asked: list[Asked] = field(default_factory=list)

    def answer(self, asked: Asked) -> Answer:
        self.asked.append(asked)
        return self.status, {}, _a_moment_ago(asked)


def _a_moment_ago(asked: Asked) -> bytes:
    """The recorded reply, moved to where the search looks."""
    document = orjson.loads(NOW_DATED)
    end = int(asked.path.partition("end=")[2].partition("&")[0] or 0)
    for trace in document["data"]:
        for span in trace["spans"]:
            span["startTime"] = end - 60_000_000
            span["tags"] = [tag for tag in span["tags"] if tag["key"] != "cache.written_at"]
    return orjson.dumps(document)


@contextmanager
def backed() -> Iterator[tuple[Jaeger, Web]]:
    jaeger = Jaeger()
    with serving(jaeger.answer) as web:
        yield jaeger, web


def value(metrics: Metrics, name: str, **labels: str) -> float:
    labels = {"source": "shop-jaeger", **labels}
    return metrics.registry.get_sample_value(f"stalewatch_trace_{name}", labels) or 0


async def test_spans_are_stored_by_the_mapping_of_the_receiver_and_told(tmp_path: Path) -> None:
    store, metrics = SqliteStore(), Metrics()
    with backed() as (jaeger, web):
        config = load(written(tmp_path, GOOD + POLL.format(port=web.port)))
        polling = TracePolling(config, store, metrics)
        polling.start()
        try:
            await eventually(
                lambda: value(metrics, "polls_total", outcome="complete") > 1, "two polls"
            )
            told = store.invalidation("m1")
            assert told is not None
            assert told.invalidation.keyspace == "product"
            assert {receipt.node for receipt in told.receipts} == {"e1", "r1"}
            assert value(metrics, "source_up") == 1
            assert value(metrics, "poll_spans_total", outcome="receipt") >= 4
            assert polling.problems() == []
            jaeger.status = 500
            await eventually(lambda: bool(polling.problems()), "a problem is told")
            assert polling.problems() == ["trace source shop-jaeger: status 500"]
            assert value(metrics, "source_up") == 0
            assert value(metrics, "polls_total", outcome="failed") >= 1
            jaeger.status = 200
            await eventually(lambda: not polling.problems(), "it is well again")
        finally:
            await polling.stop()
        asked = len(jaeger.asked)
    assert len(jaeger.asked) == asked
    store.close()


async def test_what_a_limit_cuts_off_is_counted_and_told(tmp_path: Path) -> None:
    store, metrics = SqliteStore(), Metrics()
    with backed() as (_, web):
        limited = POLL.replace("interval: 1s", "interval: 1s, limit: 1")
        config = load(written(tmp_path, GOOD + limited.format(port=web.port)))
        polling = TracePolling(config, store, metrics)
        polling.start()
        try:
            await eventually(lambda: bool(polling.problems()), "the cut is told")
        finally:
            await polling.stop()
    (problem,) = polling.problems()
    assert problem == "trace source shop-jaeger: not everything was read: limit"
    assert value(metrics, "polls_total", outcome="cut-off") >= 1
    assert value(metrics, "poll_cut_off_total", reason="limit") >= 1
    assert value(metrics, "source_up") == 1
    store.close()


def test_a_source_that_is_down_is_told_beside_readiness_and_does_not_end_it() -> None:
    problems: list[str] = []
    with served(make_app(SqliteStore(), problems=lambda: problems)) as port:
        visitor = Visitor(port)
        assert visitor.json("/readyz") == {"status": "ready", "reasons": []}
        problems.append("trace source j: connection refused")
        assert visitor.json("/readyz") == {"status": "ready", "reasons": [], "problems": problems}


async def test_check_reaches_the_back_end(tmp_path: Path) -> None:
    with backed() as (jaeger, web):
        config = load(written(tmp_path, GOOD + POLL.format(port=web.port)))
        report = await look(config, ObserverClock())
        jaeger.status = 503
        again = await look(config, ObserverClock())
    (fine,) = [one for one in report.servers if one.layer == TRACES]
    assert (fine.name, fine.ok, fine.server) == ("shop-jaeger", True, "Jaeger")
    assert fine.address == f"http://127.0.0.1:{web.port}"
    (bad,) = [one for one in again.servers if one.layer == TRACES]
    assert (bad.ok, bad.problem) == (False, "status 503")


def test_nothing_is_polled_where_nothing_is_asked_for(tmp_path: Path) -> None:
    before = threading.active_count()
    polling = TracePolling(load(written(tmp_path, GOOD)), SqliteStore(), Metrics())
    assert polling.problems() == []
    assert threading.active_count() == before


SERVER = 'server: {listen: "127.0.0.1:8080"}'
MISTAKES = {
    "no services": (
        '{kind: jaeger, url: "http://j:1"}',
        ["4:5: traces.poll.j.services: required, and missing"],
    ),
    "another kind": (
        '{kind: jeager, url: "http://j:1"}',
        ["4:15: traces.poll.j.kind: expected jaeger or tempo; did you mean jaeger?"],
    ),
    "no address": (
        "{kind: tempo, url: j:1}",
        [
            "4:27: traces.poll.j.url: expected an address such as http://jaeger.internal:16686,"
            " without user and query"
        ],
    ),
    "an unknown key": (
        '{kind: tempo, url: "http://j:1", querry: "{}"}',
        ["4:41: traces.poll.j.querry: unknown key; did you mean query?"],
    ),
    "too little overlap": (
        '{kind: tempo, url: "http://j:1", interval: 4m}',
        ["4:8: traces.poll.j: expected a lookback from twice the interval to 24h"],
    ),
    "too often": (
        '{kind: tempo, url: "http://j:1", interval: 100ms}',
        ["4:8: traces.poll.j: expected an interval of at least 1s"],
    ),
    "too large replies": (
        '{kind: tempo, url: "http://j:1", longest_reply: 1GiB}',
        ["4:8: traces.poll.j: expected longest_reply of at most 64MiB"],
    ),
    "a password in the open": (
        '{kind: tempo, url: "http://j:1", auth: {username: u, password: p}}',
        [
            "4:71: traces.poll.j.auth.password: expected {env: NAME} or {file: PATH}: a secret is"
            " never written into the config file, which is copied, shown and committed"
        ],
    ),
}


@pytest.mark.parametrize("about", MISTAKES)
def test_mistakes_are_told_with_their_place(tmp_path: Path, about: str) -> None:
    entry, expected = MISTAKES[about]
    text = bent(SERVER, f"{SERVER}\ntraces:\n  poll:\n    j: {entry}")
    with pytest.raises(ConfigError) as caught:
        load(written(tmp_path, text))
    assert str(caught.value).replace(f"{tmp_path}/stalewatch.yaml:", "").splitlines() == expected
