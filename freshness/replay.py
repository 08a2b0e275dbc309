"""Evidence as JSON lines: read, judged by the engine's own code, and written.

Times are seconds on one clock. They are counted here in attoseconds, as integers, so that no digit
of a stamp is rounded away and equal stamps stay equal.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Context, Decimal, InvalidOperation
from typing import Any, NoReturn

from freshness.epochs import Epochs
from freshness.evidence import Evidence, Invalidation, OriginRead, Write
from freshness.model import Judgement, Order, Value

TICKS_PER_SECOND = 10**18
LATEST_S = 10**15
"""Stamps beyond this (31 million years) are taken for mistakes."""
EXACT = Context(prec=60)


class EvidenceError(Exception):
    """Lines that are no evidence: `problems` says what is wrong with each, line by line."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class CacheRead:
    """One cache read of a file, to be judged; instants in attoseconds."""

    id: str
    key: str
    node: str
    clock: str | None
    value: Value
    start: int
    end: int
    order: Order


@dataclass(slots=True)
class Replay:
    """All evidence of a file, grouped by what may be compared: one key on one clock."""

    reads: list[CacheRead] = field(default_factory=list)
    evidence: dict[tuple[str, str | None], list[Evidence]] = field(
        default_factory=lambda: defaultdict(list)
    )
    recurs: bool = True

    def judge(self, max_staleness: int) -> Iterator[tuple[CacheRead, Judgement]]:
        """Judge each cache read, in the file's order, on every line of the file."""
        epochs: dict[tuple[str, str | None, Order], Epochs] = {}
        for read in self.reads:
            group = (read.key, read.clock, read.order)
            if group not in epochs:
                evidence = self.evidence.get(group[:2], ())
                epochs[group] = Epochs(read.order, evidence, self.recurs)
            yield read, epochs[group].judge(read.value, read.start, read.end, max_staleness)


def parse(lines: Iterable[bytes], settling: int = 0) -> Replay:
    """Read evidence; `settling` (attoseconds) is added to each `received`.

    Raises EvidenceError where any line is bad, and then nothing of the file counts.
    """
    replay, problems = Replay(), []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            _take(replay, _Line(_load(line)), settling)
        except ValueError as error:
            problems.append(f"line {number}: {error}")
    if problems:
        raise EvidenceError(problems)
    return replay


def ticks(number: int | Decimal) -> int:
    """Seconds as attoseconds. Raises OverflowError for a number that is no instant."""
    if not abs(Decimal(number)) <= LATEST_S:
        raise OverflowError(f"{_shown(number)} is no time in seconds")
    return int(EXACT.to_integral_value(EXACT.multiply(Decimal(number), Decimal(TICKS_PER_SECOND))))


def seconds(instant: int | None) -> float | None:
    """Attoseconds as seconds, None (unbounded) as itself."""
    if instant is None:
        return None
    return float(EXACT.divide(Decimal(instant), Decimal(TICKS_PER_SECOND)))


def verdict_line(read: CacheRead, judgement: Judgement) -> dict[str, Any]:
    """What `judge` prints of one read."""
    bounds = judgement.bounds
    return {
        "id": read.id,
        "key": read.key,
        "node": read.node,
        "verdict": judgement.verdict.value,
        "staleness": [seconds(bounds.lower), seconds(bounds.upper)],
        "versions_behind": [bounds.behind_lower, bounds.behind_upper],
    }


class _Line:
    """One JSON object, whose fields are asked for by name and kind."""

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self._fields = fields

    def text(self, name: str) -> str:
        text: str = self._want(name, str, "a string")
        return text

    def optional_text(self, name: str) -> str | None:
        return None if self._fields.get(name) is None else self.text(name)

    def flag(self, name: str) -> bool:
        return self.has(name) and self._want(name, bool, "true or false") is True

    def instant(self, name: str) -> int:
        try:
            return ticks(self._want(name, (int, Decimal), "a number of seconds"))
        except OverflowError as error:
            raise ValueError(f"'{name}': {error}") from None

    def span(self) -> tuple[int, int]:
        start, end = self.instant("start"), self.instant("end")
        if end < start:
            raise ValueError("'end' is before 'start'")
        return start, end

    def value(self) -> Value:
        version = self._fields.get("version")
        if version is not None and (isinstance(version, bool) or not isinstance(version, int)):
            self._refuse("version", "an integer", version)
        value = Value(version, self.optional_text("projection"), self.flag("absent"))
        if value == Value():
            raise ValueError("needs 'version', 'projection' or 'absent'")
        return value

    def order(self) -> Order:
        name = self.optional_text("order") or Order.COUNTER
        if name not in tuple(Order):
            self._refuse("order", "counter, monotone or opaque", name)
        return Order(name)

    def has(self, name: str) -> bool:
        return self._fields.get(name) is not None

    def _want(self, name: str, kind: type | tuple[type, ...], what: str) -> Any:
        if name not in self._fields:
            raise ValueError(f"'{name}' is missing")
        found = self._fields[name]
        if not isinstance(found, kind) or (isinstance(found, bool) and kind is not bool):
            self._refuse(name, what, found)
        return found

    def _refuse(self, name: str, what: str, found: object) -> NoReturn:
        raise ValueError(f"'{name}' must be {what}, not {_shown(found)}")


def _take(replay: Replay, line: _Line, settling: int) -> None:
    kind = line.text("type")
    if kind == "cache_read":
        replay.reads.append(_cache_read(line))
        return
    if kind not in ("write", "invalidation", "origin_read"):
        raise ValueError(
            f"'type' must be write, invalidation, origin_read or cache_read, not {_shown(kind)}"
        )
    group = line.text("key"), line.optional_text("clock")
    evidence = _evidence(kind, line, settling)
    if evidence is not None:
        replay.evidence[group].append(evidence)


def _cache_read(line: _Line) -> CacheRead:
    start, end = line.span()
    return CacheRead(
        id=line.text("id"),
        key=line.text("key"),
        node=line.text("node"),
        clock=line.optional_text("clock"),
        value=line.value(),
        start=start,
        end=end,
        order=line.order(),
    )


def _evidence(kind: str, line: _Line, settling: int) -> Evidence | None:
    value = line.value()
    if kind == "origin_read":
        start, end = line.span()
        return OriginRead(value, start, end, line.flag("linearizable"))
    if kind == "write":
        if line.has("end"):
            return Write(value, *line.span())
        return Write(value, line.instant("start"))
    received = line.instant("received") + settling
    # A message without a version orders nothing: it only says where to look.
    return None if value.version is None else Invalidation(value.version, received)


def _load(line: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(
            line.decode(),
            parse_float=_decimal,
            parse_constant=_refuse_constant,
            object_pairs_hook=_without_repeats,
        )
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error.msg} at column {error.colno}") from None
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8: {error.reason} at byte {error.start + 1}") from None
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(found, dict):
        raise ValueError(f"must be a JSON object, not {_shown(found)}")
    return found


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ValueError(f"{_shown(text)} is not a number that can be read") from None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a field stands twice in one object")
    return found


def _shown(found: object) -> str:
    if isinstance(found, Decimal):
        return str(found)
    try:
        text = json.dumps(found, default=str)
    except (TypeError, ValueError):
        text = repr(found)
    return text if len(text) <= 60 else text[:57] + "..."
