"""The catalogue in SQLite: nodes, what is documented of them, and sweeps of them."""

from collections.abc import Mapping, Sequence

from store.base import NodeRow
from store.catalogue_history import CatalogueRow, Document, Entry
from store.sqlite import (
    catalogue,
    nodes,
    sweeps,
)
from store.sqlite.engine import Engine
from store.sweeps import SweepRow


class CatalogueStore(Engine):
    """Implements `Catalogue`, `CatalogueHistory` and `Sweeps`."""

    def nodes(self) -> Sequence[NodeRow]:
        """Every node, by layer and name, origins first."""
        with self._connections.reader() as connection:
            return nodes.read_nodes(connection)

    def write_catalogue(
        self, documents: Mapping[Entry, Document], at_ns: int
    ) -> Sequence[CatalogueRow]:
        """Keep what is documented from now on; what changed."""
        with self._connections.reader() as connection:
            if not catalogue.has_news(connection, documents):
                return []
        with self._transaction() as db:
            return catalogue.write_catalogue(db.conn, documents, at_ns)

    def catalogue(self) -> Sequence[CatalogueRow]:
        """What is documented now, layers first, by name."""
        with self._connections.reader() as connection:
            return catalogue.read_catalogue(connection)

    def catalogue_history(
        self, entry: Entry | None = None, limit: int = 100
    ) -> Sequence[CatalogueRow]:
        """Every change of one entry or of all, newest first."""
        with self._connections.reader() as connection:
            return catalogue.read_history(connection, entry, limit)

    def ask_sweep(self, row: SweepRow) -> None:
        """Ask for a sweep, for whoever watches the layer to take up."""
        with self._transaction() as db:
            sweeps.write_sweeps(db.conn, [row])

    def pause_sweep(self, id: str, is_paused: bool) -> None:
        """Say whether a sweep is to rest; whoever runs it sees to that."""
        with self._transaction() as db:
            sweeps.pause_sweep(db.conn, id, is_paused)

    def is_sweep_paused(self, id: str) -> bool:
        """Whether it is to rest."""
        with self._connections.reader() as connection:
            return sweeps.is_paused(connection, id)

    def sweep(self, id: str) -> SweepRow | None:
        """One sweep, or None."""
        with self._connections.reader() as connection:
            return sweeps.read_sweep(connection, id)

    def sweeps(self, open_only: bool = False, limit: int = 100) -> Sequence[SweepRow]:
        """Newest first."""
        with self._connections.reader() as connection:
            return sweeps.read_sweeps(connection, open_only, limit)
