"""What changed between two documents, as lines that people read.

A document is what JSON holds: mappings, lists, text, numbers, truth and null.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple


class Change(NamedTuple):
    """A value at a path (`accepts.high-load`); None before is new, None after is gone."""

    path: str
    before: Any
    after: Any


def compare_documents(
    before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> list[Change]:
    """Every value that differs, in order of paths; a document that is None holds nothing.

    Lists are values: what is in them has an order, and is shown whole.
    """
    then, now = dict(_leaves(before or {})), dict(_leaves(after or {}))
    return [
        Change(path, then.get(path), now.get(path))
        for path in sorted(then.keys() | now.keys())
        if then.get(path) != now.get(path)
    ]


def _leaves(document: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in document.items():
        path = f"{above}.{name}" if above else str(name)
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, path)
        elif value is not None:
            yield path, value
