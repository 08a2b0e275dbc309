"""`check`, `probe`, `backup` and the API on a shop that runs."""

import json
from pathlib import Path

import pytest

from lab.start import Lab
from tests.e2e.conftest import StartUp
from tests.e2e.recount import recount
from tests.e2e.running import run
from tests.servers import wait_until

FINE, FOUND = 0, 1
NODES = {"eu-edge-1", "eu-redis-1", "eu-app-1", "eu-app-2"}


def test_check_finds_everybody(shared_shop: Lab) -> None:
    done = run("check", "-c", str(shared_shop.config), "--json")
    assert done.returncode == FINE, done.stderr
    told = json.loads(done.stdout)
    assert {one["name"] for one in told["servers"] if one["ok"]} == NODES | {"shop", "inbox"}
    (keyspace,) = told["keyspaces"]
    assert not keyspace["refused"]


@pytest.mark.serial
def test_probe_tells_a_stale_copy_by_its_exit_status(shop: Lab) -> None:
    config = str(shop.config)
    done = run("probe", "-c", config, "--json")
    assert done.returncode == FINE, done.stdout + done.stderr
    assert {row["node"] for row in json.loads(done.stdout)["nodes"]} == NODES
    shop.inject("lost_invalidation", "eu-app-1", 30.0)
    wait_until(lambda: shop.truth().faults, "the fault to begin")
    found = _probe_until_found(config)
    assert found["node"] == "eu-app-1"
    assert found["key"] in shop.truth().faults[0].keys
    assert not (shop.dir / "stalewatch.db").exists(), "probe stores nothing"


def _probe_until_found(config: str) -> dict[str, object]:
    """One round may come too soon after the write: the next proves it."""
    for _ in range(3):
        done = run("probe", "-c", config, "--keyspace", "product", "--json")
        findings: list[dict[str, object]] = json.loads(done.stdout)["findings"]
        assert done.returncode == (FOUND if findings else FINE)
        if findings:
            return findings[0]
    raise AssertionError("three rounds and no finding")


def test_a_backup_is_a_whole_store_while_up_writes(
    shared_shop: Lab, start_up: StartUp, tmp_path: Path
) -> None:
    up = start_up(shared_shop.config).ready()
    copy = tmp_path / "copy.db"
    done = run("backup", str(copy), "-c", str(shared_shop.config))
    assert done.returncode == FINE, done.stderr
    counted = recount(copy)
    assert (counted.integrity, counted.problems) == ("ok", [])
    again = run("backup", str(copy), "-c", str(shared_shop.config))
    assert again.returncode == 2
    assert not up.is_over


def test_scripts_are_answered(shared_shop: Lab, start_up: StartUp) -> None:
    up = start_up(shared_shop.config).ready()
    assert up.ask("healthz").json() == {"status": "alive"}
    assert up.ask("readyz").json() == {"status": "ready", "reasons": []}
    wait_until(lambda: up.items("freshness"), "a round to be stored")
    assert {node["node"] for node in up.items("nodes")} == NODES | {"shop"}
    assert up.items("findings") == []
    assert {item["node"] for item in up.items("coverage")} == NODES
    wait_until(lambda: up.items("counters?layer=regional"), "counters to be read")
    key = up.items("keys?keyspace=product")[0]["key"]
    assert up.ask(f"api/v1/keys/product/{key}").status_code == 200
    assert 'stalewatch_node_up{layer="regional",node="eu-redis-1"} 1.0' in up.ask("metrics").text
    assert "<title>" in up.ask("").text


def test_a_sweep_is_done_here_or_by_the_up_that_runs(shop: Lab, start_up: StartUp) -> None:
    config = str(shop.config)
    alone = run("sweep", "regional", "-c", config, "--json")
    assert alone.returncode == FINE, alone.stdout + alone.stderr
    here = json.loads(alone.stdout)
    assert (here["state"], here["total"]["wrong"]) == ("done", 0)
    assert here["total"]["right"] > 0
    up = start_up(shop.config).ready()
    beside = run("sweep", "regional", "-c", config)
    assert beside.returncode == FINE, beside.stdout + beside.stderr
    assert "done" in beside.stdout
    newest, first = up.items("sweeps")
    assert first["id"] == here["id"]
    assert (newest["state"], newest["total"]["wrong"]) == ("done", 0)


def test_a_layer_that_cannot_be_walked_says_so(shop: Lab) -> None:
    done = run("sweep", "edge", "-c", str(shop.config), "--json")
    assert done.returncode == FOUND
    assert "cannot list their keys" in json.loads(done.stdout)["why"]
    assert run("sweep", "moon", "-c", str(shop.config)).returncode == 2
