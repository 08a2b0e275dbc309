"""Objectives in the words of others: real promtool and a real Prometheus take the rules."""

import json
import re
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from typer.testing import CliRunner

from freshness.burn import fit
from stalewatch.cli import app
from stalewatch.config import load
from stalewatch.config.objective_specs import make_specs
from stalewatch.metrics import Metrics
from tests.servers import wait_until
from tests.servers.prometheus import PrometheusServer
from tests.stalewatch.config.configs import bent

HEARING = bent('"127.0.0.1:8080"}', '"127.0.0.1:8080", otlp: {}}')
OBJECTIVES = """
objectives:
  product-fresh:
    keyspace: product
    description: Shoppers see a price at most 2 s old
    runbook: https://wiki.test/fresh
    max_staleness: 2s
    target: 99.9%
    window: 28d
  Edge.Slow: {layer: edge, target: 90%, window: month, time_zone: Europe/Berlin, budgeting: \
{timeslices: 99%}}
  told:
    indicator: propagation-claimed
    target: 99%
    window: 7d
    alerting: {spent: 50%, least_bad: 5, windows: [{long: 2h, short: 10m, burn: 5, \
severity: ticket}]}
"""


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("slo") / "stalewatch.yaml"
    file.write_text(HEARING + OBJECTIVES)
    return file


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A config with one objective."""
    file = tmp_path_factory.mktemp("one") / "stalewatch.yaml"
    file.write_text(HEARING + OBJECTIVES.partition("  Edge.Slow")[0])
    return file


def promtool(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["promtool", *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def exported(config: Path, folder: Path, form: str, name: str) -> Path:
    out = folder / name
    words = ["slo", "export", "-c", str(config), "--format", form, "--out", str(out)]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.stderr
    return out


def test_promtool_takes_the_rules_and_every_test_of_them_passes(
    config: Path, tmp_path: Path
) -> None:
    exported(config, tmp_path, "prometheus", "stalewatch.rules.yml")
    tests = exported(config, tmp_path, "promtool", "tests.yml")
    assert "SUCCESS: 37 rules found" in promtool(tmp_path, "check", "rules", "stalewatch.rules.yml")
    assert "SUCCESS" in promtool(tmp_path, "test", "rules", "tests.yml")
    specs = make_specs(load(config))
    pairs = sum(len(fit(spec.objective, spec.rules.pairs).pairs) for spec in specs)
    listed = YAML(typ="safe").load(tests.read_text())["tests"]
    fires = [each for each in listed if "both burn" in each["name"]]
    held = [each for each in listed if "held without data" in each["name"]]
    assert (len(fires), len(held)) == (pairs, pairs)


def test_rules_ask_for_what_metrics_has(config: Path, tmp_path: Path) -> None:
    rules = exported(config, tmp_path, "prometheus", "stalewatch.rules.yml")
    asked = set(re.findall(r"stalewatch_objective_\w+", rules.read_text()))
    declared = {name for names in Metrics().registry._collector_to_names.values() for name in names}
    assert asked <= declared
    assert {name for name in asked if name.endswith("_total")} == {
        "stalewatch_objective_events_total",
        "stalewatch_objective_events_bad_total",
    }


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("> 14.4", "> 1000", id="a threshold"),
        pytest.param("unless on", "and on", id="absence resolves"),
        pytest.param("absent(", "absent_over_time(up[1m]) and absent(", id="absence is not told"),
        pytest.param("time() -", "0 *", id="one that hangs is not told"),
        pytest.param("/ 0.001", "/ 0.01", id="a budget"),
    ],
)
def test_a_rule_that_is_bent_fails_its_tests(one: Path, tmp_path: Path, old: str, new: str) -> None:
    rules = exported(one, tmp_path, "prometheus", "stalewatch.rules.yml")
    exported(one, tmp_path, "promtool", "tests.yml")
    assert old in rules.read_text()
    rules.write_text(rules.read_text().replace(old, new))
    done = subprocess.run(
        ["promtool", "test", "rules", "tests.yml"], cwd=tmp_path, capture_output=True, check=False
    )
    assert done.returncode != 0


def test_a_real_prometheus_loads_the_rules(config: Path, tmp_path: Path) -> None:
    rules = exported(config, tmp_path, "prometheus", "stalewatch.rules.yml")
    server = PrometheusServer(
        "global: {evaluation_interval: 1s}\nrule_files: [stalewatch.rules.yml]\n"
    )
    often = rules.read_text().replace("interval: 1m", "interval: 1s")
    (server.folder / rules.name).write_text(often)
    with server:

        def loaded() -> list[dict[str, Any]]:
            with urllib.request.urlopen(f"{server.url}/api/v1/rules", timeout=10) as answer:
                groups = json.load(answer)["data"]["groups"]
            told = [rule for group in groups for rule in group["rules"]]
            return told if all(rule["health"] != "unknown" for rule in told) else []

        wait_until(loaded, "every rule was evaluated", 60)
        told = loaded()
    assert len(told) == 37
    assert {rule["health"] for rule in told} == {"ok"}
    pending = {rule["name"] for rule in told if rule.get("state") == "pending"}
    assert pending == {"StalewatchNotMeasured"}  # there is no Stalewatch to scrape
