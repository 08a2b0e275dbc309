"""A report as plain text: for terminals, and for mail programs that show no HTML."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from freshness.spark import text_bars
from reports.document import ReportDocument
from reports.section import Cell, Section
from reports.tables import sections_of, span_of, title_of

WIDE: Final = 100
_MARGIN: Final = 2


def as_is(text: str) -> str:
    """Text that nobody takes for anything else."""
    return text


def to_text(document: ReportDocument, shown: Callable[[str], str] = as_is) -> str:
    """The whole report; `shown` makes names harmless for whoever is to read it."""
    head = [
        f"{document.report}: {title_of(document)}",
        span_of(document),
        "",
        document.verdict.line,
        document.verdict.decision,
    ]
    return "\n".join([*map(shown, head), *_sections(sections_of(document), shown)]) + "\n"


def _sections(sections: Sequence[Section], shown: Callable[[str], str]) -> Iterator[str]:
    for section in sections:
        yield ""
        yield section.title.upper()
        if section.note:
            yield shown(section.note)
        if not section.rows:
            yield f"  {section.empty}"
        for row in section.rows:
            yield from _row(section.heads, row, shown)


def _row(heads: Sequence[str], row: Sequence[Cell], shown: Callable[[str], str]) -> Iterator[str]:
    """The first cell by itself, the others under it with the names of their columns."""
    yield f"  {shown(row[0].text)}" + (f"  ({shown(row[0].under)})" if row[0].under else "")
    rest = [_told(head, cell, shown) for head, cell in zip(heads[1:], row[1:], strict=True)]
    line = ""
    for part in rest:
        if line and len(line) + len(part) + _MARGIN > WIDE:
            yield line
            line = ""
        line = f"{line}; {part}" if line else f"    {part}"
    yield line


def _told(head: str, cell: Cell, shown: Callable[[str], str]) -> str:
    text = text_bars(cell.days) if cell.days is not None else shown(cell.text)
    under = f" ({shown(cell.under)})" if cell.under else ""
    return f"{head.lower()} {text}{under}"
