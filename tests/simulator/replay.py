"""Histories as the lines that `stalewatch judge` reads, for replaying what was found."""

import json
from collections.abc import Iterator

from freshness.evidence import Evidence, Invalidation, OriginRead
from freshness.model import Value
from tests.simulator.world import World

TICKS_PER_SECOND = 1000


def lines_of(world: World, key: str = "k") -> list[str]:
    """The evidence and the cache reads of a history, one JSON object a line, in drawn order."""
    return [json.dumps(line) for line in _lines(world, key)]


def _lines(world: World, key: str) -> Iterator[dict[str, object]]:
    for piece in world.pieces:
        yield {**_line(piece.evidence), "key": key, "clock": piece.clock}
    for read in world.reads:
        named = {"type": "cache_read", "id": f"{key}/{read.id}", "key": key, "node": read.node}
        times = {"start": _seconds(read.start), "end": _seconds(read.end)}
        yield {**named, **_named(read.value), **times, "clock": read.clock}


def _line(evidence: Evidence) -> dict[str, object]:
    if isinstance(evidence, Invalidation):
        received = _seconds(evidence.received)
        return {"type": "invalidation", "version": evidence.version, "received": received}
    end = None if evidence.end is None else _seconds(evidence.end)
    line = {**_named(evidence.value), "start": _seconds(evidence.start), "end": end}
    if isinstance(evidence, OriginRead):
        return {"type": "origin_read", **line, "linearizable": evidence.linearizable}
    return {"type": "write", **line}


def _named(value: Value) -> dict[str, object]:
    """The value's fields, those that say nothing left out."""
    fields = {"version": value.version, "projection": value.projection}
    named: dict[str, object] = {name: field for name, field in fields.items() if field is not None}
    return {**named, "absent": True} if value.absent else named


def _seconds(ticks: int) -> float:
    return ticks / TICKS_PER_SECOND
