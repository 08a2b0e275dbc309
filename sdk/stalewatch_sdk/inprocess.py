"""Answers probes of an in-process cache: the HTTP contract of docs/inprocess-cache.openapi.yaml.

Framework-free: a web handler passes the Authorization header and the body in, and sends what comes
back. A probe peeks, so that asking does not touch the cache's hit counters, order or lifetimes.
"""

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, Protocol

MAX_KEYS: Final = 1000
MAX_BODY_BYTES: Final = 1 << 20
READ_PATH: Final = "/cache/v1/read"
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
    if not _is_authorized(worker, authorization):
        return _unauthorized()
    if len(body) > MAX_BODY_BYTES:
        return _problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"more than {MAX_BODY_BYTES} bytes")
    try:
        keyspace, keys = _parse(body)
    except (ValueError, RecursionError) as error:
        return _problem(HTTPStatus.BAD_REQUEST, str(error))
    if len(keys) > MAX_KEYS:
        return _problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"more than {MAX_KEYS} keys")
    cache = worker.caches.get(keyspace)
    if cache is None:
        return _problem(HTTPStatus.NOT_FOUND, f"unknown keyspace {keyspace!r}")
    entries = [_described(key, cache.peek(key)) for key in keys]
    return _ok({"node": worker.node, "instance": worker.instance, "entries": entries})


def answer_info(worker: Worker, authorization: str | None) -> Answer:
    """The answer to `GET /cache/v1/info`."""
    if not _is_authorized(worker, authorization):
        return _unauthorized()
    return _ok(
        {
            "node": worker.node,
            "instance": worker.instance,
            "keyspaces": sorted(worker.caches),
            "entries": sum(len(cache) for cache in worker.caches.values()),
        }
    )


def _is_authorized(worker: Worker, authorization: str | None) -> bool:
    scheme, _, token = (authorization or "").partition(" ")
    return scheme.lower() == "bearer" and hmac.compare_digest(
        token.strip().encode(), worker.token.encode()
    )


def _parse(body: bytes) -> tuple[str, list[str]]:
    document = json.loads(body)
    if not isinstance(document, dict) or not isinstance(document.get("keyspace"), str):
        raise ValueError("expected an object with a string member 'keyspace'")
    keys = document.get("keys")
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
        raise ValueError("expected an array of strings as member 'keys'")
    return document["keyspace"], keys


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


def _unauthorized() -> Answer:
    return _problem(HTTPStatus.UNAUTHORIZED, "a valid bearer token is required")


def _problem(status: HTTPStatus, detail: str) -> Answer:
    """A problem document (RFC 9457)."""
    document = {"type": "about:blank", "title": status.phrase, "status": status, "detail": detail}
    return Answer(status, json.dumps(document).encode(), "application/problem+json")
