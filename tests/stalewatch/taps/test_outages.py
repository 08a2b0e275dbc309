"""What each kind of tap hears before, during and after an outage, and what its gap says."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from store.gaps import GapRow
from store.sqlite import SqliteStore
from tests.servers import Relay, eventually
from tests.stalewatch.taps.buses import BUSES, Bus
from tests.stalewatch.taps.site import Site, config_of, listening


@pytest.fixture(params=BUSES, ids=lambda kind: kind.kind)
async def bus(request: pytest.FixtureRequest) -> AsyncIterator[Bus]:
    bus: Bus = request.param()
    with bus.server:
        await bus.prepare()
        yield bus


def check(bus: Bus, site: Site, lost_at_ns: int) -> None:
    """The second of three messages was said while nobody listened."""
    said = [1, 2, 3] if bus.resumes else [1, 3]
    if bus.has_versions:
        assert site.versions() == said
    else:
        assert [row.keys for row in site.rows()] == [(str(version),) for version in said]
    gaps = site.gaps()
    if bus.resumes:
        assert gaps == []
    else:
        [gap] = gaps
        assert gap.until_ns is not None
        assert gap.since_ns <= lost_at_ns < gap.until_ns


def open_gaps(site: Site) -> list[GapRow]:
    return [gap for gap in site.gaps() if gap.until_ns is None]


async def test_a_wire_is_cut_and_mended(bus: Bus, tmp_path: Path) -> None:
    store = SqliteStore()
    async with Relay(bus.server.port) as relay:
        config = config_of(tmp_path, {"bus": bus.section(relay.port)})
        async with listening(store, config) as site:
            await bus.say(1)
            await site.hears(1)
            await relay.cut()
            await eventually(lambda: open_gaps(site), "the gap is told while it goes on", 30)
            assert not site.is_connected
            await bus.say(2)
            lost_at_ns = time.time_ns()
            await relay.mend()
            await eventually(lambda: site.is_connected, "the tap listens again", 30)
            await bus.say(3)
            await site.hears(3 if bus.resumes else 2)
            await eventually(lambda: not open_gaps(site), "the gap is over", 30)
            check(bus, site, lost_at_ns)


async def test_stalewatch_is_stopped_and_started(bus: Bus, tmp_path: Path) -> None:
    store = SqliteStore()
    config = config_of(tmp_path, {"bus": bus.section()})
    async with listening(store, config) as site:
        assert site.gaps() == []
        await bus.say(1)
        await site.hears(1)
    await bus.say(2)
    lost_at_ns = time.time_ns()
    async with listening(store, config) as site:
        await bus.say(3)
        await site.hears(3 if bus.resumes else 2)
        await eventually(lambda: not open_gaps(site), "the gap is over", 30)
        check(bus, site, lost_at_ns)


async def test_nobody_answers_at_the_first_start(bus: Bus, tmp_path: Path) -> None:
    """There is no place to go on from yet, so what is said meanwhile is lost to every kind."""
    relay = Relay(bus.server.port)
    config = config_of(tmp_path, {"bus": bus.section(relay.port)})
    async with listening(SqliteStore(), config, waits=False) as site:
        await eventually(lambda: open_gaps(site), "the gap is told while it goes on", 30)
        await bus.say(1)
        lost_at_ns = time.time_ns()
        async with relay:
            await eventually(lambda: site.is_connected, "the tap listens", 30)
            await bus.say(2)
            await site.hears(1)
            await eventually(lambda: not open_gaps(site), "the gap is over", 30)
            [gap] = site.gaps()
            assert gap.since_ns <= lost_at_ns < (gap.until_ns or 0)


async def test_the_server_is_killed_and_comes_back(bus: Bus, tmp_path: Path) -> None:
    store = SqliteStore()
    config = config_of(tmp_path, {"bus": bus.section()})
    async with listening(store, config) as site:
        await bus.say(1)
        await site.hears(1)
        bus.server.kill()
        dead_at_ns = time.time_ns()
        await eventually(lambda: open_gaps(site), "the gap is told while it goes on", 30)
        await asyncio.to_thread(bus.server.start)
        await eventually(lambda: site.is_connected, "the tap listens again", 30)
        await bus.say(3)
        await site.hears(2)
        await eventually(lambda: not open_gaps(site), "the gap is over", 30)
        if bus.has_versions:
            assert site.versions() == [1, 3]
        gaps = site.gaps()
        assert len(gaps) == (not bus.resumes)
        assert all(gap.since_ns <= dead_at_ns < (gap.until_ns or 0) for gap in gaps)


async def test_a_server_that_hangs_is_noticed(bus: Bus, tmp_path: Path) -> None:
    store = SqliteStore()
    config = config_of(tmp_path, {"bus": bus.section(read_timeout="1s")})
    async with listening(store, config) as site:
        bus.server.pause()
        hung_at_ns = time.time_ns()
        try:
            await eventually(lambda: open_gaps(site), "the gap is told while it goes on", 30)
            assert open_gaps(site)[0].since_ns <= hung_at_ns
        finally:
            bus.server.resume()
        await eventually(lambda: site.is_connected, "the tap listens again", 30)
        await bus.say(1)
        await site.hears(1)
