"""The cache kind `inprocess` against a worker that serves the SDK's side of the contract."""

import math
import time
from typing import Any

import orjson
import pytest

from collectors.base import Keyspace, Target, VersionType
from collectors.inprocess import InprocessBinding, InprocessOptions, InprocessServer, grants
from freshness.model import MISS, Reading, Result, Value
from stalewatch_sdk.inprocess import INFO_PATH, Entry, Worker, answer_info, answer_read
from tests.collectors.web import Answer, Asked, serving
from tests.servers import free_port


class Copies(dict[str, Entry]):
    """A cache that can be peeked into."""

    def peek(self, key: str, /) -> Entry | None:
        return self.get(key)


@pytest.fixture
def token(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.setenv("WORKER_TOKEN", "secret")
    return {"auth": {"token": {"env": "WORKER_TOKEN"}}}


def connect(port: int, **options: Any) -> InprocessServer:
    return InprocessServer(
        Target("w1", "127.0.0.1", port), InprocessOptions.model_validate(options), time.monotonic_ns
    )


def serve(worker: Worker, asked: Asked) -> Answer:
    authorization = asked.headers.get("authorization")
    if asked.path == INFO_PATH:
        answer = answer_info(worker, authorization)
    else:
        answer = answer_read(worker, authorization, asked.body)
    return answer.status, {"Content-Type": answer.content_type}, answer.body


COPIES = Copies(
    a=Entry(version=3, age_s=1.5, ttl_s=8.5),
    b=Entry(version=4, projection="00ff"),
    c=Entry(is_negative=True, ttl_s=2),
    d=Entry(projection="abcd"),
    e=Entry(),
    f=Entry(version="v7"),
)


async def test_reads_what_a_worker_holds(token: dict[str, Any]) -> None:
    worker = Worker("w1", "instance-1", {"product": COPIES}, "secret")
    with serving(lambda asked: serve(worker, asked)) as web:
        node = connect(web.port, batch={"keys": 3}, **token)
        cache = node.open(InprocessBinding(), Keyspace("product"))
        reply = await cache.read(["a", "b", "c", "d", "e", "f", "none"])
        assert list(reply.readings) == [
            Reading(Result.VALUE, Value(3), 8.5, 1.5),
            Reading(Result.VALUE, Value(4, "00ff"), math.inf),
            Reading(Result.VALUE, Value(absent=True), 2.0),
            Reading(Result.VALUE, Value(None, "abcd"), math.inf),
            Reading(Result.UNREADABLE, why="neither version nor projection"),
            Reading(Result.UNREADABLE, why="version is not a whole number"),
            MISS,
        ]
        assert reply.identity == "instance-1"
        assert len(web.asked) == 3
        assert (await node.check()).server == "worker w1 instance-1"
        opaque = node.open(InprocessBinding(), Keyspace("product", VersionType.STRING))
        assert (await opaque.read(["f"])).readings[0].value == Value(projection="v7")
        other = node.open(InprocessBinding(keyspace="orders"), Keyspace("product"))
        assert (await other.read(["a"])).why.startswith("status 404")
        await node.close()


async def test_a_wrong_token_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKER_TOKEN", "wrong")
    worker = Worker("w1", "i", {"product": COPIES}, "secret")
    with serving(lambda asked: serve(worker, asked)) as web:
        node = connect(web.port, auth={"token": {"env": "WORKER_TOKEN"}})
        reply = await node.open(InprocessBinding(), Keyspace("product")).read(["a"])
        assert reply.why == "status 401: check auth: the worker's token"
        assert not (await node.check()).ok
        monkeypatch.delenv("WORKER_TOKEN")
        assert "WORKER_TOKEN" in (await node.check()).problem
        await node.close()


def entry(**fields: Any) -> bytes:
    return orjson.dumps({"node": "w", "instance": "i", "entries": [{"key": "a", **fields}]})


@pytest.mark.parametrize(
    ("answer", "result", "why"),
    [
        ((200, {}, b"nonsense"), Result.UNKNOWN, "the answer is not JSON"),
        ((200, {}, b"[]"), Result.UNKNOWN, "the answer is not the contract's"),
        ((200, {}, b"{}"), Result.UNKNOWN, "not one entry a key"),
        ((200, {}, b'{"entries":[]}'), Result.UNKNOWN, "not one entry a key"),
        ((200, {}, b'{"entries":[{"key":"b"}]}'), Result.UNKNOWN, "not one entry a key"),
        ((200, {}, b'{"x":"' + b"x" * 2**20 + b'"}'), Result.UNKNOWN, "answer longer than"),
        ((302, {"Location": "/x"}, b""), Result.UNKNOWN, "status 302"),
        ((200, {}, entry(state="gone")), Result.UNKNOWN, "no such state of an entry"),
        ((200, {}, entry(state="hit", version=True)), Result.UNREADABLE, "version is a boolean"),
        ((200, {}, entry(state="hit", version=-1)), Result.UNREADABLE, "version is negative"),
        ((200, {}, entry(state="hit", version=1.5)), Result.UNREADABLE, "version is a fraction"),
        ((200, {}, entry(state="hit", projection=7)), Result.UNREADABLE, "projection is not text"),
    ],
)
async def test_nonsense_is_named(answer: Answer, result: Result, why: str) -> None:
    with serving(lambda _: answer) as web:
        node = connect(web.port)
        reply = await node.open(InprocessBinding(), Keyspace("product")).read(["a"])
        assert reply.readings[0].result is result
        assert reply.readings[0].why.startswith(why)
        await node.close()


async def test_nonsense_about_age_and_time_to_live_says_nothing() -> None:
    body = entry(state="hit", version=1, age_s=-1, ttl_s="soon")
    with serving(lambda _: (200, {}, body)) as web:
        node = connect(web.port)
        reply = await node.open(InprocessBinding(), Keyspace("product")).read(["a"])
        assert list(reply.readings) == [Reading(Result.VALUE, Value(1))]
        await node.close()


async def test_nobody_listens() -> None:
    cache = connect(free_port()).open(InprocessBinding(), Keyspace("product"))
    assert (await cache.read(["a", "b"])).why == "connection refused"
    assert "product" in grants(InprocessOptions(), {"product": InprocessBinding()})
