"""Addresses: what is written is what is read, whatever the key."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.address import Address, parse

S = 1_000_000_000
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
ADDRESSES = st.builds(
    Address,
    page=st.just("key"),
    keyspace=st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(
        lambda text: text not in {".", ".."}
    ),
    key=TEXT,
    range=st.sampled_from(["15m", "1h", "6h", "24h", "7d"]),
    layer=st.none() | st.text("abcß/ &=", min_size=1),
    node=st.none() | st.text("abc%+?#", min_size=1),
    only_keyspace=st.none() | st.just("product"),
    read=st.none() | st.integers(0, 10**17),
    search=TEXT,
)


@given(ADDRESSES, st.sampled_from(["/", "/ops/stalewatch/"]))
def test_an_address_survives_its_own_writing(address: Address, prefix: str) -> None:
    path, _, query = address.href(prefix).partition("?")
    assert parse(prefix, path, query) == address


@given(TEXT, st.sampled_from(["/", "/ops/stalewatch/"]))
def test_any_id_of_an_invalidation_survives_its_own_writing(id: str, prefix: str) -> None:
    address = Address(page="invalidation", invalidation=id, range="6h")
    path, _, query = address.href(prefix).partition("?")
    assert parse(prefix, path, query) == address


@pytest.mark.parametrize("page", ["invalidations", "nodes", "alerts"])
def test_a_page_of_a_list_survives_its_own_writing(page: str) -> None:
    address = Address(page=page, layer="edge")
    path, _, query = address.href("/p/").partition("?")
    assert parse("/p/", path, query) == address


@given(st.text(), st.text())
def test_no_hand_edited_address_is_an_error(path: str, query: str) -> None:
    read = parse("/", path, query)
    assert read is None or read.window(10**18).since_ns < read.window(10**18).until_ns


def test_an_absolute_window_stays_where_it_is() -> None:
    address = Address().at(1_000 * S, 2_000 * S)
    assert address.query() == "?from=1970-01-01T00%3A16%3A40.000&to=1970-01-01T00%3A33%3A20.000"
    assert parse("/", "/", address.query()) == address
    assert address.window(9 * 10**18).since_ns == 1_000 * S


def test_a_window_that_ends_now_holds_now() -> None:
    window = Address(range="6h").window(10_003 * S + 1)
    assert window.since_ns <= window.until_ns - 21_600 * S
    assert window.until_ns >= 10_003 * S + 1


@pytest.mark.parametrize("path", ["/x", "/key/a/b/c", "/keys"])
def test_what_is_no_page_is_none(path: str) -> None:
    assert parse("/", path, "") is None


def test_a_key_page_drops_the_filters_that_could_hide_its_lanes() -> None:
    address = Address(layer="edge", node="n", only_keyspace="other", range="6h", search="x")
    assert address.key_page("k", "a/b").href("/p/") == "/p/key/k/a%2Fb?range=6h"
