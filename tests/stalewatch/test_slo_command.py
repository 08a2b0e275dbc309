"""`stalewatch slo export` and `import` with OpenSLO files; test_slo.py is of Prometheus."""

import json
from pathlib import Path

from typer.testing import CliRunner

from stalewatch.cli import app
from tests.stalewatch.config.configs import written
from tests.stalewatch.openslo.exported import CONFIG

RUNNER = CliRunner()
OBJECTIVES = """\
objectives:
  product-fresh: {keyspace: product, target: 99.9%, window: 28d, runbook: "http://r/{{x}}"}
  own: {target: 90%, window: 1d, alerting: {windows: [{long: 2h, short: 10m, burn: 5}]}}
  slices: {layer: edge, target: 99%, window: month, budgeting: {timeslices: 99%}}
"""


def run(*arguments: str | Path, status: int = 0) -> str:
    done = RUNNER.invoke(app, ["slo", *map(str, arguments)])
    assert done.exit_code == status, done.output
    return done.stdout


def test_openslo_there_and_back(tmp_path: Path) -> None:
    config = written(tmp_path, CONFIG + OBJECTIVES)
    out = tmp_path / "slo.yaml"
    told = RUNNER.invoke(app, ["slo", "export", "-c", str(config), "--out", str(out)])
    assert told.exit_code == 0
    assert "objective own: alerting.windows: a condition has one look-back" in told.stderr
    assert out.read_text().startswith("# What could not be carried:\n# - objective product-fresh: ")
    back = json.loads(run("import", out, "--json"))
    assert list(back["objectives"]) == ["product-fresh", "own", "slices"]
    assert all(each["line"] > 0 for each in back["not_carried"])
    section = run("import", out)
    again = written(tmp_path, CONFIG + section)
    assert run("export", "-c", again) == run("export", "-c", config)


def test_what_is_no_document_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "slo.yaml"
    file.write_text("apiVersion: openslo/v1\nkind: SLA\n")
    done = RUNNER.invoke(app, ["slo", "import", str(file)])
    assert done.exit_code == 2
    assert f"{file}:2:7: kind: expected one of DataSource" in done.stderr


def test_an_slo_of_others_is_told_and_makes_exit_1(tmp_path: Path) -> None:
    config = written(tmp_path, CONFIG + OBJECTIVES)
    text = run("export", "-c", config).replace("stalewatch/indicator", "other/indicator")
    (tmp_path / "slo.yaml").write_text(text)
    done = RUNNER.invoke(app, ["slo", "import", str(tmp_path / "slo.yaml")])
    assert (done.exit_code, done.stdout) == (1, "objectives: {}\n")
    assert done.stderr.count("is not carried: measured by queries of its own") == 3


def test_a_config_without_objectives_has_nothing_to_export(tmp_path: Path) -> None:
    config = written(tmp_path, CONFIG)
    done = RUNNER.invoke(app, ["slo", "export", "-c", str(config)])
    assert done.exit_code == 2
    assert "there are no objectives" in done.stderr
