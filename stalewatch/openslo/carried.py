"""What could not be carried from one way of saying an objective to another, and why."""

from collections.abc import Iterable
from typing import Any, NamedTuple


class NotCarried(NamedTuple):
    """`what` is an objective or a document, `path` the part of it; a `line` of 0 is of no file."""

    what: str
    path: str
    why: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        place = f"{self.line}:{self.column}: " if self.line else ""
        return f"{place}{self.what}: {self.path}: {self.why}"

    @property
    def item(self) -> dict[str, Any]:
        """The same for scripts."""
        return {name: value for name, value in self._asdict().items() if value != 0}


def as_comments(title: str, lost: Iterable[NotCarried]) -> str:
    """The list as comments for the head of a YAML file."""
    lines = [f"{each}".replace("\n", " ") for each in lost]
    told = [f"# {title}", *(f"# - {line}" for line in lines)] if lines else []
    return "".join(f"{line}\n" for line in told)
