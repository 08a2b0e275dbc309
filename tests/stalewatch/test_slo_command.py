"""`stalewatch slo`: what a real promtool and a real Prometheus say of its files; OpenSLO files."""

import json
import re
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from typer.testing import CliRunner

from stalewatch.cli import app
from stalewatch.metrics import Metrics
from tests.servers import PrometheusServer
from tests.servers.promtool import promtool
from tests.servers.waiting import wait_until
from tests.stalewatch.config.configs import written
from tests.stalewatch.openslo.exported import CONFIG

RUNNER = CliRunner()
OBJECTIVES = """\
objectives:
  product-fresh: {keyspace: product, target: 99.9%, window: 28d, runbook: "http://r/{{x}}"}
  own: {target: 90%, window: 1d, alerting: {windows: [{long: 2h, short: 10m, burn: 5}]}}
  slices: {layer: edge, target: 99%, window: month, budgeting: {timeslices: 99%}}
"""
SHORT = """\
objectives:
  half-day: {keyspace: product, target: 99.9%, window: 12h}
  own: {target: 95%, window: 1d, alerting: {windows: [{long: 1h, short: 10m, burn: 5}]}}
"""


def run(*arguments: str | Path, status: int = 0) -> str:
    done = RUNNER.invoke(app, ["slo", *map(str, arguments)])
    assert done.exit_code == status, done.output
    return done.stdout


def files(folder: Path, objectives: str) -> tuple[Path, Path]:
    """The rule file and its tests."""
    config = written(folder, CONFIG + objectives)
    rules, tests = folder / "rules.yaml", folder / "tests.yaml"
    run("export", "-c", config, "--format", "prometheus", "--out", rules)
    run("export", "-c", config, "--format", "promtool", "--rules", "rules.yaml", "--out", tests)
    return rules, tests


def test_promtool_takes_the_rules_of_all_budgets_and_windows(tmp_path: Path) -> None:
    rules, _ = files(tmp_path, OBJECTIVES)
    assert "SUCCESS: 41 rules found" in promtool("check", "rules", rules)


def test_every_alert_fires_and_stays_silent_as_promtool_is_told(tmp_path: Path) -> None:
    rules, tests = files(tmp_path, SHORT)
    promtool("check", "rules", rules)
    assert "SUCCESS" in promtool("test", "rules", tests)
    # Each pair of windows, the spent budget and the loss of measurement are made to fire.
    given = YAML(typ="safe").load(tests)["tests"]
    fired = {
        json.dumps([check["alertname"], alert["exp_labels"]], sort_keys=True)
        for test in given
        for check in test["alert_rule_test"]
        for alert in check["exp_alerts"]
    }
    alerts = {
        json.dumps([rule["alert"], {"objective": named, **rule["labels"]}], sort_keys=True)
        for group in YAML(typ="safe").load(rules)["groups"]
        for named in [group["name"].removeprefix("stalewatch:")]
        for rule in group["rules"]
        if "alert" in rule
    }
    assert fired == alerts


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("> 5.0", "> 50.0", id="a threshold that is not the promised one"),
        pytest.param("unless on (objective)", "and on (objective)", id="absence resolves"),
        pytest.param("absent(", "absent_over_time(up[1m]) and absent(", id="absence is not told"),
    ],
)
def test_the_tests_see_rules_that_are_wrong(tmp_path: Path, old: str, new: str) -> None:
    one = SHORT.replace("  half-day: {keyspace: product, target: 99.9%, window: 12h}\n", "")
    rules, tests = files(tmp_path, one)
    text = rules.read_text()
    assert old in text
    rules.write_text(text.replace(old, new))
    with pytest.raises(AssertionError, match="FAILED"):
        promtool("test", "rules", tests)


def test_rules_ask_for_what_metrics_has(tmp_path: Path) -> None:
    rules, _ = files(tmp_path, OBJECTIVES)
    asked = set(re.findall(r"stalewatch_objective_\w+", rules.read_text()))
    declared = {name for names in Metrics().registry._collector_to_names.values() for name in names}
    assert asked <= declared
    assert len(asked) == 6


def test_a_prometheus_evaluates_the_rules(tmp_path: Path) -> None:
    rules, _ = files(tmp_path, OBJECTIVES)
    rules.write_text(rules.read_text().replace("interval: 1m", "interval: 1s"))
    server = PrometheusServer("global: {scrape_interval: 1s}\nrule_files: [rules.yaml]\n")
    (server.folder / "rules.yaml").write_text(rules.read_text())
    with server:

        def evaluated() -> bool:
            return all(rule["health"] == "ok" for rule in _rules(server))

        wait_until(evaluated, "every rule is evaluated and well")
        found = _rules(server)
    assert len(found) == 41
    assert {rule["lastError"] for rule in found if "lastError" in rule} <= {""}


def _rules(server: PrometheusServer) -> list[dict[str, Any]]:
    with urllib.request.urlopen(f"{server.url}/api/v1/rules", timeout=5) as answer:
        groups = json.load(answer)["data"]["groups"]
    return [rule for group in groups for rule in group["rules"]]


def test_openslo_there_and_back(tmp_path: Path) -> None:
    config = written(tmp_path, CONFIG + OBJECTIVES)
    out = tmp_path / "slo.yaml"
    told = RUNNER.invoke(app, ["slo", "export", "-c", str(config), "--out", str(out)])
    assert told.exit_code == 0
    assert "objective own: alerting.windows: a condition has one look-back" in told.stderr
    assert out.read_text().startswith("# What could not be carried:\n# - objective product-fresh: ")
    back = json.loads(run("import", out, "--json", status=1))
    assert list(back["objectives"]) == ["product-fresh", "own", "slices"]
    assert all(each["line"] > 0 for each in back["not_carried"])
    section = run("import", out, status=1)
    again = written(tmp_path, CONFIG + section)
    assert run("export", "-c", again) == run("export", "-c", config)


def test_what_is_no_document_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "slo.yaml"
    file.write_text("apiVersion: openslo/v1\nkind: SLA\n")
    done = RUNNER.invoke(app, ["slo", "import", str(file)])
    assert done.exit_code == 2
    assert f"{file}:2:7: kind: expected one of DataSource" in done.stderr


def test_a_config_without_objectives_has_nothing_to_export(tmp_path: Path) -> None:
    config = written(tmp_path, CONFIG)
    done = RUNNER.invoke(app, ["slo", "export", "-c", str(config)])
    assert done.exit_code == 2
    assert "there are no objectives" in done.stderr
