"""Versions and projections of any bytes: never an exception, always a named why."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.base import VersionType
from collectors.decode import Decoder, Recall, Shape, from_json, from_text
from collectors.projection import digest
from collectors.versions import LARGEST, JsonPath, UnreadableError, instant_ns, integer, text
from freshness.model import Reading, Result, Value

VERSION = JsonPath.parse("$.version")


@given(raw=st.binary(max_size=200), written_as=st.sampled_from(VersionType))
def test_any_bytes_are_a_version_or_unreadable_with_why(
    raw: bytes, written_as: VersionType
) -> None:
    for extract in (from_text, from_json(VERSION), from_json(JsonPath.parse("$"))):
        reading = Decoder(Shape(written_as), extract).decode("k", raw)
        if reading.result is Result.VALUE:
            assert reading.value is not None
            assert reading.value.version is None or 0 <= reading.value.version <= LARGEST
        else:
            assert reading.result is Result.UNREADABLE
            assert reading.why


@given(st.integers(0, LARGEST))
def test_a_version_survives_as_number_and_as_text(version: int) -> None:
    assert integer(version) == integer(str(version)) == version


@given(st.lists(st.binary(max_size=120), min_size=2, max_size=30))
def test_memory_never_changes_what_is_read(raws: list[bytes]) -> None:
    decoder = Decoder(Shape(), from_text, remembered_keys=2)
    for number, raw in enumerate(raws):
        key = str(number % 3)
        assert decoder.decode(key, raw) == Decoder(Shape(), from_text).decode(key, raw)


def test_memory_is_bounded_in_keys_and_holds_no_raw_value() -> None:
    decoder = Decoder(Shape(), from_json(VERSION), remembered_keys=10)
    secret = b'{"version":1,"card":"4111 1111 1111 1111","more":"' + b"x" * 100 + b'"}'
    decoder.decode_all([str(number) for number in range(50)], [secret] * 50)
    assert len(decoder._known) == 10
    assert b"4111" not in b"".join(mark for mark, _ in decoder._known.values())


def test_other_bytes_of_the_same_version_give_the_same_object() -> None:
    decoder = Decoder(Shape(), from_json(VERSION))
    assert decoder.decode("k", b'{"version":1}') is decoder.decode("k", b'{ "version": 1 }')
    recall = Recall(1)
    first = recall.settle("k", Reading(Result.VALUE, Value(1)))
    assert recall.settle("k", Reading(Result.VALUE, Value(1))) is first
    assert recall.settle("other", Reading(Result.VALUE, Value(1))) is not first


@pytest.mark.parametrize(
    ("written", "ns"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2026-01-01T00:00:00.123456789Z", 1_767_225_600_123_456_789),
        ("2026-01-01T02:00:00.5+02:00", 1_767_225_600_500_000_000),
        ("2026-01-01 02:00:00+02", 1_767_225_600_000_000_000),
        ("2026-01-01T00:00:00.1234567891Z", 1_767_225_600_123_456_789),
    ],
)
def test_instants_are_exact_to_the_nanosecond(written: str, ns: int) -> None:
    assert instant_ns(written, None) == ns


@pytest.mark.parametrize(
    ("number", "unit", "ns"),
    [(1.5, "s", 1_500_000_000), ("1.000001", "s", 1_000_001_000), (7, "ms", 7_000_000),
     (7, "us", 7_000), (7, "ns", 7), (1767225600.123456, "s", 1_767_225_600_123_456_000)],
)  # fmt: skip
def test_numbers_count_the_declared_unit(number: object, unit: str, ns: int) -> None:
    assert instant_ns(number, unit) == ns  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "written",
    ["2026-13-01T00:00:00Z", "2026-01-01", "2026-01-01T00:00:00", "now", "", "1e9999", "-5", True,
     None, float("nan"), float("inf"), "1969-12-31T23:59:59Z", "2300-01-01T00:00:00Z", [], 10**30],
)  # fmt: skip
def test_what_is_no_instant_is_unreadable(written: object) -> None:
    with pytest.raises(UnreadableError):
        instant_ns(written, "s")


def test_an_opaque_version_is_kept_short() -> None:
    assert text("v10") == "v10"
    assert len(text("x" * 1000)) == 32
    assert text("x" * 1000) != text("x" * 1001)


@pytest.mark.parametrize(
    ("path", "found"),
    [("$", {"a": [{"b c": 1}], "d-e": 2}), ("$.a[0]['b c']", 1), ("$.d-e", 2)],
)
def test_a_path_leads_to_one_place(path: str, found: object) -> None:
    assert JsonPath.parse(path).find({"a": [{"b c": 1}], "d-e": 2}) == found


@pytest.mark.parametrize("path", ["", "a", "$.", "$..a", "$.*", "$[*]", "$[-1]", "$[01]", "$.a b"])
def test_a_path_to_many_places_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="expected a path"):
        JsonPath.parse(path)


def test_the_digest_is_what_the_documentation_says() -> None:
    canonical = '["Tea",12.5,true,null,{"a":1,"b":"é"}]'.encode()
    expected = hashlib.blake2b(canonical, digest_size=16).hexdigest()
    assert digest(["Tea", 12.50, True, None, {"b": "é", "a": 1.0}]) == expected


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2**60, b"x", {1: 2}, "\ud800"])
def test_a_value_without_canonical_json_is_unreadable(value: object) -> None:
    with pytest.raises(UnreadableError):
        digest([value])
