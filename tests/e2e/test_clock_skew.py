"""A clock that the shop sets wrong is bounded by the receipts of its node, and no other is."""

import time
from collections.abc import Mapping
from contextlib import closing

import pytest

from freshness.clock_skew import Skew
from lab.start import Lab
from store.clocks import Clocks, Lifetimes
from store.sqlite import SqliteStore
from tests.e2e.conftest import StartUp
from tests.servers import wait_until

pytestmark = pytest.mark.serial
SKEWED = "eu-app-1"
HELD_S = 40.0
SETTLED_S = 15.0
"""Into the fault: receipts by the wrong clock came before and come after."""
AROUND_NS = 120 * 10**9


def _skews(store: SqliteStore, at_ns: int) -> Mapping[str, Skew | None]:
    """What bounds the clock of each node around an instant."""
    now_ns = time.time_ns()
    clocks = Clocks(store, now_ns)
    around = store.invalidations(at_ns - AROUND_NS, now_ns, limit=600).items
    return {
        node.node: clocks.skew_of(node, around, at_ns, Lifetimes(), "product")
        for node in store.nodes()
        if node.layer
    }


def test_a_clock_that_is_off_is_bounded_and_others_are_not_called_so(
    shop: Lab, start_up: StartUp
) -> None:
    start_up(shop.config).ready()
    id = shop.inject("clock_skew", SKEWED, HELD_S)
    wait_until(lambda: any(each.id == id for each in shop.truth().faults), "the fault to begin")
    (fault,) = (each for each in shop.truth().faults if each.id == id)
    at_ns = round((fault.start_s + SETTLED_S) * 1e9)
    with closing(SqliteStore(str(shop.dir / "stalewatch.db"))) as store:

        def is_off() -> bool:
            skew = _skews(store, at_ns)[SKEWED]
            return skew is not None and skew.is_off is True

        wait_until(is_off, "receipts to bound the clock", HELD_S + 20)
        skews = _skews(store, at_ns)
        skew = skews[SKEWED]
        assert skew is not None
        assert skew.lower <= fault.wrong["offset_s"] * 1e9 <= skew.upper
        right = [each for name, each in skews.items() if each is not None and name != SKEWED]
        assert right, "no other clock was bounded: this shows nothing"
        assert not any(each.is_off for each in right)
