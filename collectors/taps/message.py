"""From one message of a bus to an invalidation: the SDK's format, or a mapping of a user's own."""

import json
import re
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator

from collectors.base import VersionType
from collectors.taps.base import Setting
from collectors.versions import JsonPath, Unit, UnreadableError, instant_ns, ordered
from settings import Section
from stalewatch_sdk.message import MessageError, decode
from store.messages import InvalidationRow, Scope

MOST_BYTES: Final = 65_536
"""The largest message that is read."""
_TEXT, _NAME = 1024, 256
_BIGGEST: Final = 2**63
_AHEAD_NS: Final = 300 * 10**9
"""How far another host's clock may be ahead of ours."""
_TRACEPARENT: Final = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}.*")


def _is_path_or_name(text: str) -> str:
    if text.startswith("$"):
        JsonPath.parse(text)
    elif not text or len(text) > _NAME:
        raise ValueError("expected the name of a keyspace, or a path such as $.entity")
    return text


class MessageOptions(Section):
    """Where your own JSON messages hold what is needed; left out, they are those of the SDK."""

    keyspace: Annotated[str, AfterValidator(_is_path_or_name)]
    """The keyspace: its name, or a path (`$.entity`) to it in the message."""
    key: JsonPath | None = None
    """Path of the key, or of an array of keys; without it each message is about the keyspace."""
    scope: Literal["key", "tag", "prefix", "all"] = "key"
    """What `key` names."""
    version: JsonPath | None = None
    """Path of the version."""
    id: JsonPath | None = None
    """Path of the id, unique a message."""
    publisher: JsonPath | None = None
    """Path of who published it and counts in `sequence`."""
    sequence: JsonPath | None = None
    """Path of the publisher's count, without a gap: it proves losses."""
    written_at: JsonPath | None = None
    """Path of the instant of the commit: RFC 3339, or a number with `unit`."""
    unit: Unit | None = None
    """What a number as `written_at` or as version counts: `s`, `ms`, `us` or `ns`."""


class BusOptions(Section):
    """What taps of messages that applications publish have in common."""

    message: MessageOptions | None = None
    """How your own messages are read; left out, they are those of the SDK."""
    commit_ordered: bool = False
    """Whether each message comes after its commit, by an outbox or a trigger: then it proves."""


class RefusedError(Exception):
    """A message makes no sense; the text says why in a word or two, the same each time."""


@dataclass(frozen=True, slots=True)
class Said:
    """Where and when a message was heard.

    `place` is its place in `stream` where that has one, so that the same again is known.
    """

    stream: str
    at_ns: int
    place: str = ""


