"""The model of a whole file: the sections that are alike, and the options of each kind."""

from collections.abc import Iterable, Mapping
from functools import cache, reduce
from operator import or_
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field, create_model

from alerts.kinds import KINDS as CHANNELS
from collectors.base import CacheKind, OriginKind
from collectors.taps.kinds import TAPS
from collectors.trace_kinds import TRACE_SOURCES
from stalewatch.config.channels import channel_model
from stalewatch.config.model import Config, Layer, Origin
from stalewatch.config.names import Name
from stalewatch.config.otlp import Traces
from stalewatch.config.polls import poll_model
from stalewatch.config.taps import tap_model


class Kinds(NamedTuple):
    """The tables of kinds that a file may name."""

    caches: Mapping[str, CacheKind]
    origins: Mapping[str, OriginKind]


def file_model(kinds: Kinds) -> type[Config]:
    """The model that a file with these kinds is validated by.

    A layer of it is a `Layer` and an instance of its kind's options at once, so that it can be
    handed to `connect`; origins likewise.
    """
    return _file_model(tuple(kinds.caches.items()), tuple(kinds.origins.items()))


@cache  # a model takes tenths of a second to make, and a file is read at each reload
def _file_model(
    caches: tuple[tuple[str, CacheKind], ...], origin_kinds: tuple[tuple[str, OriginKind], ...]
) -> type[Config]:
    layers = _any_of(Layer, caches)
    origins = _any_of(Origin, origin_kinds)
    channels: Any = dict[Name, channel_model(CHANNELS)]  # type: ignore[misc]
    taps: Any = dict[Name, tap_model(TAPS)]  # type: ignore[misc]
    polls: Any = dict[Name, poll_model(TRACE_SOURCES)]  # type: ignore[misc]
    traces = create_model("FileTraces", __base__=Traces, poll=(polls, Field(default_factory=dict)))
    some = Field(min_length=1)
    return create_model(
        "File",
        __base__=Config,
        layers=(Annotated[dict[Name, layers], some], ...),  # type: ignore[valid-type]
        origins=(Annotated[dict[Name, origins], some], ...),  # type: ignore[valid-type]
        taps=(taps, Field(default_factory=dict)),
        channels=(channels, Field(default_factory=dict)),
        traces=(traces, traces()),
    )


def _any_of(base: type[Any], kinds: Iterable[tuple[str, CacheKind | OriginKind]]) -> Any:
    models = [_model_of(base, name, kind) for name, kind in kinds]
    return Annotated[reduce(or_, models), Field(discriminator="kind")]


def _model_of(base: type[Any], name: str, kind: CacheKind | OriginKind) -> Any:
    fields: dict[str, Any] = {"kind": (Literal[name], ...)}
    if isinstance(kind, CacheKind):
        fields["placement"] = (Literal[kind.placements], "all")
    return create_model(
        f"{name.capitalize()}{base.__name__}",
        __base__=(base, kind.options),
        __doc__=kind.options.__doc__,
        **fields,
    )
