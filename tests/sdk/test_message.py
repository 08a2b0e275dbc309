"""One JSON message there and back, and what is no message."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stalewatch_sdk.attributes import Scope
from stalewatch_sdk.message import Invalidation, MessageError, decode, encode

invalidations = st.builds(
    Invalidation,
    id=st.text(),
    keyspace=st.text(),
    key=st.text(),
    version=st.integers() | st.text(),
    publisher_id=st.text(),
    publisher_sequence=st.integers(min_value=0),
    scope=st.sampled_from(Scope),
    written_at_ns=st.none() | st.integers(min_value=0),
    context=st.dictionaries(st.text(), st.text()),
)


@given(invalidations)
def test_every_invalidation_comes_back_as_it_went(invalidation: Invalidation) -> None:
    assert decode(encode(invalidation)) == invalidation


GOOD = {
    "id": "m1",
    "keyspace": "product",
    "key": "42",
    "version": 3,
    "publisher": {"id": "p", "sequence": 1},
}


def test_what_may_be_absent_has_its_default() -> None:
    decoded = decode(json.dumps(GOOD | {"of a later release": 1}).encode())
    assert (decoded.scope, decoded.written_at_ns, decoded.context) == (Scope.KEY, None, {})


@pytest.mark.parametrize(
    ("payload", "complaint"),
    [
        pytest.param(b"{", "not JSON", id="cut off"),
        pytest.param(b"\xff", "not JSON", id="not UTF-8"),
        pytest.param(b"[]", "not a JSON object", id="an array"),
        pytest.param(GOOD | {"id": 7}, "id: expected str", id="a number as id"),
        pytest.param(GOOD | {"version": None}, "version: expected int or str", id="no version"),
        pytest.param(GOOD | {"version": True}, "version: expected int", id="a boolean version"),
        pytest.param(GOOD | {"publisher": {"id": "p"}}, "sequence", id="no sequence"),
        pytest.param(GOOD | {"scope": "galaxy"}, "scope", id="an unknown scope"),
        pytest.param(GOOD | {"scope": ["key"]}, "scope", id="a scope of the wrong type"),
        pytest.param(GOOD | {"context": {"traceparent": 1}}, "context", id="a bad carrier"),
    ],
)
def test_what_is_no_message_says_why(payload: bytes | dict[str, object], complaint: str) -> None:
    data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    with pytest.raises(MessageError, match=complaint):
        decode(data)
