"""`stalewatch report` as a script meets it: what was told is told again to the digit."""

import json
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from reports.desk import Desk
from reports.make import make_report
from stalewatch.cli import app
from stalewatch.config import load
from stalewatch.config.objective_specs import make_specs
from stalewatch.reporting import begin_desk
from store.sqlite import SqliteStore
from tests.reports.month import DAY, UNTIL, S, ask, seed_month
from tests.stalewatch.config.configs import GOOD

OBJECTIVES = """
store: {path: sw.db}
objectives:
  product-fresh: {keyspace: product, layer: edge, target: 99.9%, window: 28d, slice: 1h}
reports:
  weekly: {time_zone: Europe/Berlin}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A config, and a store in which the week was told."""
    made = tmp_path_factory.mktemp("told")
    lines = [line for line in GOOD.splitlines() if not line.startswith("store:")]
    (made / "stalewatch.yaml").write_text("\n".join(lines) + OBJECTIVES)
    with closing(SqliteStore(str(made / "sw.db"))) as store:
        seed_month(store)
        desk = Desk(store)
        begin_desk(desk, load(made / "stalewatch.yaml", with_sources=False))
        desk.make_due((UNTIL + DAY) * S, lambda *_: [])
    return made


def report(folder: Path, *arguments: str) -> Result:
    config = str(folder / "stalewatch.yaml")
    return CliRunner().invoke(app, ["report", "-c", config, *arguments])


def test_what_was_told_is_told_again_and_made_again_to_the_byte(folder: Path) -> None:
    told = report(folder, "weekly", "--week", "2026-W43", "--json")
    again = report(folder, "--week", "2026-W43", "--format", "json", "--recompute")
    assert (told.exit_code, again.exit_code) == (0, 0), told.stderr + again.stderr
    assert told.stdout == again.stdout
    specs = make_specs(load(folder / "stalewatch.yaml", with_sources=False))
    with closing(SqliteStore(str(folder / "sw.db"))) as store:
        document = make_report(store, specs, ask())
    assert told.stdout == document.to_json() + "\n"
    assert document.objectives[0].level == "missed"


def test_evidence_that_came_later_is_told_to_differ(folder: Path, tmp_path: Path) -> None:
    later = tmp_path / "later"
    later.mkdir()
    for name in ("stalewatch.yaml", "sw.db"):
        (later / name).write_bytes((folder / name).read_bytes())
    with closing(SqliteStore(str(later / "sw.db"))) as store:
        seed_month(store, seed=2)  # the same reads once more, and others than before
    told = report(later, "--week", "2026-W43", "--json")
    assert told.stdout == report(folder, "--week", "2026-W43", "--json").stdout
    again = report(later, "--week", "2026-W43", "--json", "--recompute")
    assert again.exit_code == 1
    assert "not as it was told: objectives" in again.stderr


def test_text_and_csv_go_to_a_file(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "week.csv"
    done = report(folder, "--week", "2026-W43", "--format", "csv", "--out", str(out))
    assert (done.exit_code, done.stdout) == (0, "")
    assert out.read_text().startswith("section,row,figure,value\n")
    assert "169 hours since clocks changed" in report(folder, "--week", "2026-W43").stdout


def test_the_week_that_runs_is_told_so_far(folder: Path) -> None:
    done = report(folder, "--json")
    assert done.exit_code == 0, done.stderr
    assert not json.loads(done.stdout)["is_over"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--week", "2026-47"], "--week: '2026-47': expected a week of a year, as 2026-W47"),
        (["--week", "2999-W01"], "--week: week 2999-W01 has not begun"),
        (["wekly"], "no report 'wekly' in the config; did you mean weekly?"),
        (["--out", "/nowhere/at/all", "--week", "2026-W43"], "/nowhere/at/all: No such file"),
    ],
)
def test_what_cannot_be_is_told(folder: Path, arguments: list[str], says: str) -> None:
    done = report(folder, *arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert says in done.stderr
