"""The pinned requirements: names and versions, from wherever a machine gets its packages."""

import re
from pathlib import Path

import pytest

REQUIREMENTS = Path(__file__).parent.parent / "requirements"
PIN = re.compile(r"[a-z0-9.-]+==[^\s;]+( ; .+)?")


def pins(name: str) -> list[str]:
    return (REQUIREMENTS / name).read_text().splitlines()


@pytest.mark.parametrize("name", ["boot.txt", "run.txt", "dev.txt"])
def test_a_line_is_a_name_and_a_version(name: str) -> None:
    assert [line for line in pins(name) if not PIN.fullmatch(line)] == []


def test_the_tests_run_on_what_the_demo_runs_on() -> None:
    def versions(name: str) -> set[str]:
        return {line.partition(" ;")[0] for line in pins(name)}

    assert versions("run.txt") <= versions("dev.txt")
