"""From a span to an invalidation or a receipt, by the attributes of the SDK or a user's own names.

A PRODUCER span with an invalidation id is an invalidation; a CONSUMER span with an id or an outcome
is a receipt. Which attribute says so may be mapped: a span that has a mapped id and lacks the rest
is somebody's message of another kind, and is let go.
"""

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass
from typing import Any, Final

from collectors.naming import Naming, plain
from collectors.otlp.span import MOST_KEYS, WRONG, Kind, Outcome, Span
from stalewatch_sdk import attributes as ours
from store.messages import InvalidationRow, ReceiptRow

MAPPED: Final = (
    ours.INVALIDATION_ID, ours.INVALIDATION_SCOPE, ours.INVALIDATION_OUTCOME, ours.KEYSPACE,
    ours.KEY, ours.VERSION, ours.WRITTEN_AT, ours.PUBLISHER_ID, ours.PUBLISHER_SEQUENCE,
    ours.LAYER, ours.NODE, ours.MESSAGING_DESTINATION,
)  # fmt: skip
"""The attributes that are read, each of which may have another name."""
AHEAD_NS: Final = 300 * 10**9
"""How far another host's clock may be ahead of ours."""
_HOST: Final = "host.name"
_THEIR_ID: Final = "their id"
"""Where an id under a user's own name is put, so that it is known by which name it came."""
_TEXT_MAX: Final = {ours.KEY: 1024, ours.VERSION: 1024}
_NAME_MAX: Final = 256
_KEYS_MAX_CHARS: Final = 65_536
_BIGGEST: Final = 2**63
_SCOPES: Final = {scope.value for scope in ours.Scope}
_OUTCOMES: Final = {outcome.value for outcome in ours.Outcome}

IsKnown = Callable[[str, str], bool]
"""Whether the catalogue has a layer and node."""
Row = InvalidationRow | ReceiptRow


def names_of(mapping: Mapping[str, str]) -> dict[str, str]:
    """What attributes to read: the name on the wire, and what it stands for here.

    `mapping` has a user's own name for each of some of ours; both are then understood.
    """
    theirs = {
        their: _THEIR_ID if own == ours.INVALIDATION_ID else own for own, their in mapping.items()
    }
    return {**theirs, **{name: name for name in MAPPED}, _HOST: _HOST}


def ids_of(names: Mapping[str, str]) -> list[str]:
    """Under which names on the wire the id of a message may come; `names` is from `names_of`."""
    return [name for name, own in names.items() if own in (ours.INVALIDATION_ID, _THEIR_ID)]


class _RefusedError(Exception):
    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome)
        self.outcome = outcome


