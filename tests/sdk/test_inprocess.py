"""The in-process cache contract: what is answered, and that the document says the same."""

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from ruamel.yaml import YAML

from stalewatch_sdk.inprocess import (
    MAX_PAGE_BYTES,
    Answer,
    Entry,
    Worker,
    answer_info,
    answer_keys,
    answer_read,
)

DOCUMENT = Path(__file__).parents[2] / "docs" / "inprocess-cache.openapi.yaml"
TOKEN = "Bearer secret"


class Cache(dict[str, Entry]):
    """A cache of given entries."""

    def peek(self, key: str, /) -> Entry | None:
        return self.get(key)


ENTRIES = Cache(
    {
        "1": Entry(version=3, projection="0a1b", age_s=1.25, ttl_s=58.75),
        "2": Entry(version="v3"),
        "3": Entry(is_negative=True, ttl_s=4.0),
    }
)
WORKER = Worker("eu-app-1", "i-1", {"product": ENTRIES}, "secret")


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    loaded: dict[str, Any] = YAML(typ="safe").load(DOCUMENT)
    return loaded


def test_entries_come_in_the_order_of_the_keys(document: dict[str, Any]) -> None:
    answer = read({"keyspace": "product", "keys": ["3", "9", "1", "2", "1"]})
    body = _conforming(document, "/cache/v1/read", "post", answer)
    full = {"key": "1", "state": "hit", "version": 3, "projection": "0a1b", "age_s": 1.25}
    assert body == {
        "node": "eu-app-1",
        "instance": "i-1",
        "entries": [
            {"key": "3", "state": "negative", "ttl_s": 4.0},
            {"key": "9", "state": "miss"},
            full | {"ttl_s": 58.75},
            {"key": "2", "state": "hit", "version": "v3", "ttl_s": None},
            full | {"ttl_s": 58.75},
        ],
    }


def test_info(document: dict[str, Any]) -> None:
    body = _conforming(document, "/cache/v1/info", "get", answer_info(WORKER, TOKEN))
    assert body == {"node": "eu-app-1", "instance": "i-1", "keyspaces": ["product"], "entries": 3}


REFUSED = [
    pytest.param(None, {"keyspace": "product", "keys": []}, 401, id="no token"),
    pytest.param("Bearer wrong", {"keyspace": "product", "keys": []}, 401, id="a wrong token"),
    pytest.param("Basic secret", {"keyspace": "product", "keys": []}, 401, id="another scheme"),
    pytest.param("Bearer ünsafe", {"keyspace": "product", "keys": []}, 401, id="not ASCII"),
    pytest.param(TOKEN, {"keyspace": "basket", "keys": []}, 404, id="an unknown keyspace"),
    pytest.param(TOKEN, {"keyspace": "product", "keys": ["1"] * 1001}, 413, id="too many keys"),
    pytest.param(TOKEN, {"keyspace": "product", "keys": ["k" * 2**20]}, 413, id="too many bytes"),
    pytest.param(TOKEN, {"keyspace": "product", "keys": [1]}, 400, id="keys that are no strings"),
    pytest.param(TOKEN, {"keys": []}, 400, id="no keyspace"),
    pytest.param(TOKEN, [], 400, id="no object"),
]


@pytest.mark.parametrize(("authorization", "body", "status"), REFUSED)
def test_refusals_are_problems(
    document: dict[str, Any], authorization: str | None, body: object, status: int
) -> None:
    answer = answer_read(WORKER, authorization, json.dumps(body).encode())
    assert answer.status == status
    assert _conforming(document, "/cache/v1/read", "post", answer)["status"] == status


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"\xff{", id="not UTF-8"),
        pytest.param(b"{", id="cut off"),
        pytest.param(b"[" * 100_000, id="too deep"),
    ],
)
def test_what_is_not_json_is_a_problem(body: bytes) -> None:
    assert answer_read(WORKER, TOKEN, body).status == 400


def test_info_needs_the_token_too(document: dict[str, Any]) -> None:
    answer = answer_info(WORKER, None)
    assert answer.status == 401
    _conforming(document, "/cache/v1/info", "get", answer)


def test_a_thousand_keys_are_not_too_many() -> None:
    assert read({"keyspace": "product", "keys": ["1"] * 1000}).status == 200


def page(worker: Worker, **asked: object) -> Answer:
    body = json.dumps({"keyspace": "product", **asked}).encode()
    return answer_keys(worker, TOKEN, body)


def test_keys_come_in_pages_in_their_order(document: dict[str, Any]) -> None:
    keys = sorted(str(number) for number in range(2500))
    worker = Worker("w", "i", {"product": Cache({key: Entry(1) for key in keys})}, "secret")
    found: list[str] = []
    after: dict[str, object] = {}
    for _ in range(3):
        body = _conforming(document, "/cache/v1/keys", "post", page(worker, **after))
        found += body["keys"]
        after = {"after": body["next"]}
    assert (found, body["next"]) == (keys, None)


def test_pages_are_bounded_in_bytes_and_an_empty_cache_has_one(document: dict[str, Any]) -> None:
    large = Cache({f"{number}" + "é" * MAX_PAGE_BYTES: Entry(1) for number in range(3)})
    body = _conforming(
        document, "/cache/v1/keys", "post", page(Worker("w", "i", {"product": large}, "secret"))
    )
    assert len(body["keys"]) == 1
    assert body["next"] == body["keys"][0]
    empty = Worker("w", "i", {"product": Cache()}, "secret")
    assert json.loads(page(empty).body) == {"node": "w", "instance": "i", "keys": [], "next": None}


def test_keys_that_stay_all_come_whatever_comes_and_goes() -> None:
    cache = Cache({f"{number:04}": Entry(1) for number in range(3000)})
    worker = Worker("w", "i", {"product": cache}, "secret")
    first = json.loads(page(worker).body)
    for number in range(0, 3000, 2):
        del cache[f"{number:04}"]
    cache.update({f"{number:04}x": Entry(1) for number in range(3000)})
    found = set(first["keys"])
    then = first["next"]
    while then is not None:
        body = json.loads(page(worker, after=then).body)
        found.update(body["keys"])
        then = body["next"]
    assert {f"{number:04}" for number in range(1, 3000, 2)} <= found


def test_a_cache_that_cannot_list_says_so(document: dict[str, Any]) -> None:
    class Opaque:
        def peek(self, key: str, /) -> Entry | None:
            raise KeyError(key)

        def __len__(self) -> int:
            return 0

    answer = page(Worker("w", "i", {"product": Opaque()}, "secret"))
    assert answer.status == 501
    _conforming(document, "/cache/v1/keys", "post", answer)
    assert page(WORKER, after=7).status == 400
    assert page(WORKER, keyspace="basket").status == 404
    assert answer_keys(WORKER, None, b"{}").status == 401


def read(body: object) -> Answer:
    return answer_read(WORKER, TOKEN, json.dumps(body).encode())


def _conforming(document: dict[str, Any], path: str, method: str, answer: Answer) -> dict[str, Any]:
    """The answer's body, once it is what the document says of this status and content type."""
    response = document["paths"][path][method]["responses"][str(int(answer.status))]
    if "$ref" in response:
        response = document["components"]["responses"][response["$ref"].rsplit("/", 1)[1]]
    schema = response["content"][answer.content_type]["schema"]
    body: dict[str, Any] = json.loads(answer.body)
    jsonschema_rs.validate(schema | {"components": document["components"]}, body)
    return body
