"""A fault on a real Redis fires an alert, through a restart, and its end resolves it."""

from collections.abc import Mapping
from typing import Any

import pytest

from lab.start import Lab
from tests.e2e.conftest import StartUp
from tests.e2e.running import Up
from tests.servers import wait_until

pytestmark = pytest.mark.serial
NODE = "eu-redis-1"
HELD_S = 20.0


def test_a_fault_fires_its_alert_which_a_restart_keeps_and_healing_resolves(
    shop: Lab, start_up: StartUp
) -> None:
    up = start_up(shop.config).ready()
    shop.inject("lost_invalidation", NODE, HELD_S)
    wait_until(lambda: _alert(up).get("state") == "firing", "the alert to fire", 30)
    firing = _alert(up)
    assert firing["labels"] == {"layer": "regional", "node": NODE}
    assert firing["value"] > 0
    assert any(line.startswith("product/") for line in firing["evidence"])
    assert up.end() == 0
    again = start_up(shop.config).ready()
    wait_until(lambda: _alert(again).get("state") == "resolved", "the alert to be resolved", 60)
    resolved = _alert(again)
    assert resolved["id"] == firing["id"]
    assert resolved["firing_since_ns"] == firing["firing_since_ns"]
    steps = [step["after"] for step in again.items(f"alerts/transitions?alert={firing['id']}")]
    assert steps[:2] == ["resolved", "firing"]
    assert steps.count("firing") == 1


def _alert(up: Up) -> Mapping[str, Any]:
    """That of the node's staleness, empty where there is none."""
    stale = [each for each in up.items("alerts") if each["rule"] == "regional-stale"]
    found = [alert for alert in stale if alert["labels"].get("node") == NODE]
    return found[0] if found else {}
