"""The cache kind `inprocess`: caches inside application processes, over an HTTP contract.

The contract is docs/inprocess-cache.openapi.yaml: a worker is a node, and answers a batch of keys
without touching its own counters; see docs/collectors/inprocess.md.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson

from collectors.base import (
    Health,
    KeyPage,
    Keyspace,
    NowNs,
    ProbeEffect,
    Reply,
    SourceError,
    Target,
    unanswered,
)
from collectors.decode import Fields, Recall, Shape, unknown, unreadable
from collectors.http_link import Answer, FetchError, HttpLink, base_url
from collectors.options import (
    PLACEHOLDER,
    BatchOptions,
    ConnectionOptions,
    KeyTemplate,
    key_in,
    shown,
)
from collectors.replies import joined
from collectors.versions import UnreadableError, text
from freshness.model import MISS, Reading, Result, Value
from settings import Section, Size
from stalewatch_sdk.inprocess import INFO_PATH, KEYS_PATH, READ_PATH

CONNECTIONS: Final = 2
CURSOR: Final = "after:"
"""Goes before a worker's own cursor, which may be empty; a page's is empty at the end alone."""
ADVICE: Final[Mapping[int, str]] = {
    401: "check auth: the worker's token",
    404: "nothing serves the contract there",
    501: "this cache does not list its keys",
}


class InprocessOptions(ConnectionOptions):
    """A layer of application processes."""

    batch: BatchOptions = BatchOptions()
    """How much one batch asks for."""
    longest_answer: Size = Size.parse("1MiB")
    """Bytes of an answer that are read; what is longer is given up."""


class InprocessBinding(Section):
    """How a keyspace is held in the workers. Versions and projections come with each entry."""

    key: KeyTemplate = PLACEHOLDER
    """Name of the key in the worker's cache, with the key in it."""
    keyspace: str | None = None
    """What the workers call the keyspace, where it is not the name here."""


class InprocessServer:
    """One worker."""

    def __init__(self, target: Target, options: InprocessOptions, now_ns: NowNs) -> None:
        self._options = options
        self._now_ns = now_ns
        url = base_url(target.host, target.port, options)
        self._link = HttpLink(url, options, connections=CONNECTIONS)
        self._who = WhoAnswers(target.name)

    def open(self, binding: InprocessBinding, keyspace: Keyspace) -> "InprocessCache":
        """The worker as one keyspace sees it."""
        return InprocessCache(self._link, self._options, binding, keyspace, self._now_ns, self._who)

    async def check(self) -> Health:
        """Ask the worker who it is."""
        limit = self._options.longest_answer.bytes
        try:
            answer = await self._link.fetch(INFO_PATH, body_limit=limit)
            told = _document(answer)
        except FetchError as error:
            return Health(False, "in-process cache", str(error))
        return Health(True, shown(f"worker {told.get('node')} {told.get('instance')}"))

    async def close(self) -> None:
        """Let go of every connection."""
        await self._link.close()


class WhoAnswers:
    """Notices that the port of a worker has gone to another one, before discovery does."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._has_answered = False

    def note(self, told: Mapping[str, Any]) -> None:
        """Raise FetchError where another node answers than the one that did so far.

        A node that never went by the name that discovery gave it cannot be told apart like that.
        """
        is_named = told.get("node") == self._name
        if self._has_answered and not is_named:
            raise FetchError("another worker answers there")
        self._has_answered = is_named


class InprocessCache:
    """One worker's cache of one keyspace."""

    effect = ProbeEffect.NONE

    def __init__(
        self,
        link: HttpLink,
        options: InprocessOptions,
        binding: InprocessBinding,
        keyspace: Keyspace,
        now_ns: NowNs,
        who: WhoAnswers,
    ) -> None:
        self._link = link
        self._who = who
        self._longest = options.longest_answer.bytes
        self._key = binding.key
        self._keyspace = binding.keyspace or keyspace.name
        self._shape = Shape(keyspace.version)
        self._now_ns = now_ns
        self._recall = Recall()
        self.batch_keys = options.batch.keys

    async def read(self, keys: Sequence[str]) -> Reply:
        """The worker's entries for keys, age and time to live included."""
        starts = range(0, len(keys), self.batch_keys) or (0,)
        return joined([await self._read_part(keys[i : i + self.batch_keys]) for i in starts])

    async def inspect(self, keys: Sequence[str]) -> Reply:
        """The same: each entry tells all that the worker knows."""
        return await self.read(keys)

    async def walk(self, cursor: str = "") -> KeyPage:
        """A page of the keys that the worker holds. Raises SourceError."""
        after = {"after": cursor.removeprefix(CURSOR)} if cursor else {}
        try:
            asked = orjson.dumps({"keyspace": self._keyspace, **after})
            answer = await self._link.fetch(KEYS_PATH, body_limit=self._longest, json=asked)
            told = _document(answer)
            self._who.note(told)
            names, then = _page(told)
        except (FetchError, TypeError) as error:
            raise SourceError(f"cannot list keys: {error}") from None
        if then is not None and then == after.get("after"):
            raise SourceError("cannot list keys: the worker goes round in circles")
        keys = [key for name in names if (key := key_in(self._key, name)) is not None]
        return KeyPage(keys, "" if then is None else CURSOR + then)

    async def _read_part(self, keys: Sequence[str]) -> Reply:
        names = [self._key.replace(PLACEHOLDER, key) for key in keys]
        start_ns = self._now_ns()
        try:
            asked = orjson.dumps({"keyspace": self._keyspace, "keys": names})
            answer = await self._link.fetch(READ_PATH, body_limit=self._longest, json=asked)
            end_ns = self._now_ns()
            told = _document(answer)
            self._who.note(told)
            entries = _entries(told, names)
        except (FetchError, TypeError) as error:  # TypeError: a key that is not Unicode
            why = str(error) if isinstance(error, FetchError) else "the key is not text"
            return unanswered(keys, start_ns, self._now_ns(), why)
        readings = [
            self._recall.settle(key, read_entry(entry, self._shape))
            for key, entry in zip(keys, entries, strict=True)
        ]
        identity = shown(str(told.get("instance", "")))
        return Reply(start_ns, end_ns, readings, identity, size_bytes=len(answer.body))


