"""Taps in a config file, in `check`, and under `up`."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from collectors.taps.kinds import TAPS
from settings import Address
from stalewatch.cli.check import _grants
from stalewatch.config import ConfigError
from stalewatch.service import Service
from stalewatch.tapping import open_taps
from store.sqlite import SqliteStore
from tests.servers import eventually, free_port
from tests.stalewatch.taps.buses import BUSES, Bus, RedisPubsub, message
from tests.stalewatch.taps.site import EVER, config_of

REDIS = {"host": "127.0.0.1", "port": 1}
POSTGRES = {"kind": "postgresql-listen", "channels": ["inv"]}


def test_every_kind_is_tested_against_its_server() -> None:
    assert {bus.kind for bus in BUSES} == set(TAPS)
    assert {bus.kind: bus.resumes for bus in BUSES} == {k: v.resumes for k, v in TAPS.items()}


@pytest.mark.parametrize(
    ("tap", "told"),
    [
        pytest.param({"kind": "kafka"}, "taps.bus.kind", id="a kind that is none"),
        pytest.param({"kind": "redis-pubsub", **REDIS}, "channels or patterns", id="no channel"),
        pytest.param(
            {**POSTGRES, "url": "postgresql://u:secret@h/d"}, "no password", id="a password"
        ),
        pytest.param(
            {"kind": "nats", "url": "nats://u@h", "subjects": ["x"]}, "without a user", id="a user"
        ),
        pytest.param(
            {
                **{"kind": "redis-stream", **REDIS, "stream": "x"},
                "message": {"keyspace": "produkt", "key": "$.id"},
            },
            "no such entry in keyspaces",
            id="a keyspace that is none",
        ),
        pytest.param(
            {"kind": "redis-keyspace", **REDIS, "keyspace": "product", "key": "x", "node": "n"},
            "{key}",
            id="a key without its place",
        ),
    ],
)
def test_mistakes_are_told(tap: dict[str, Any], told: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        config_of(tmp_path, {"bus": tap})
    assert told in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("kind", BUSES, ids=lambda kind: kind.kind)
async def test_check_says_who_does_not_answer(kind: type[Bus], tmp_path: Path) -> None:
    section = kind.section(kind(), free_port())
    config = config_of(tmp_path, {"bus": section})
    health = await open_taps(config)["bus"].check()
    assert not health.ok
    assert "refused" in health.problem
    assert "PASSWORD" in _grants(config)["tap bus"]


async def test_up_listens_to_its_taps(tmp_path: Path) -> None:
    bus = RedisPubsub()
    with bus.server as server:
        config = config_of(tmp_path, {"bus": bus.section()})
        store = SqliteStore()
        service = Service(config, store, listen=Address("127.0.0.1", free_port()))
        serving = asyncio.create_task(service.serve())
        try:
            await eventually(lambda: server.client.pubsub_numsub("inv")[0][1] == 1, "it listens")
            bus.say_raw(message(1))
            await eventually(lambda: store.invalidations(0, EVER).items, "it is stored")
        finally:
            service.stop()
            await serving
        place = store.place("bus")
        assert place is not None
        assert place.sure_until_ns > 0
