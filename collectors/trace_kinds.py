"""The kinds of trace sources: a line each."""

from collections.abc import Mapping
from typing import Final

from collectors import traces_jaeger, traces_tempo
from collectors.traces import TraceKind

TRACE_SOURCES: Final[Mapping[str, TraceKind]] = {
    "jaeger": TraceKind(traces_jaeger.JaegerOptions, traces_jaeger.JaegerSource),
    "tempo": TraceKind(traces_tempo.TempoOptions, traces_tempo.TempoSource),
}
