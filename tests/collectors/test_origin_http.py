"""The origin kind `http` against a real server."""

import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest
from pydantic import ValidationError

from collectors.base import Keyspace, SourceError
from collectors.origin_http import (
    HttpOrigin,
    HttpOriginBinding,
    HttpOriginOptions,
    HttpOriginServer,
    grants,
)
from freshness.model import ABSENT, Reading, Result, Value
from tests.collectors.web import Answer, Asked, saying, serving
from tests.servers import free_port

MANY = {"path": "/products?ids={keys}", "version": {"json": "$.version"}}
ONE = {"path": "/products/{key}", "version": {"header": "X-Version"}}


def origin_at(port: int, binding: dict[str, Any], **options: Any) -> HttpOrigin:
    given = {"url": f"http://127.0.0.1:{port}/api", "linearizable": True, **options}
    server = HttpOriginServer(HttpOriginOptions.model_validate(given), time.monotonic_ns)
    return server.open(HttpOriginBinding.model_validate(binding), Keyspace("product"))


def listing(asked: Asked) -> Answer:
    query = parse_qs(urlsplit(asked.path).query)
    wanted = query["ids"][0].split(",")
    items = [{"id": key, "version": int(key)} for key in wanted if key.isdecimal()]
    return 200, {}, orjson.dumps({"items": items})


async def read(answer: Answer, binding: dict[str, Any], *keys: str) -> list[Reading]:
    with serving(lambda _: answer) as web:
        origin = origin_at(web.port, binding)
        reply = await origin.read(keys or ("1",))
        await origin._link.close()
        return list(reply.readings)


async def test_one_request_asks_for_many_keys() -> None:
    with serving(listing) as web:
        origin = origin_at(web.port, MANY)
        reply = await origin.read(["2", "none", "1"])
        assert [one.value for one in reply.readings] == [Value(2), ABSENT, Value(1)]
        assert origin.linearizable
        assert [one.path for one in web.asked] == ["/api/products?ids=2,none,1"]
        assert web.asked[0].headers["cache-control"] == "no-cache"
        await origin._link.close()


async def test_one_key_a_request() -> None:
    def answer(asked: Asked) -> Answer:
        return (404, {}, b"") if asked.path.endswith("none") else (200, {"X-Version": "5"}, b"")

    with serving(answer) as web:
        origin = origin_at(web.port, ONE)
        reply = await origin.read(["a/b", "none"])
        assert [one.value for one in reply.readings] == [Value(5), ABSENT]
        assert {one.path for one in web.asked} == {"/api/products/a%2Fb", "/api/products/none"}
        await origin._link.close()


async def test_an_answer_from_a_cache_is_not_linearizable() -> None:
    answer: Answer = (200, {"Age": "3"}, b'{"items":[{"id":1,"version":2}]}')
    with serving(lambda _: answer) as web:
        origin = origin_at(web.port, MANY)
        assert (await origin.read(["1"])).readings == [Reading(Result.VALUE, Value(2))]
        assert not origin.linearizable
        await origin._link.close()


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ((500, {}, b""), "status 500"),
        ((404, {}, b""), "status 404"),
        ((302, {"Location": "/x"}, b""), "redirect to /x"),
        ((200, {}, b"nonsense"), "not JSON"),
        ((200, {}, b"{}"), "nothing at $.items"),
        ((200, {}, b'{"items":{}}'), "no list at $.items"),
        ((200, {}, b'{"items":[{"version":1}]}'), "an item has no key"),
        ((200, {}, b'{"items":[{"id":true,"version":1}]}'), "an item has no key"),
        ((200, {}, b'{"items":["' + b"x" * 2**20 + b'"]}'), "body longer than 1048576 bytes"),
    ],
)
async def test_an_answer_that_is_not_a_list_is_unknown_and_never_absent(
    answer: Answer, why: str
) -> None:
    assert await read(answer, MANY) == [Reading(Result.UNKNOWN, why=why)]


async def test_a_bad_item_costs_its_own_key_alone() -> None:
    body = b'{"items":[{"id":1,"version":null},{"id":2,"version":3},{"id":3},{"id":3}]}'
    readings = await read((200, {}, body), MANY, "1", "2", "3")
    whys = [(one.result, one.why) for one in readings]
    assert whys == [
        (Result.UNREADABLE, "version is null"),
        (Result.VALUE, ""),
        (Result.UNREADABLE, "listed twice"),
    ]


async def test_down_or_half_an_answer_is_unknown() -> None:
    assert (await origin_at(free_port(), MANY).read(["1"])).why == "connection refused"
    with saying(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{") as port:
        origin = origin_at(port, MANY)
        assert (await origin.read(["1"])).why == "half an answer"
        assert not origin.linearizable or not (await origin.read(["1"])).readings[0].value


async def test_lists_keys_of_items_or_of_texts() -> None:
    bodies = {"/api/all": b'{"items":["a",{"id":2}]}', "/api/bad": b'{"items":[{}]}'}
    with serving(lambda asked: (200, {}, bodies[asked.path])) as web:
        assert await origin_at(web.port, {**MANY, "keys_path": "/all"}).list_keys() == ["a", "2"]
        with pytest.raises(SourceError, match="no key"):
            await origin_at(web.port, {**MANY, "keys_path": "/bad"}).list_keys()
        with pytest.raises(SourceError, match="keys_path"):
            await origin_at(web.port, MANY).list_keys()


def test_a_path_has_one_placeholder_and_items_have_no_headers() -> None:
    for path in ("/products", "/{key}/{keys}"):
        with pytest.raises(ValidationError, match=r"either \{key\} or \{keys\}"):
            HttpOriginBinding.model_validate({**MANY, "path": path})
    with pytest.raises(ValidationError, match="headers do not tell items apart"):
        HttpOriginBinding.model_validate({**MANY, "version": {"header": "X"}})
    binding = HttpOriginBinding.model_validate(MANY)
    text = grants(HttpOriginOptions(url="http://x"), {"product": binding})
    assert text == "http://x: allow GET /products?ids={keys}"
