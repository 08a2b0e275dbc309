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
NODES = ("eu-app-1", "eu-app-2", "eu-redis-1")
"""A kill each, while the node is partitioned."""
OUTAGE_S = 15.0


def test_the_store_survives_kill_9(shop: Lab, start_up: StartUp) -> None:
    store = shop.dir / "stalewatch.db"
    left_open: set[str] = set()
    for node in NODES:
        up = start_up(shop.config).ready()
        shop.inject("partitioned_node", node, OUTAGE_S)
        wait_until(partial(_has_open_finding, up, node), f"a finding at {node}")
        left_open = {finding["id"] for finding in up.items("findings?open=true")}
        up.end(signal.SIGKILL)
        counted = recount(store)
        assert counted.integrity == "ok"
        assert counted.problems == []
        assert counted.findings >= len(left_open) > 0
    last = start_up(shop.config).ready()
    wait_until(lambda: not last.items("findings?open=true"), "what was left open to heal", 60)
    states = {finding["id"]: finding["state"] for finding in last.items("findings")}
    assert {states[id] for id in left_open} <= {"healed", "healed-on-read"}
    assert last.end() == 0
    assert recount(store).problems == []


def _has_open_finding(up: Up, node: str) -> bool:
    return any(finding["node"] == node for finding in up.items("findings?open=true"))