@dataclass(frozen=True, slots=True)
class Mapper:
    """Makes rows of spans.

    `ordered` are the keyspaces whose versions are whole numbers; `naming` is what the store calls a
    key.
    """

    is_known: IsKnown
    ordered: Set[str] = frozenset()
    naming: Naming = plain

    def row(self, span: Span, now_ns: int) -> Row | Outcome:
        """The row of a span that came at `now_ns`, Unix time; or why there is none."""
        values = span.values
        has_own_id = ours.INVALIDATION_ID in values
        try:
            if span.kind is Kind.PRODUCER:
                is_ours = ours.KEYSPACE in values
                if not has_own_id and not (is_ours and _THEIR_ID in values):
                    return Outcome.OTHER
                return self._invalidation(span, now_ns)
            has_place = ours.LAYER in values and ours.NODE in values
            is_said = has_own_id or ours.INVALIDATION_OUTCOME in values
            if not is_said and not (has_place and _THEIR_ID in values):
                return Outcome.OTHER
            return self._receipt(span, now_ns)
        except _RefusedError as refused:
            return refused.outcome

    def _invalidation(self, span: Span, now_ns: int) -> InvalidationRow:
        values = span.values
        keyspace = _required(values, ours.KEYSPACE)
        scope: Any = _choice(values, ours.INVALIDATION_SCOPE, _SCOPES) or ours.Scope.KEY.value
        keys = _keys(values)
        if not keys and scope != ours.Scope.ALL:
            raise _RefusedError(Outcome.INCOMPLETE)
        version, version_text = self._version(values, keyspace)
        written_at_ns = _time(_number(values, ours.WRITTEN_AT), now_ns)
        id = _id(values)
        if not id:
            raise _RefusedError(Outcome.INCOMPLETE)
        return InvalidationRow(
            id=id,
            keyspace=keyspace,
            scope=scope,
            keys=tuple(self.naming(key) for key in keys),
            version=version,
            version_text=version_text,
            publisher=_text(values, ours.PUBLISHER_ID),
            stream=_text(values, ours.MESSAGING_DESTINATION),
            sequence=_number(values, ours.PUBLISHER_SEQUENCE),
            written_at_ns=written_at_ns or _present(span.start_ns, now_ns),
            received_at_ns=now_ns,
            host=_text(values, _HOST),
            trace_id=span.trace_id,
            span_id=span.span_id,
        )

    def _receipt(self, span: Span, now_ns: int) -> ReceiptRow:
        values = span.values
        layer, node = _required(values, ours.LAYER), _required(values, ours.NODE)
        default = ours.Outcome.FAILED if span.has_failed else ours.Outcome.APPLIED
        outcome: Any = _choice(values, ours.INVALIDATION_OUTCOME, _OUTCOMES) or default.value
        return ReceiptRow(
            invalidation=_id(values),
            layer=layer,
            node=node,
            outcome=outcome,
            # It is applied when the span ends; one that was never ended says when it came.
            at_ns=_present(span.end_ns or span.start_ns, now_ns),
            received_at_ns=now_ns,
            is_known=self.is_known(layer, node),
            publisher=_text(values, ours.PUBLISHER_ID),
            stream=_text(values, ours.MESSAGING_DESTINATION),
            sequence=_number(values, ours.PUBLISHER_SEQUENCE),
            host=_text(values, _HOST),
            trace_id=span.trace_id,
            span_id=span.span_id,
            parent_span_id=span.parent_span_id,
            links=span.links,
        )

    def _version(self, values: Mapping[str, Any], keyspace: str) -> tuple[int | None, str]:
        value = values.get(ours.VERSION)
        if isinstance(value, int) and -_BIGGEST <= value < _BIGGEST:
            return value, str(value)
        text = _text(values, ours.VERSION)
        # Digits order versions only where the config says that versions are numbers.
        if keyspace in self.ordered and text.isascii() and text.isdigit() and len(text) < 19:
            return int(text), text
        return None, text


def _id(values: Mapping[str, Any]) -> str:
    """The id of the message, empty where a receipt is joined by its parent or its links."""
    return _text(values, ours.INVALIDATION_ID) or _text(values, _THEIR_ID)


def _text(values: Mapping[str, Any], name: str) -> str:
    value = values.get(name, "")
    if not isinstance(value, str):
        raise _RefusedError(Outcome.WRONG_TYPE)
    if len(value) > _TEXT_MAX.get(name, _NAME_MAX):
        raise _RefusedError(Outcome.TOO_LONG)
    return value


def _required(values: Mapping[str, Any], name: str) -> str:
    text = _text(values, name)
    if not text:
        raise _RefusedError(Outcome.INCOMPLETE)
    return text


def _choice(values: Mapping[str, Any], name: str, choices: Set[str]) -> str:
    text = _text(values, name)
    if text and text not in choices:
        raise _RefusedError(Outcome.WRONG_TYPE)
    return text


def _number(values: Mapping[str, Any], name: str) -> int | None:
    value = values.get(name)
    if value is None:
        return None
    if value is WRONG or not isinstance(value, int) or not -_BIGGEST <= value < _BIGGEST:
        raise _RefusedError(Outcome.WRONG_TYPE)
    return value


def _keys(values: Mapping[str, Any]) -> tuple[str, ...]:
    value = values.get(ours.KEY, "")
    if isinstance(value, str):
        text = _text(values, ours.KEY)
        return (text,) if text else ()
    if not isinstance(value, tuple):
        raise _RefusedError(Outcome.WRONG_TYPE)
    sizes = [len(key) for key in value]
    if len(sizes) > MOST_KEYS or max(sizes, default=0) > _TEXT_MAX[ours.KEY]:
        raise _RefusedError(Outcome.TOO_LONG)
    if sum(sizes) > _KEYS_MAX_CHARS:
        raise _RefusedError(Outcome.TOO_LONG)
    return tuple(dict.fromkeys(key for key in value if key))


def _time(value: int | None, now_ns: int) -> int | None:
    return None if value is None else _present(value, now_ns)


def _present(at_ns: int, now_ns: int) -> int:
    """A time that can have been."""
    if at_ns <= 0:
        raise _RefusedError(Outcome.NO_TIME)
    if at_ns > now_ns + AHEAD_NS:
        raise _RefusedError(Outcome.FUTURE)
    return at_ns
