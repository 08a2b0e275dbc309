"""HTTP caches under watch: copies past their time, pools, and Ages that only repeat."""

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from collectors.base import Keyspace
from collectors.http import PAST_ITS_TIME
from collectors.http_age import Ages
from collectors.journal import Ids, NodeSettings
from collectors.origin_http import HttpOriginBinding, HttpOriginOptions, HttpOriginServer
from collectors.sample import Sampler
from collectors.watch import Watch, WatchSettings
from freshness.model import Order, Value
from stalewatch.clock import ObserverClock
from store.sqlite import SqliteStore
from tests.collectors.test_cdn_recorded import connect as connect_cdn
from tests.collectors.test_varnish import BY_HEADER, Shop, read_one, shop
from tests.collectors.web import Answer, Asked, serving
from tests.servers import eventually

PRODUCT = Keyspace("product")
SECOND = 10**9
FAR_NS = 2**63 - 1


@asynccontextmanager
async def watching(it: Shop, max_staleness_ns: int) -> AsyncIterator[tuple[Watch, SqliteStore]]:
    """The shop's origin and its Varnish under watch."""
    clock, store = ObserverClock(), SqliteStore()
    url = f"http://127.0.0.1:{it.origin_port}"
    options = HttpOriginOptions.model_validate({"url": url, "linearizable": True})
    origin = HttpOriginServer(options, clock.now_ns)
    binding = HttpOriginBinding.model_validate(
        {"path": "/o/{key}", "version": {"header": "X-Version"}}
    )
    settings = WatchSettings("product", Order.COUNTER, interval_ns=SECOND, origin_name="shop")
    source = origin.open(binding, PRODUCT)
    watch = Watch(settings, source, Sampler(["1"], 10), clock, Ids(), store.write)
    node = it.probe()
    watch.add_node(
        NodeSettings("edge", "v1", "eu", "varnish", "", "purge", max_staleness_ns),
        node.open(BY_HEADER, PRODUCT),
    )
    yield watch, store
    await watch.close()
    await origin.close()
    await node.close()
    store.close()


def asked_by_varnish(it: Shop) -> int:
    return sum(one.path.startswith("/p/") for one in it.asked)


async def in_grace(it: Shop) -> None:
    """Version 1 is in the cache, past its time, and version 2 at the origin."""
    it.cache_control = "max-age=1, stale-while-revalidate=600"
    it.user("/p/1")
    node = it.probe()

    async def is_past() -> bool:
        return (await read_one(node)).why == PAST_ITS_TIME

    await eventually(is_past, "the object is in grace", 20)
    await node.close()


@pytest.mark.parametrize(
    ("max_staleness_ns", "is_found"),
    [
        pytest.param(SECOND // 4, True, id="permission past the promise is no excuse"),
        pytest.param(3600 * SECOND, False, id="within the promise it is no fault"),
    ],
)
async def test_a_copy_past_its_time_is_judged_by_the_promise_of_its_layer(
    tmp_path: Path, max_staleness_ns: int, is_found: bool
) -> None:
    with shop(tmp_path) as it:
        await in_grace(it)
        async with watching(it, max_staleness_ns) as (watch, store):
            await watch.run_round()
            it.version = 2

            async def is_confirmed() -> bool:
                await watch.run_round()
                return any(row.state == "confirmed" for row in store.findings().items)

            if is_found:
                await eventually(is_confirmed, "a confirmed finding", 20)
                assert {row.why for row, _ in store.reads()} == {PAST_ITS_TIME}
            else:
                for _ in range(3):
                    await watch.run_round()
                assert not store.findings().items
            assert asked_by_varnish(it) == 1


@pytest.mark.parametrize("is_pool", [True, False])
async def test_a_declared_pool_never_restarts(tmp_path: Path, is_pool: bool) -> None:
    places = itertools.cycle(("SJC", "FRA"))

    def answer(_: Asked) -> Answer:
        return 200, {"X-Version": "1", "CF-Cache-Status": "HIT", "CF-Ray": f"7-{next(places)}"}, b""

    with shop(tmp_path) as it, serving(answer) as web:
        async with watching(it, SECOND) as (watch, store):
            cdn = connect_cdn(web.port, "cloudflare")
            settings = NodeSettings("cdn", "c1", "", "cdn", "", "purge", SECOND, is_pool=is_pool)
            node = watch.add_node(settings, cdn.open(BY_HEADER, PRODUCT))
            for _ in range(2):
                await watch.run_round()
            await watch.extend()
            spans = store.spans("product", "1", 0, FAR_NS)
            assert node.identity == "FRA"
            assert node.findings.is_pool is is_pool
            assert sum(span.layer == "cdn" for span in spans) == (1 if is_pool else 2)
            await cdn.close()


A, B = Value(1), Value(2)


@pytest.mark.parametrize(
    ("said", "trusted"),
    [
        pytest.param([("k", A, 5, 0)], [True], id="one alone is believed"),
        pytest.param([("k", A, 5, 0), ("k", A, 9, 4)], [True, True], id="it is counted"),
        pytest.param([("k", A, 5, 0), ("k", A, 5, 2)], [True, True], id="whole seconds"),
        pytest.param([("k", A, 5, 0), ("k", A, 5, 3)], [True, False], id="it stands still"),
        pytest.param(
            [("k", A, 5, 0), ("k", A, 5, 2), ("k", A, 5, 4)], [True, True, False],
            id="it stands still, read often",
        ),
        pytest.param(
            [("k", A, 5, 0), ("k", A, 5, 3), ("j", A, 7, 3)], [True, False, False],
            id="no other key of the node is believed then",
        ),
        pytest.param(
            [("k", A, 5, 0), ("k", A, 5, 3), ("k", B, 0, 4), ("k", B, 3, 7)],
            [True, False, False, True], id="until one is counted",
        ),
        pytest.param(
            [("k", A, 5, 0), ("k", A, 5, 3), ("k", A, 90, 4)], [True, False, False],
            id="a jump is no counting",
        ),
    ],
)  # fmt: skip
def test_an_age_that_stands_still_is_not_believed(
    said: list[tuple[str, Value, int, int]], trusted: list[bool]
) -> None:
    ages = Ages()
    assert [ages.is_trusted(k, value, age, at * SECOND) for k, value, age, at in said] == trusted


def test_few_keys_are_remembered() -> None:
    ages = Ages(remembered_keys=10)
    for number in range(1000):
        ages.is_trusted(str(number), A, 5, 0)
    assert len(ages._last) == 10
