"""`docs/store.md` names every table, and what it shows runs."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from freshness.model import Verdict
from freshness.rollup import Reads, Rollup, RollupKey
from store.base import Batch
from store.sqlite import SqliteStore
from tests.store.rows import S, read
from tests.store.sqlite.conftest import Ask

PAGE = (Path(__file__).parents[3] / "docs" / "store.md").read_text()
COMMANDS = re.findall(r"^\$ sqlite-utils (.+)$", PAGE, re.MULTILINE)
[PYTHON] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def filled(store: SqliteStore) -> SqliteStore:
    cell = Rollup()
    for verdict, n in ((Verdict.FRESH, 3), (Verdict.STALE, 1)):
        cell.add(Reads(verdict, n=n))
    key = RollupKey(7_200, "product", "regional", "r1", "random", 2 * S, "d1")
    rows = [read(1, evidence="first"), read(2, evidence="second"), read(3, key="43")]
    store.write(Batch(reads=rows, rollups={key: cell}))
    store.fold(0)
    return store


def run_in(directory: Path, *arguments: str) -> str:
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=directory, check=True, capture_output=True, text=True).stdout


def test_every_table_and_view_is_described(store: SqliteStore, ask: Ask) -> None:
    names = ask("SELECT name FROM sqlite_schema WHERE type IN ('table', 'view')")
    assert [name for (name,) in names if f"`{name}`" not in PAGE] == []


def test_the_commands_run(filled: SqliteStore, tmp_path: Path) -> None:
    most, evidence = (
        run_in(tmp_path, "-m", "sqlite_utils", *shlex.split(command)) for command in COMMANDS
    )
    assert [line.split() for line in most.splitlines()[2:]] == [
        ["product", "42", "2"],
        ["product", "43", "1"],
    ]
    assert evidence.index("first") < evidence.index("second")
    assert '"at": "1970-01-01 00:00:00"' in evidence


def test_the_script_runs(filled: SqliteStore, tmp_path: Path) -> None:
    assert run_in(tmp_path, "-c", PYTHON) == "1970-01-01 02:00:00 r1 25.0\n"
