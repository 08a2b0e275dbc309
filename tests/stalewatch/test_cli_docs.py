"""docs/cli.md describes every command and every option, and no others."""

import re
from pathlib import Path
from typing import Any

from typer.main import get_command

from stalewatch.cli import app

PAGE = Path(__file__).parents[2] / "docs" / "cli.md"


def documented() -> dict[str, set[str]]:
    """Options by command, as the page gives them."""
    parts = re.split(r"^## `stalewatch (\w+).*$", PAGE.read_text(encoding="utf-8"), flags=re.M)[1:]
    pairs = zip(parts[::2], parts[1::2], strict=True)
    return {name: _first_cells(text) for name, text in pairs}


def _first_cells(text: str) -> set[str]:
    cells = [row.split("|")[1] for row in text.splitlines() if row.startswith("| `")]
    return {option for cell in cells for option in re.findall(r"(--?[a-z][a-z-]*)", cell)}


def offered() -> dict[str, set[str]]:
    """Options by command, as the program takes them."""
    group = get_command(app)
    commands = group.commands  # type: ignore[attr-defined]  # an app of several commands is a group
    return {name: _options_of(command) for name, command in commands.items()}


def _options_of(command: Any) -> set[str]:
    """Those of a command; of one that has commands of its own, all of these together."""
    parts = getattr(command, "commands", {"": command}).values()
    return {name for part in parts for name in _options(part.params)}


def _options(params: list[object]) -> set[str]:
    names: set[str] = set()
    for param in params:
        spellings = [*getattr(param, "opts", []), *getattr(param, "secondary_opts", [])]
        names |= {name for name in spellings if name.startswith("-") and name != "--help"}
    return names


def test_what_is_offered_is_documented() -> None:
    assert documented() == offered()
