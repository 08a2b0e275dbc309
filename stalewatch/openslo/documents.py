"""OpenSLO documents of a file: read whole, or all that is wrong with them, each with its place."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from stalewatch.config.bindings import problems_of
from stalewatch.config.document import Document
from stalewatch.config.problem import ConfigError, Loc, Problem, written
from stalewatch.config.wording import did_you_mean
from stalewatch.openslo.carried import NotCarried
from stalewatch.openslo.names import API
from stalewatch.openslo.schema import KINDS, Object


@dataclass(frozen=True, slots=True)
class Read:
    """A document with its place in the file."""

    document: Document
    object: Object

    def lose(self, loc: Loc, why: str) -> NotCarried:
        """What of it cannot be carried."""
        at = self.document.problem(loc, why)
        return NotCarried(self.object.called, written(loc), why, at.line, at.column)

    def parts(self) -> Iterator[Loc]:
        """Every value that is written in it; those of a list of plain values together."""
        yield from _leaves(self.document.data, ())


class Documents:
    """All of a file, by kind and name."""

    def __init__(self, reads: Sequence[Read]) -> None:
        self.reads = reads
        self._named = {(read.object.kind, read.object.metadata.name): read for read in reads}

    def of(self, kind: str) -> list[Read]:
        """Those of a kind, in the order of the file."""
        return [read for read in self.reads if read.object.kind == kind]

    def find(self, kind: str, name: str | None) -> Read | None:
        """One of them; None where the file has no such."""
        return None if name is None else self._named.get((kind, name))


def read_documents(file: Path, text: str | None = None) -> Documents:
    """All documents. Raises ConfigError with every mistake and its place."""
    problems: list[Problem] = []
    reads: dict[tuple[str, str], Read] = {}
    for document in Document.read_all(file, text):
        found = _read(document, problems)
        if found is None:
            continue
        name = found.object.kind, found.object.metadata.name
        if name in reads:
            why = f"{found.object.called} stands in this file twice"
            problems.append(document.problem(("metadata", "name"), why))
        reads[name] = found
    if problems:
        raise ConfigError(file, problems)
    if not reads:
        raise ConfigError(file, [Problem(1, 1, "", "expected OpenSLO documents, and found none")])
    return Documents(list(reads.values()))


def _read(document: Document, problems: list[Problem]) -> Read | None:
    given = document.data
    if given.get("apiVersion") != API:
        problems.append(document.problem(("apiVersion",), f"expected {API}"))
        return None
    kind = given.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        guess = did_you_mean(kind, KINDS) if isinstance(kind, str) else ""
        why = f"expected one of {', '.join(KINDS)}{guess}"
        problems.append(document.problem(("kind",), why))
        return None
    model: type[BaseModel] = KINDS[kind]
    try:
        return Read(document, KINDS[kind].model_validate(given))
    except ValidationError as error:
        problems += problems_of(error, model, document)
        return None


def _leaves(value: Any, loc: Loc) -> Iterator[Loc]:
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _leaves(inner, (*loc, key))
    elif isinstance(value, list) and any(isinstance(each, Mapping | list) for each in value):
        for index, inner in enumerate(value):
            yield from _leaves(inner, (*loc, index))
    else:
        yield loc