def _document(answer: Answer) -> dict[str, Any]:
    """The JSON object of a good answer. Raises FetchError."""
    if answer.status != 200:
        advice = ADVICE.get(answer.status)
        raise FetchError(f"status {answer.status}" + (f": {advice}" if advice else ""))
    if not answer.is_whole:
        raise FetchError(f"answer longer than {len(answer.body)} bytes")
    try:
        document = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        raise FetchError("the answer is not JSON") from None
    if not isinstance(document, dict):
        raise FetchError("the answer is not the contract's")
    return document


def _entries(told: dict[str, Any], names: Sequence[str]) -> list[dict[str, Any]]:
    """One entry a key, in the order of the keys. Raises FetchError for anything else."""
    entries = told.get("entries")
    if not isinstance(entries, list) or len(entries) != len(names):
        raise FetchError("not one entry a key")
    for entry, name in zip(entries, names, strict=True):
        if not isinstance(entry, dict) or entry.get("key") != name:
            raise FetchError("not one entry a key")
    return entries


def _page(told: dict[str, Any]) -> tuple[list[str], str | None]:
    """Names of keys, and where the next page begins. Raises FetchError for anything else."""
    names, then = told.get("keys"), told.get("next")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise FetchError("the answer is not the contract's")
    if not isinstance(then, str | None):
        raise FetchError("the answer is not the contract's")
    return names, then


def read_entry(entry: Mapping[str, Any], shape: Shape) -> Reading:
    """One entry of the contract as a reading."""
    state = entry.get("state")
    if state == "miss":
        return MISS
    if state not in {"hit", "negative"}:
        return unknown("no such state of an entry")
    try:
        value = _value(entry, shape, absent=state == "negative")
    except UnreadableError as error:
        return unreadable(str(error))
    age_s, ttl_s = _seconds(entry.get("age_s")), _seconds(entry.get("ttl_s"))
    never_expires = "ttl_s" in entry and entry["ttl_s"] is None
    return Reading(Result.VALUE, value, float("inf") if never_expires else ttl_s, age_s)


def _value(entry: Mapping[str, Any], shape: Shape, *, absent: bool) -> Value:
    """The entry's version and projection; one of them must be there, unless it is negative."""
    projection = entry.get("projection")
    if projection is not None and not (isinstance(projection, str) and projection):
        raise UnreadableError("projection is not text")
    if entry.get("version") is not None:
        value = shape.value(Fields(entry["version"]), absent=absent)
        both = value.projection or (None if projection is None else text(projection))
        return value._replace(projection=both)
    if projection is None and not absent:
        raise UnreadableError("neither version nor projection")
    return Value(None, None if projection is None else text(projection), absent)


def _seconds(given: object) -> float | None:
    is_number = isinstance(given, int | float) and not isinstance(given, bool)
    return float(given) if is_number and isinstance(given, int | float) and given >= 0 else None


def grants(options: InprocessOptions, bindings: Mapping[str, InprocessBinding]) -> str:
    """What a worker must let us do."""
    names = ", ".join(sorted(binding.keyspace or name for name, binding in bindings.items()))
    token = "" if options.auth else " (declare auth.token: the contract asks for one)"
    return (
        f"POST {READ_PATH}, GET {INFO_PATH}, and POST {KEYS_PATH} for a sweep, "
        f"with the bearer token{token}, for: {names}"
    )
