"""What was documented, and since when: layers, keyspaces and objectives as they changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol

from freshness.document_diff import Change, compare_documents

Document = dict[str, Any]
Section = Literal["layer", "keyspace", "objective"]


class Entry(NamedTuple):
    """What a document is about."""

    section: Section
    name: str


@dataclass(frozen=True, slots=True)
class CatalogueRow:
    """What was documented of an entry from `at_ns` on; None where it is documented no more.

    `before` is what stood there until then, None where nothing did.
    """

    entry: Entry
    at_ns: int
    document: Document | None
    before: Document | None = None

    @property
    def changes(self) -> Sequence[Change]:
        """What changed, value by value."""
        return compare_documents(self.before, self.document)


class CatalogueHistory(Protocol):
    """Who keeps what was documented. It is never dropped: it is small, and explains the past."""

    def write_catalogue(
        self, documents: Mapping[Entry, Document], at_ns: int
    ) -> Sequence[CatalogueRow]:
        """Keep all that is documented from `at_ns` on; what changed, and nothing where nothing did.

        Entries that are not among `documents` are documented no more.
        """
        ...

    def catalogue(self) -> Sequence[CatalogueRow]:
        """What is documented now, layers first, by name; `at_ns` is since when it stands so."""
        ...

    def catalogue_history(
        self, entry: Entry | None = None, limit: int = 100
    ) -> Sequence[CatalogueRow]:
        """Every change of one entry or of all, newest first."""
        ...