@dataclass(slots=True)
class Reader:
    """Reads the messages of one tap."""

    setting: Setting
    mapping: MessageOptions | None = None
    _count: int = field(default=0, init=False)

    def read(self, payload: bytes, said: Said) -> InvalidationRow:
        """The invalidation in a message. Raises RefusedError."""
        if len(payload) > MOST_BYTES:
            raise RefusedError("too long")
        if self.mapping is None:
            return self._published(payload, said)
        try:
            document = json.loads(payload)
        except (ValueError, RecursionError):
            raise RefusedError("not JSON") from None
        return self.find(document, said)

    def find(self, document: Any, said: Said) -> InvalidationRow:
        """The invalidation in a document, by the mapping. Raises RefusedError."""
        mapping = self.mapping
        if mapping is None:
            raise RefusedError("no mapping")
        keyspace = mapping.keyspace
        if keyspace.startswith("$"):
            keyspace = clean(_at(JsonPath.parse(keyspace), document), _NAME, "keyspace")
        version, version_text = self.version(keyspace, _at(mapping.version, document), mapping.unit)
        sequence = _at(mapping.sequence, document)
        return self.row(
            said,
            keyspace=keyspace,
            scope="all" if mapping.key is None else mapping.scope,
            keys=_keys(_at(mapping.key, document)),
            version=version,
            version_text=version_text,
            id=_text(_at(mapping.id, document), "id"),
            publisher=_text(_at(mapping.publisher, document), "publisher"),
            sequence=None if sequence is None else _whole(sequence),
            written_at_ns=_instant(_at(mapping.written_at, document), mapping.unit),
        )

    def _published(self, payload: bytes, said: Said) -> InvalidationRow:
        try:
            told = decode(payload)
        except MessageError as error:
            raise RefusedError(f"not the SDK's format ({str(error).partition(':')[0]})") from None
        keyspace = clean(told.keyspace, _NAME, "keyspace")
        version, version_text = self.version(keyspace, told.version)
        found = _TRACEPARENT.fullmatch(told.context.get("traceparent", ""))
        trace_id, span_id = found.groups() if found else ("", "")
        return self.row(
            said,
            keyspace=keyspace,
            scope=told.scope.value,
            keys=_keys(told.key),
            version=version,
            version_text=version_text,
            id=clean(told.id, _NAME, "id"),
            publisher=clean(told.publisher_id, _NAME, "publisher"),
            sequence=_whole(told.publisher_sequence),
            written_at_ns=told.written_at_ns,
            trace_id=trace_id,
            span_id=span_id,
        )

    def version(
        self, keyspace: str, given: Any, unit: Unit | None = None
    ) -> tuple[int | None, str]:
        """A version as what orders, where the keyspace's do, and as it was said."""
        if given is None:
            return None, ""
        if isinstance(given, bool) or not isinstance(given, str | int):
            raise RefusedError("version is no number or text")
        text = clean(str(given), _TEXT, "version")
        written_as = self.setting.versions.get(keyspace)
        if written_as is None and isinstance(given, int) and -_BIGGEST <= given < _BIGGEST:
            return given, text
        if written_as not in (VersionType.INTEGER, VersionType.TIMESTAMP):
            return None, text
        try:
            return ordered(given, written_as, unit), text
        except UnreadableError:
            return None, text

    def row(
        self,
        said: Said,
        *,
        keyspace: str,
        keys: tuple[str, ...],
        scope: Scope = "key",
        version: int | None = None,
        version_text: str = "",
        id: str = "",
        publisher: str = "",
        sequence: int | None = None,
        written_at_ns: int | None = None,
        trace_id: str = "",
        span_id: str = "",
    ) -> InvalidationRow:
        """The row of a message. Raises RefusedError where it names no key and needs one."""
        if not keys and scope != "all":
            raise RefusedError("no key")
        is_possible = written_at_ns is not None and 0 < written_at_ns <= said.at_ns + _AHEAD_NS
        return InvalidationRow(
            id=id or self._own_id(said),
            keyspace=keyspace,
            scope=scope,
            keys=keys,
            version=version,
            version_text=version_text,
            publisher=publisher,
            stream=said.stream,
            sequence=sequence,
            written_at_ns=written_at_ns if is_possible and written_at_ns else said.at_ns,
            received_at_ns=said.at_ns,
            trace_id=trace_id,
            span_id=span_id,
        )

    def _own_id(self, said: Said) -> str:
        """The same for the same place; where there is no place, each message is another one."""
        self._count += 1
        place = said.place or f"{said.at_ns}-{self._count}"
        where = f"{self.setting.name}\0{said.stream}\0{place}"
        return f"{self.setting.name}:{blake2b(where.encode(), digest_size=12).hexdigest()}"


def clean(given: Any, longest: int, what: str) -> str:
    """Text that a store can hold. Raises RefusedError."""
    if isinstance(given, int) and not isinstance(given, bool):
        given = str(given)
    if not isinstance(given, str) or not given:
        raise RefusedError(f"no {what}")
    if len(given) > longest:
        raise RefusedError(f"{what} too long")
    if any("\ud800" <= letter <= "\udfff" for letter in given):
        raise RefusedError(f"{what} is no Unicode text")
    return given


def read_key(given: Any) -> str:
    """A key. Raises RefusedError."""
    return clean(given, _TEXT, "key")


def _at(path: JsonPath | None, document: Any) -> Any:
    """What stands there; None where nothing does."""
    if path is None:
        return None
    try:
        return path.find(document)
    except UnreadableError:
        return None


def _keys(given: Any) -> tuple[str, ...]:
    if given is None or given == "":
        return ()
    several = given if isinstance(given, list) else [given]
    if len(several) > 1000:
        raise RefusedError("too many keys")
    return tuple(dict.fromkeys(read_key(one) for one in several))


def _text(given: Any, what: str) -> str:
    return "" if given is None else clean(given, _NAME, what)


def _whole(given: Any) -> int:
    if isinstance(given, str) and given.isascii() and given.isdigit() and len(given) < 20:
        given = int(given)
    if not isinstance(given, int) or isinstance(given, bool):
        raise RefusedError("sequence is no whole number")
    if not -_BIGGEST <= given < _BIGGEST:
        raise RefusedError("sequence is too large")
    return given


def _instant(given: Any, unit: Unit | None) -> int | None:
    if given is None:
        return None
    try:
        return instant_ns(given, unit)
    except UnreadableError:
        return None
