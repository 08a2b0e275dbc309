"""What is wrong with a config file, and where."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

Loc = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One mistake: its place in the file (from 1), its path in the tree and what was expected."""

    line: int
    column: int
    path: str
    text: str


class ConfigError(Exception):
    """Everything that is wrong with a config file, a line each, in the order of the file."""

    def __init__(self, file: Path | str, problems: Sequence[Problem]) -> None:
        self.file = str(file)
        self.problems = sorted(set(problems))
        super().__init__("\n".join(map(self._line, self.problems)))

    def _line(self, problem: Problem) -> str:
        path = f"{problem.path}: " if problem.path else ""
        return f"{self.file}:{problem.line}:{problem.column}: {path}{problem.text}"


def written(loc: Loc) -> str:
    """A path as people write it: `layers.edge.nodes[0].port`."""
    text = ""
    for part in loc:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text
