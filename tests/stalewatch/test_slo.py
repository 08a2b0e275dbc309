"""Objectives in the words of others: real promtool and a real Prometheus take the rules."""

import json
import re
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from ruamel.yaml import YAML
from typer.testing import CliRunner

from freshness.burn import fit
from freshness.model import Verdict
from freshness.rollup import Reads, Rollup, RollupKey
from stalewatch.cli import app
from stalewatch.config import load
from stalewatch.config.objective_specs import make_specs
from stalewatch.metrics import Metrics
from stalewatch.slo.rules import BURNS, rule_groups
from stalewatch.yaml_text import yaml_text
from store.base import Batch
from store.sqlite import SqliteStore
from tests.dashboard.seed_objectives import SPECS, S, seed_objectives
from tests.servers import wait_until
from tests.servers.prometheus import PrometheusServer
from tests.stalewatch.config.configs import bent
from tests.stalewatch.serving import NOW, make_app, served

SETTLED = NOW - NOW % (60 * S)

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
    with prometheus_with(rules.read_text()) as server:

        def loaded() -> list[dict[str, Any]]:
            groups = asked(server, "rules")["groups"]
            told = [rule for group in groups for rule in group["rules"]]
            return told if all(rule["health"] != "unknown" for rule in told) else []

        wait_until(loaded, "every rule was evaluated", 60)
        told = loaded()
    assert len(told) == 37
    assert {rule["health"] for rule in told} == {"ok"}
    pending = {rule["name"] for rule in told if rule.get("state") == "pending"}
    assert pending == {"StalewatchNotMeasured"}  # there is no Stalewatch to scrape


def test_a_real_prometheus_fires_on_what_it_scrapes_and_holds_without_data() -> None:
    store, metrics = SqliteStore(":memory:"), Metrics()
    objectives = seed_objectives(store, SETTLED)
    calm = [objectives.status(spec.name, SETTLED) for spec in SPECS]
    burn(store, hours=1)
    objectives.turn(SETTLED)
    rules = yaml_text([rule_groups(SPECS)])
    with (
        served(make_app(store, lambda: SETTLED, metrics=metrics)) as port,
        prometheus_with(rules, port) as server,
    ):

        def page() -> str:
            """The state of the page for product-fresh, empty where it does not fire."""
            wanted = {"alertname": BURNS, "objective": "product-fresh", "severity": "page"}
            states = [
                each["state"]
                for each in asked(server, "alerts")["alerts"]
                if wanted.items() <= each["labels"].items()
            ]
            return "".join(states)

        def scraped(metric: str) -> int:
            found = asked(server, f'query?query={metric}{{objective="product-fresh"}}')
            return len(found["result"])

        metrics.objectives.follow(objectives.statuses(SETTLED))
        wait_until(lambda: page() == "firing", "the page to fire", 30)
        metrics.objectives.follow([])
        wait_until(lambda: not scraped("stalewatch_objective_burn_rate"), "nothing is told", 30)
        evaluations = evaluated(server)
        wait_until(lambda: evaluated(server) > evaluations, "the rules to be looked at", 30)
        assert page() == "firing"
        metrics.objectives.follow([each for each in calm if each is not None])
        wait_until(lambda: not page(), "the page to end", 30)
    store.close()


def burn(store: SqliteStore, hours: int) -> None:
    """Most reads of product were stale in the hours that end at SETTLED."""
    stale = Rollup()
    stale.add(Reads(Verdict.STALE, 5 * S, 6 * S, n=900))
    until_s = SETTLED // S
    starts = range(until_s - hours * 3_600, until_s, 60)
    store.write(
        Batch(
            rollups={
                RollupKey(start, "product", "edge", "e1", "walk", 2 * S, "d"): stale
                for start in starts
            }
        )
    )


@contextmanager
def prometheus_with(rules: str, port: int | None = None) -> Iterator[PrometheusServer]:
    """A Prometheus that evaluates rules each second, and scrapes a port of this machine."""
    targets = f'[{{targets: ["127.0.0.1:{port}"]}}]'
    scrapes = f"[{{job_name: stalewatch, static_configs: {targets}}}]" if port else "[]"
    server = PrometheusServer(
        "global: {evaluation_interval: 1s, scrape_interval: 1s}\n"
        f"rule_files: [stalewatch.rules.yml]\nscrape_configs: {scrapes}\n"
    )
    often = rules.replace("interval: 1m", "interval: 1s")
    (server.folder / "stalewatch.rules.yml").write_text(often)
    with server:
        yield server


def asked(server: PrometheusServer, what: str) -> dict[str, Any]:
    """The data of an answer."""
    url = f"{server.url}/api/v1/{quote(what, safe='/?=')}"
    with urllib.request.urlopen(url, timeout=10) as answer:
        found: dict[str, Any] = json.load(answer)["data"]
        return found


def evaluated(server: PrometheusServer) -> str:
    """When the rules of product-fresh were last looked at."""
    groups = asked(server, "rules")["groups"]
    return str(next(g["lastEvaluation"] for g in groups if g["name"].endswith("product-fresh")))
