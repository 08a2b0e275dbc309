"""Facts and findings in SQLite: what probes saw, and what was proven by it."""

from collections.abc import Iterator, Sequence

from store.base import Batch, FindingRow, ReadRow, RunRow, Span
from store.diagnoses import DiagnosisRow
from store.page import Page
from store.sqlite import (
    cells,
    checks,
    copy_times,
    diagnoses,
    findings,
    names,
    nodes,
    reads,
    runs,
    stale_keys,
    sweeps,
    ttl_samples,
)
from store.sqlite.diagnoses import write_diagnoses
from store.sqlite.engine import Engine


class FactStore(Engine):
    """Implements `Facts`, `Findings` and `Diagnoses` of the protocol."""

    def write(self, batch: Batch) -> None:
        """Make a batch durable in one transaction."""
        named: list[RunRow | ReadRow] = [*batch.runs, *batch.reads]
        with self._transaction() as db:
            names.write_clocks(db.conn, batch.clocks)
            names.add_names(
                db.conn,
                ((row.keyspace, row.key) for row in named),
                ((row.layer, row.node) for row in named),
            )
            runs.write_runs(db.conn, batch.runs)
            reads.write_reads(db.conn, batch.reads, batch.cleared)
            findings.write_findings(db.conn, batch.findings)
            nodes.write_nodes(db.conn, batch.nodes)
            cells.add_deltas(db.conn, batch.rollups)
            checks.add_checks(db.conn, batch.checks)
            sweeps.write_sweeps(db.conn, batch.sweeps)
            ttl_samples.add_ttls(db.conn, batch.ttls)
            copy_times.add_copy_times(db.conn, batch.copy_times, batch.stale_keys)

    def last_ids(self) -> tuple[int, int]:
        """The highest run id and read id in the store (0 where empty)."""
        with self._connections.reader() as connection:
            run, read = connection.execute(
                "SELECT (SELECT max(id) FROM runs), (SELECT max(id) FROM reads)"
            ).fetchone()
        return run or 0, read or 0

    def newest_origin_runs(self, keyspace: str) -> Iterator[RunRow]:
        """The newest origin run of each key, in order of keys, read a page at a time."""
        from_key: str | None = ""
        while from_key is not None:
            with self._connections.reader() as connection:
                page, from_key = runs.read_newest_origin_runs(connection, keyspace, from_key)
            yield from page

    def spans(self, keyspace: str, key: str, since_ns: int, until_ns: int) -> Sequence[Span]:
        """The runs of a key, at its origin and all nodes, that overlap [since, until], by time."""
        with self._connections.reader() as connection:
            return runs.read_spans(connection, keyspace, key, since_ns, until_ns)

    def reads(
        self,
        keyspace: str | None = None,
        key: str | None = None,
        finding: str | None = None,
        since_ns: int = 0,
        until_ns: int | None = None,
        limit: int = 500,
    ) -> Sequence[tuple[ReadRow, int]]:
        """Reads that started in [since, until), newest first, each with that wall time."""
        with self._connections.reader() as connection:
            return reads.read_reads(connection, keyspace, key, finding, since_ns, until_ns, limit)

    def keys(self, keyspace: str, prefix: str = "", limit: int = 50) -> Sequence[str]:
        """Known keys that begin with `prefix`, in order."""
        with self._connections.reader() as connection:
            return names.keys_with_prefix(connection, keyspace, prefix, limit)

    def stale_reads(
        self, keyspace: str, since_ns: int, until_ns: int, stratum: str, limit_ns: int | None
    ) -> Sequence[tuple[str, str, str, int]]:
        """(key, layer, node, reads proven stale) of those that started in [since, until)."""
        with self._connections.reader() as connection:
            return stale_keys.count_stale(
                connection, keyspace, since_ns, until_ns, stratum, limit_ns
            )

    def finding(self, id: str) -> FindingRow | None:
        """One finding, or None."""
        with self._connections.reader() as connection:
            return findings.read_finding(connection, id)

    def findings(
        self,
        open_only: bool = False,
        keyspace: str | None = None,
        key: str | None = None,
        since_ns: int = 0,
        limit: int = 100,
        cursor: str | None = None,
        *,
        until_ns: int | None = None,
        layer: str | None = None,
        node: str | None = None,
    ) -> Page[FindingRow]:
        """Those that were opened in [since, until), newest first."""
        equal = {"keyspace": keyspace, "key": key, "layer": layer, "node": node}
        with self._connections.reader() as connection:
            return findings.read_findings(
                connection, open_only, equal, since_ns, until_ns, limit, cursor
            )

    def findings_open_in(
        self, since_ns: int, until_ns: int, limit: int = 10_000
    ) -> Sequence[FindingRow]:
        """Those that were open at some instant of [since, until), newest first."""
        with self._connections.reader() as connection:
            return findings.read_open_in(connection, since_ns, until_ns, limit)

    def write_diagnoses(self, diagnoses: Sequence[DiagnosisRow]) -> None:
        """Make them durable in one transaction; one a finding, the last one stands."""
        with self._transaction() as db:
            write_diagnoses(db.conn, diagnoses)

    def diagnosis(self, finding: str) -> DiagnosisRow | None:
        """That of one finding, or None."""
        with self._connections.reader() as connection:
            return diagnoses.read_diagnosis(connection, finding)

    def unsettled(
        self, since_ns: int, limit: int = 100
    ) -> Sequence[tuple[FindingRow, DiagnosisRow | None]]:
        """Findings that are open, or over at `since_ns` or later, and not settled yet."""
        with self._connections.reader() as connection:
            return diagnoses.read_unsettled(connection, since_ns, limit)
