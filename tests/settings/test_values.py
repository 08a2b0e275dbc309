"""Durations, rates, sizes, shares and addresses, as they are written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settings import Address, Duration, Percent, Rate, Size


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("0s", 0),
        ("300ms", 300_000_000),
        ("2s", 2_000_000_000),
        ("1.5s", 1_500_000_000),
        ("1m30s", 90_000_000_000),
        ("28d", 28 * 86_400_000_000_000),
        ("1h1us", 3_600_000_001_000),
    ],
)
def test_a_duration_is_read_exactly(text: str, ns: int) -> None:
    assert Duration.parse(text).ns == ns


@pytest.mark.parametrize(
    "text", ["", "2", "s", "2 s", "-1s", "1s1m", "1s1s", "1w", "999999d", "1e3s"]
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected a duration"):
        Duration.parse(text)


@given(st.integers(0, 2**63 - 1))
def test_a_duration_reads_back_what_it_writes(ns: int) -> None:
    assert Duration.parse(str(Duration(ns))).ns == ns


@pytest.mark.parametrize(
    ("text", "per_second"), [("50/s", 50.0), ("20/m", 1 / 3), ("9/h", 0.0025), ("0.5/s", 0.5)]
)
def test_a_rate_is_read(text: str, per_second: float) -> None:
    assert Rate.parse(text).per_second == pytest.approx(per_second)
    assert Rate.parse(str(Rate.parse(text))) == Rate.parse(text)


@pytest.mark.parametrize("text", ["0/s", "5", "5/d", "/s", "-5/s"])
def test_what_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected a rate"):
        Rate.parse(text)


@pytest.mark.parametrize(("text", "n"), [("512B", 512), ("64KiB", 65536), ("1MB", 10**6)])
def test_a_size_is_read(text: str, n: int) -> None:
    assert Size.parse(text).bytes == n


@given(st.integers(1, 2**40))
def test_a_size_reads_back_what_it_writes(n: int) -> None:
    assert Size.parse(str(Size(n))).bytes == n


@pytest.mark.parametrize("text", ["0B", "64", "64 KiB", "1kb", "-1B"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected a size"):
        Size.parse(text)


def test_a_share_is_exact() -> None:
    assert Percent.parse("99.9%").fraction == 0.999
    assert str(Percent.parse("99.9%")) == "99.9%"


@pytest.mark.parametrize("text", ["101%", "-1%", "70", "0.7", "%"])
def test_what_is_no_share_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected a share"):
        Percent.parse(text)


@pytest.mark.parametrize(
    ("text", "host", "port", "is_loopback"),
    [
        ("127.0.0.1:8080", "127.0.0.1", 8080, True),
        ("[::1]:80", "::1", 80, True),
        ("localhost:1", "localhost", 1, True),
        ("0.0.0.0:8080", "0.0.0.0", 8080, False),
        ("[::]:8080", "::", 8080, False),
        ("cache.internal:6379", "cache.internal", 6379, False),
    ],
)
def test_an_address_is_read(text: str, host: str, port: int, is_loopback: bool) -> None:
    address = Address.parse(text)
    assert (address.host, address.port, address.is_loopback) == (host, port, is_loopback)
    assert str(address) == text


@pytest.mark.parametrize("text", ["8080", "host", "host:", ":80", "::1:80", "h:99999", "a b:1"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected host:port"):
        Address.parse(text)
