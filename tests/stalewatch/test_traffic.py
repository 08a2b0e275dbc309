"""Traffic from a file and from an origin, until it weighs the reads that a store holds."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from collectors.journal import Ids
from freshness.rollup import Rollup
from freshness.strata import HOT, WALK
from freshness.traffic import Traffic
from stalewatch.clock import ObserverClock
from stalewatch.config import ConfigError, load
from stalewatch.config.model import TrafficSettings
from stalewatch.traffic import TrafficFeed
from stalewatch.wiring import Wiring, watch_all, wire
from store.sqlite import SqliteStore
from tests.servers import RedisServer
from tests.stalewatch.test_check import fill, shop

QUERY = '      query: "SELECT id'
BY_ORIGIN = (
    '      traffic_query: "SELECT id, version * 2 FROM product WHERE CAST(id AS INTEGER) < 4"\n'
    + QUERY
)
KEYS = "    keys: {range: {from: 1, to: 40}}"


def config_of(folder: Path, port: int, more: str, query: str = QUERY) -> Path:
    file = Path(shop(folder, port))
    file.write_text(file.read_text().replace(QUERY, query).replace(KEYS, f"{KEYS}\n{more}"))
    return file


@asynccontextmanager
async def watched(file: Path, store: SqliteStore) -> AsyncIterator[Wiring]:
    wiring = wire(load(file), ObserverClock())
    await watch_all(wiring, Ids(), store.write)
    yield wiring
    await wiring.close()


async def test_reads_are_weighted_by_the_file_which_is_read_again(
    tmp_path: Path, redis_server: RedisServer
) -> None:
    fill(redis_server, {f"product:{n}": '{"version": 3}' for n in range(1, 41)})
    traffic = tmp_path / "traffic.tsv"
    traffic.write_text("1\t610\n2\t10\n\n")
    more = (
        "    sample: {size: 20, random: 50%, recent: 0%, hot: 50%}\n"
        "    traffic: {file: traffic.tsv, others: 10}"
    )
    file, store = config_of(tmp_path, redis_server.port, more), SqliteStore()
    async with watched(file, store) as wiring:
        watch = wiring.watches["product"]
        for _ in range(4):
            await watch.run_round()
        await wiring.read_traffic()
        assert wiring.problems == {}
        traffic.write_text("1\tmany\n")
        await wiring.read_traffic()
        [problem] = wiring.problems.values()
        assert problem.endswith("traffic.tsv:1: expected a key and a number from 0 to 1e30")
        assert watch.sampler.knows_traffic
        traffic.write_text("3\t1\n")
        await wiring.read_traffic()
        assert wiring.problems == {}
        traffic.write_text("90\t1\n")
        await wiring.read_traffic()
        assert "names none of its keys" in next(iter(wiring.problems.values()))
    check_weights(by_stratum(store))
    store.close()


def by_stratum(store: SqliteStore) -> dict[str, Rollup]:
    found: dict[str, Rollup] = {}
    for key, cell in store.rollups("minute", 0, 2**62):
        found[key.stratum] = found.get(key.stratum, Rollup()) + cell
    return found


def check_weights(cells: dict[str, Rollup]) -> None:
    """A whole walk, worked out by hand: of all traffic 61 % is key 1's, 1 % each other's.

    A round reads a quarter of the keys, and draws ten times from keys 1 and 2, so that it reads
    key 1 for sure, key 2 by a probability of 0.25 + 0.75 (1 - (61/62)^10), others by one of 0.25.
    """
    assert cells.keys() == {WALK, HOT}
    walked, hot = cells[WALK].fresh, cells[HOT].fresh
    assert walked.n == 40
    assert 1 <= hot.n <= 4 * 2
    second = 0.25 + 0.75 * (1 - (61 / 62) ** 10)
    reads = 1.0 + second + 38 * 0.25
    weights = [reads * 0.61, reads * 0.01 / second, *[reads * 0.01 / 0.25] * 38]
    assert walked.weight == pytest.approx(sum(weights))
    assert walked.weight_squares == pytest.approx(sum(each * each for each in weights))


async def test_the_origin_tells_traffic(tmp_path: Path, redis_server: RedisServer) -> None:
    more = "    traffic: {origin: true}"
    file, store = config_of(tmp_path, redis_server.port, more, BY_ORIGIN), SqliteStore()
    async with watched(file, store) as wiring:
        assert wiring.problems == {}
        assert wiring.watches["product"].sampler.knows_traffic
        feed = TrafficFeed(TrafficSettings(origin=True))
        origin = wiring.watches["product"].origin
        assert await feed.news(origin) == Traffic({"1": 6.0, "2": 6.0, "3": 6.0}, None)
        assert await feed.news(origin) is None
    store.close()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1\t5\n1\t6\n", ":2: 1 is there twice"),
        ("1 5\n", ":1: expected a key and a number from 0 to 1e30"),
        ("1\tnan\n", ":1: expected a key and a number from 0 to 1e30"),
        ("1\t-1\n", ":1: expected a key and a number from 0 to 1e30"),
        ("1\t1e31\n", ":1: expected a key and a number from 0 to 1e30"),
        ("\t1\n", ":1: expected a key and a number from 0 to 1e30"),
        ("1\t\xff\n", ": not UTF-8"),
    ],
    ids=["twice", "no tab", "not a number", "negative", "huge", "no key", "other bytes"],
)
async def test_a_bad_file_is_told_with_its_line(
    tmp_path: Path, redis_server: RedisServer, text: str, said: str
) -> None:
    (tmp_path / "t").write_bytes(text.encode("latin-1"))
    file = config_of(tmp_path, redis_server.port, "    traffic: {file: t}")
    store = SqliteStore()
    async with watched(file, store) as wiring:
        [problem] = wiring.problems.values()
        assert problem.startswith("keyspace product: cannot read its traffic: ")
        assert problem.endswith(said)
    store.close()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("    sample: {hot: 30%, recent: 0%}", "expected `traffic` beside `sample.hot`"),
        ("    traffic: {origin: true}", "expected `origin.traffic_query` beside"),
        ("    traffic: {}", "expected one of file and origin"),
        ("    traffic: {file: nowhere.tsv}", "cannot read"),
        ("    sample: {hot: 30%}", "not 130%: they are 70%, 30% and 30%"),
        ("    sample: {method: walks}", "expected walk or random; did you mean walk?"),
    ],
    ids=["hot without", "no query", "no way", "no file", "shares", "method"],
)
def test_mistakes_are_told(tmp_path: Path, more: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(config_of(tmp_path, 1, more))
    assert said in str(caught.value)
