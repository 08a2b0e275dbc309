"""Whether an SDK is set up, by the environment; tests/e2e/test_own_traces.py is with one."""

import sys

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from stalewatch.tracing import set_up_tracing, span

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
SET = {
    "nothing says where to": {},
    "the SDK is switched off": {ENDPOINT: "http://127.0.0.1:1", "OTEL_SDK_DISABLED": "true"},
    "there is to be no exporter": {ENDPOINT: "http://127.0.0.1:1", "OTEL_TRACES_EXPORTER": "none"},
    "an endpoint that is empty": {ENDPOINT: ""},
}


@pytest.mark.parametrize("about", SET)
def test_nothing_is_set_up(about: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SET[about].items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(trace, "set_tracer_provider", _fail)
    set_up_tracing()()


def test_an_sdk_that_is_missing_is_told_and_ends_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(ENDPOINT, "http://127.0.0.1:1")
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    monkeypatch.setattr(trace, "set_tracer_provider", _fail)
    set_up_tracing()()
    assert "install stalewatch[tracing]" in capsys.readouterr().out


def test_a_job_is_an_internal_span_and_says_how_it_ended(spans: InMemorySpanExporter) -> None:
    with span("round", {"cache.keyspace": "product"}) as job:
        job.end("timed out", {"n": 3})
    with span("round") as job:
        job.end("", {"n": 4})
    bad, good = spans.get_finished_spans()
    assert bad.kind is SpanKind.INTERNAL
    assert bad.attributes == {"cache.keyspace": "product", "n": 3}
    assert (bad.status.status_code, bad.status.description) == (StatusCode.ERROR, "timed out")
    assert good.status.status_code is StatusCode.UNSET


def _fail(*_: object) -> None:
    raise AssertionError("a provider was set")
