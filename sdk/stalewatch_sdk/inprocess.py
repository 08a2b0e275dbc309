"""Answers probes of an in-process cache: the HTTP contract of docs/inprocess-cache.openapi.yaml.

Framework-free: a web handler passes the Authorization header and the body in, and sends what comes
back. A probe peeks, so that asking does not touch the cache's hit counters, order or lifetimes.
"""

import heapq
import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, Protocol, runtime_checkable

MAX_KEYS: Final = 1000
MAX_BODY_BYTES: Final = 1 << 20
MAX_PAGE_BYTES: Final = 1 << 18
READ_PATH: Final = "/cache/v1/read"
KEYS_PATH: Final = "/cache/v1/keys"
INFO_PATH: Final = "/cache/v1/info"


@dataclass(frozen=True, slots=True)
class Entry:
    """One resident copy. `is_negative`: it is a cached not-found. None: unknown, or no TTL."""

    version: int | str | None = None
    projection: str | None = None
    age_s: float | None = None
    ttl_s: float | None = None
    is_negative: bool = False


class Peekable(Protocol):
    """What the contract needs of a cache."""

    def peek(self, key: str, /) -> Entry | None:
        """The live entry of `key`, or None; counts as no read."""
        ...

    def __len__(self) -> int:
        """How many entries are held."""
        ...


@runtime_checkable
class Listable(Peekable, Protocol):
    """What listing keys needs of a cache besides."""

    def keys(self) -> Iterable[str]:
        """Every key that is held; counts as no read."""
        ...


@dataclass(frozen=True, slots=True)
class Worker:
    """One process that caches. `instance` is new at each start; `caches` is by keyspace."""

    node: str
    instance: str
    caches: Mapping[str, Peekable]
    token: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What to send back over HTTP."""

    status: int
    body: bytes
    content_type: str = "application/json"


def answer_read(worker: Worker, authorization: str | None, body: bytes) -> Answer:
    """The answer to `POST /cache/v1/read`: one entry a key, in the order of the keys."""
    try:
        asked, cache = _asked(worker, authorization, body)
        keys = asked.get("keys")
        if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
            raise _RefusedError(
                HTTPStatus.BAD_REQUEST, "expected an array of strings as member 'keys'"
            )
        if len(keys) > MAX_KEYS:
            raise _RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"more than {MAX_KEYS} keys")
    except _RefusedError as refusal:
        return problem(refusal.status, refusal.detail)
    entries = [_described(key, cache.peek(key)) for key in keys]
    return _ok({"node": worker.node, "instance": worker.instance, "entries": entries})


def answer_keys(worker: Worker, authorization: str | None, body: bytes) -> Answer:
    """The answer to `POST /cache/v1/keys`: a page of the keys held, in their order."""
    try:
        asked, cache = _asked(worker, authorization, body)
        after = asked.get("after")
        if not isinstance(after, str | None):
            raise _RefusedError(HTTPStatus.BAD_REQUEST, "expected a string as member 'after'")
        if not isinstance(cache, Listable):
            raise _RefusedError(HTTPStatus.NOT_IMPLEMENTED, "this cache does not list its keys")
    except _RefusedError as refusal:
        return problem(refusal.status, refusal.detail)
    keys, has_more = _page(list(cache.keys()), after)
    told = {"keys": keys, "next": keys[-1] if has_more else None}
    return _ok({"node": worker.node, "instance": worker.instance, **told})


def _page(held: list[str], after: str | None) -> tuple[list[str], bool]:
    """The first keys in order after one, and whether there are more.

    A key in its order needs no cursor of ours to find it again, whatever came and went meanwhile.
    """
    later = held if after is None else [key for key in held if key > after]
    keys: list[str] = []
    size_bytes = 0
    for key in heapq.nsmallest(MAX_KEYS, later):
        size_bytes += len(key.encode("utf-8", "surrogatepass"))
        if keys and size_bytes > MAX_PAGE_BYTES:
            break
        keys.append(key)
    return keys, len(keys) < len(later)


def answer_info(worker: Worker, authorization: str | None) -> Answer:
    """The answer to `GET /cache/v1/info`."""
    if not _is_authorized(worker, authorization):
        return problem(HTTPStatus.UNAUTHORIZED, "a valid bearer token is required")
    return _ok(
        {
            "node": worker.node,
            "instance": worker.instance,
            "keyspaces": sorted(worker.caches),
            "entries": sum(len(cache) for cache in worker.caches.values()),
        }
    )


class _RefusedError(Exception):
    """A request that is answered with a problem."""

    def __init__(self, status: HTTPStatus, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


def _is_authorized(worker: Worker, authorization: str | None) -> bool:
    scheme, _, token = (authorization or "").partition(" ")
    return scheme.lower() == "bearer" and hmac.compare_digest(
        token.strip().encode(), worker.token.encode()
    )


def _asked(
    worker: Worker, authorization: str | None, body: bytes
) -> tuple[dict[str, Any], Peekable]:
    """What is asked, and the cache that it is asked of. Raises _RefusedError."""
    if not _is_authorized(worker, authorization):
        raise _RefusedError(HTTPStatus.UNAUTHORIZED, "a valid bearer token is required")
    if len(body) > MAX_BODY_BYTES:
        raise _RefusedError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"more than {MAX_BODY_BYTES} bytes"
        )
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _RefusedError(HTTPStatus.BAD_REQUEST, str(error)) from None
    if not isinstance(document, dict) or not isinstance(document.get("keyspace"), str):
        detail = "expected an object with a string member 'keyspace'"
        raise _RefusedError(HTTPStatus.BAD_REQUEST, detail)
    cache = worker.caches.get(document["keyspace"])
    if cache is None:
        raise _RefusedError(HTTPStatus.NOT_FOUND, f"unknown keyspace {document['keyspace']!r}")
    return document, cache


def _described(key: str, entry: Entry | None) -> dict[str, Any]:
    if entry is None:
        return {"key": key, "state": "miss"}
    known = {
        "version": entry.version,
        "projection": entry.projection,
        "age_s": entry.age_s,
    }
    return {
        "key": key,
        "state": "negative" if entry.is_negative else "hit",
        **{name: value for name, value in known.items() if value is not None},
        "ttl_s": entry.ttl_s,
    }


def _ok(document: dict[str, Any]) -> Answer:
    return Answer(HTTPStatus.OK, json.dumps(document, separators=(",", ":")).encode())


def problem(status: HTTPStatus, detail: str) -> Answer:
    """A refusal as a problem document (RFC 9457)."""
    document = {"type": "about:blank", "title": status.phrase, "status": status, "detail": detail}
    return Answer(status, json.dumps(document).encode(), "application/problem+json")
