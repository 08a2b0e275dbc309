"""kill -9 in mid-flight: nothing that the store holds comes apart, and the next `up` goes on."""

import signal
from functools import partial

import pytest

from lab.start import Lab
from tests.e2e.conftest import StartUp
from tests.e2e.recount import recount
from tests.e2e.running import Up
from tests.servers import wait_until

pytestmark = pytest.mark.serial
KILLS = 3
OUTAGE_S = 20.0


def test_the_store_survives_kill_9(shop: Lab, start_up: StartUp) -> None:
    store = shop.dir / "stalewatch.db"
    shop.inject("partitioned_node", "eu-app-1", OUTAGE_S)
    for number in range(KILLS):
        up = start_up(shop.config).ready()
        wait_until(partial(_has_seen_something, up), "a finding that is open")
        left_open = {finding["id"] for finding in up.items("findings?open=true")}
        up.end(signal.SIGKILL)
        counted = recount(store)
        assert counted.integrity == "ok"
        assert counted.problems == []
        assert counted.findings >= len(left_open) > 0, f"kill {number}"
    last = start_up(shop.config).ready()
    wait_until(lambda: not last.items("findings?open=true"), "what was left open to heal", 60)
    states = {finding["id"]: finding["state"] for finding in last.items("findings")}
    assert {states[id] for id in left_open} <= {"healed", "healed-on-read"}
    assert last.end() == 0
    assert recount(store).problems == []


def _has_seen_something(up: Up) -> bool:
    """Whether a finding of this process is written: its metrics count from its own start."""
    return bool(up.items("findings?open=true")) and up.metric(
        'stalewatch_verdicts_total{keyspace="product",layer="app",verdict="stale"}'
    ) >= 3  # fmt: skip
