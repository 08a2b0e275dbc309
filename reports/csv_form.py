"""A report as CSV: every number of its JSON, a line each, for whoever wants it in a spreadsheet."""

import csv
import io
import json
from collections.abc import Iterator
from typing import Any, Final

from reports.document import ReportDocument

HEADS: Final = ("section", "row", "figure", "value")
_NAMED: Final = ("name", "about", "rule", "id", "layer", "what")
_DANGEROUS: Final = ("=", "+", "-", "@", "\t", "\r")


def to_csv(document: ReportDocument) -> str:
    """Lines of (section, row, figure, value); a value that is not known is empty.

    Text that a spreadsheet would take for a formula gets an apostrophe before it.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEADS)
    for section, value in json.loads(document.to_json()).items():
        writer.writerows(map(_safe, line) for line in _lines(section, value))
    return out.getvalue()


def _lines(section: str, value: Any) -> Iterator[tuple[str, str, str, Any]]:
    if isinstance(value, list):
        for number, row in enumerate(value, 1):
            yield from _rows(section, number, row)
    elif isinstance(value, dict):
        for name, inner in value.items():
            if isinstance(inner, list):
                yield from _lines(f"{section}.{name}", inner)
            else:
                yield from ((section, "", figure, each) for figure, each in _flat(name, inner))
    else:
        yield "report", "", section, value


def _rows(section: str, number: int, row: dict[str, Any]) -> Iterator[tuple[str, str, str, Any]]:
    name = next((str(row[each]) for each in _NAMED if row.get(each)), str(number))
    for figure, inner in row.items():
        yield from ((section, name, path, each) for path, each in _flat(figure, inner))


def _flat(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _flat(f"{path}.{name}", inner)
    elif isinstance(value, list):
        for number, inner in enumerate(value, 1):
            yield from _flat(f"{path}.{number}", inner)
    else:
        yield path, value


def _safe(value: Any) -> Any:
    is_formula = isinstance(value, str) and value.startswith(_DANGEROUS)
    return f"'{value}" if is_formula else value
