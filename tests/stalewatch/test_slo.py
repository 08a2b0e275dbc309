"""Objectives in the words of others: real promtool and a real Prometheus take the rules."""

import json
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from freshness.burn import fit
from stalewatch.config import ConfigError, load
from stalewatch.config.objective_specs import make_specs, spec_of
from stalewatch.slo import openslo, openslo_import
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


def slo(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("stalewatch")
    return subprocess.run([program, "slo", *arguments], capture_output=True, text=True, check=False)


def promtool(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["promtool", *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def exported(config: Path, folder: Path, form: str, name: str) -> Path:
    out = folder / name
    done = slo("export", "-c", str(config), "--format", form, "--out", str(out))
    assert done.returncode == 0, done.stderr
    return out


def test_promtool_takes_the_rules_and_every_test_of_them_passes(
    config: Path, tmp_path: Path
) -> None:
    exported(config, tmp_path, "prometheus", "stalewatch.rules.yml")
    tests = exported(config, tmp_path, "promtool", "tests.yml")
    assert "SUCCESS: 11 rules found" in promtool(tmp_path, "check", "rules", "stalewatch.rules.yml")
    assert "SUCCESS" in promtool(tmp_path, "test", "rules", "tests.yml")
    specs = make_specs(load(config))
    pairs = sum(len(fit(spec.objective, spec.rules.pairs).pairs) for spec in specs)
    listed = YAML(typ="safe").load(tests.read_text())["tests"]
    fires = [each for each in listed if "both burn" in each["name"]]
    held = [each for each in listed if "held without data" in each["name"]]
    assert (len(fires), len(held)) == (pairs, pairs)


def test_a_rule_that_is_bent_fails_its_tests(config: Path, tmp_path: Path) -> None:
    rules = exported(config, tmp_path, "prometheus", "stalewatch.rules.yml")
    exported(config, tmp_path, "promtool", "tests.yml")
    rules.write_text(rules.read_text().replace("> 14.4", "> 1000"))
    done = subprocess.run(
        ["promtool", "test", "rules", "tests.yml"], cwd=tmp_path, capture_output=True, check=False
    )
    assert done.returncode != 0


def test_a_real_prometheus_loads_the_rules(config: Path, tmp_path: Path) -> None:
    rules = exported(config, tmp_path, "prometheus", "stalewatch.rules.yml")
    server = PrometheusServer(
        "global: {evaluation_interval: 1s}\nrule_files: [stalewatch.rules.yml]\n"
    )
    (server.folder / rules.name).write_text(rules.read_text())
    with server:

        def loaded() -> list[dict[str, Any]]:
            with urllib.request.urlopen(f"{server.url}/api/v1/rules", timeout=10) as answer:
                groups = json.load(answer)["data"]["groups"]
            told = [rule for group in groups for rule in group["rules"]]
            return told if all(rule["health"] != "unknown" for rule in told) else []

        wait_until(loaded, "every rule was evaluated", 60)
        told = loaded()
    assert len(told) == 11
    assert {rule["health"] for rule in told} == {"ok"}
    pending = {rule["name"] for rule in told if rule["state"] == "pending"}
    assert pending == {"StalewatchNotMeasured"}  # there is no Stalewatch to scrape


def test_openslo_documents_are_of_their_kinds_and_name_each_other(
    config: Path, tmp_path: Path
) -> None:
    file = exported(config, tmp_path, "openslo", "openslo.yaml")
    documents = list(YAML(typ="safe").load_all(file.read_text()))
    assert {each["apiVersion"] for each in documents} == {"openslo/v1"}
    names: dict[str, set[str]] = {}
    for each in documents:
        names.setdefault(each["kind"], set()).add(each["metadata"]["name"])
    assert set(names) == openslo_import.KINDS
    assert all(openslo.label(name) == name for kind in names.values() for name in kind)
    for each in documents:
        spec = each["spec"]
        if each["kind"] == "SLO":
            assert spec["service"] in names["Service"]
            assert spec["indicatorRef"] in names["SLI"]
            assert {one["alertPolicyRef"] for one in spec["alertPolicies"]} <= names["AlertPolicy"]
            assert len(spec["timeWindow"]) == len(spec["objectives"]) == 1
        if each["kind"] == "AlertPolicy":
            assert [one["conditionRef"] for one in spec["conditions"]] == [each["metadata"]["name"]]
            assert each["metadata"]["name"] in names["AlertCondition"]
    slow = next(each for each in documents if each["metadata"]["name"] == "edge-slow")
    assert slow["kind"] == "SLI"


def test_what_could_not_be_carried_is_told(config: Path, tmp_path: Path) -> None:
    done = slo("export", "-c", str(config))
    assert "not carried:" in done.stderr
    assert "product-fresh: the short windows: a condition has one look-back" in done.stderr
    assert "product-fresh: max_staleness 2s: durations have no seconds" in done.stderr
    assert "told: alerts that are frozen without data" in done.stderr


def test_what_was_exported_comes_back_as_it_was(config: Path, tmp_path: Path) -> None:
    file = exported(config, tmp_path, "openslo", "openslo.yaml")
    done = slo("import", str(file))
    assert done.returncode == 0, done.stderr
    again = tmp_path / "again.yaml"
    again.write_text(HEARING + done.stdout)
    assert make_specs(load(again)) == make_specs(load(config))
    told = json.loads(slo("import", str(file), "--json").stdout)
    assert set(told["objectives"]) == {"product-fresh", "Edge.Slow", "told"}
    assert {one["about"].split()[0] for one in told["not_carried"]} == openslo_import.KINDS - {
        "SLO"
    }


SHARES = st.decimals("0.1", "99.999", places=3).map(lambda share: f"{share}%")
PROMISES = st.fixed_dictionaries(
    {"target": SHARES, "window": st.sampled_from(["28d", "30h", "7d", "day", "week", "month"])},
    optional={
        "keyspace": st.just("product"),
        "layer": st.sampled_from(["edge", "regional"]),
        "region": st.just("eu"),
        "indicator": st.sampled_from(["reads", "propagation-claimed"]),
        "max_staleness": st.sampled_from(["300ms", "2s", "1m", "1h30m"]),
        "description": st.text("abc é:#'\"\n", min_size=1, max_size=30).map(str.strip),
        "runbook": st.just("https://wiki.test/x"),
        "budgeting": st.sampled_from(["occurrences", "ratio-timeslices", {"timeslices": "99.5%"}]),
        "slice": st.sampled_from(["1h", "2h"]),
    },
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(promise=PROMISES)
def test_any_objective_comes_back_as_it_was(tmp_path: Path, promise: dict[str, Any]) -> None:
    yaml, file = YAML(), tmp_path / "stalewatch.yaml"
    with file.open("w") as out:
        out.write(HEARING)
        yaml.dump({"objectives": {"one": promise}}, out)
    try:
        config = load(file)
    except ConfigError:
        return  # what no config may say needs no way back
    documents, _ = openslo.export(config, "http://prometheus.test")
    with (tmp_path / "openslo.yaml").open("w") as out:
        yaml.dump_all(documents, out)
    [settings_read] = openslo_import.read(tmp_path / "openslo.yaml").objectives.values()
    with file.open("w") as out:
        out.write(HEARING)
        yaml.dump({"objectives": {"one": dict(settings_read)}}, out)
    specs = spec_of(config, "one"), spec_of(load(file), "one")
    assert specs[0] == specs[1]


SLO = """apiVersion: openslo/v1
kind: SLO
metadata:
  name: checkout
spec:
  service: shop
  indicatorRef: latency
  timeWindow: [{duration: 4w, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{target: 0.99}]
"""


def test_an_objective_of_others_metrics_is_told_and_not_made_up(tmp_path: Path) -> None:
    file = tmp_path / "theirs.yaml"
    file.write_text(SLO)
    imported = openslo_import.read(file)
    assert imported.objectives == {}
    assert [(one.about, one.what) for one in imported.left] == [("SLO checkout", "all of it")]


OURS = SLO.replace(
    "  name: checkout\n",
    '  name: checkout\n  annotations:\n    stalewatch.dev/settings: \'{"keyspace": "product"}\'\n',
)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("openslo/v1", "openslo/v2", ":1:1: apiVersion: expected openslo/v1"),
        ("kind: SLO", "kind: Slo", ":2:1: kind: expected one of AlertCondition"),
        ("  name: checkout\n", "", ":3:1: metadata: expected a mapping with a name"),
        ("target: 0.99", "target: 1", "spec: target: expected a share above 0% and below 100%"),
        ("target: 0.99", "goal: 1", "spec: objectives: expected target or targetPercent"),
        ("[{target: 0.99}]", "[]", "spec: objectives: expected one"),
        ("Occurrences", "Sometimes", "spec: budgetingMethod: expected Occurrences"),
        ("4w", "4 weeks", "spec: window: expected a duration such as 28d"),
        ('{"keyspace"', '{"key"', "metadata: stalewatch.dev/settings: expected JSON of keyspace"),
        ("metadata:\n", "metadata: [\n", ": not YAML: "),
    ],
)
def test_what_is_broken_is_told_with_its_place(
    tmp_path: Path, old: str, new: str, says: str
) -> None:
    file = tmp_path / "broken.yaml"
    file.write_text(OURS.replace(old, new))
    with pytest.raises(ConfigError) as refused:
        openslo_import.read(file)
    assert says in str(refused.value)


def test_a_config_without_objectives_says_so(tmp_path: Path) -> None:
    file = tmp_path / "stalewatch.yaml"
    file.write_text(HEARING)
    done = slo("export", "-c", str(file))
    assert (done.returncode, done.stdout) == (2, "")
    assert "there are no objectives" in done.stderr
