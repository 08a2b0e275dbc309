"""Links lead to the very view that they name, whatever a key is called."""

import pytest

from alerts.link import AROUND_NS, invalidation_link, key_link, overview_link
from dashboard.address import Address, parse
from tests.store.rows import S

NOW = 1_800_000_000 * S
ODD = ["42", "", ".", "..", "a/b c?d#e&f=g%2F", "<script>", "evil\r\nBcc: x", "é☕", "//host/x"]


def opened(link: str) -> Address:
    """What the dashboard makes of a link, whose range is absolute."""
    path, _, query = link.partition("?")
    address = parse("/", f"/{path}", f"?{query}")
    assert address is not None
    assert (address.since_ns, address.until_ns) == (NOW - AROUND_NS, NOW)
    return address


@pytest.mark.parametrize("key", ODD)
def test_a_key(key: str) -> None:
    address = opened(key_link("product", key, NOW))
    assert (address.page, address.keyspace, address.key) == ("key", "product", key)


@pytest.mark.parametrize("id", ODD)
def test_an_invalidation(id: str) -> None:
    address = opened(invalidation_link(id, NOW))
    assert (address.page, address.invalidation) == ("invalidation", id)


def test_the_overview_of_a_node() -> None:
    address = opened(overview_link({"layer": "edge", "node": "e 1"}, NOW))
    assert (address.page, address.layer, address.node) == ("overview", "edge", "e 1")
