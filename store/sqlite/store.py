"""The SQLite engine: every protocol of a store, over the functions of this package."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

from sqlite_utils import Database

from freshness.check import CheckCell, CheckKey
from freshness.counts import Counts
from freshness.rollup import Grain as GrainWidth
from freshness.rollup import Rollup, RollupKey
from freshness.series import Series
from freshness.ttl_sample import TtlCell, TtlKey
from store.alert_book import AlertRow, DeliveryState, GroupRow, NotificationRow, TransitionRow
from store.base import Batch, FindingRow, Grain, NodeRow, ReadRow, RunRow, Span
from store.catalogue_history import CatalogueRow, Document, Entry
from store.counters import CounterGrain, CounterRow
from store.diagnoses import DiagnosisRow
from store.gaps import GapRow, PlaceRow
from store.messages import InvalidationRow, ReceiptRow, Told
from store.page import Page
from store.pair_counts import PairsOf
from store.retention import Retention
from store.silences import AckRow, SilenceRow
from store.sqlite import (
    alerts,
    catalogue,
    cells,
    checks,
    counters,
    diagnoses,
    findings,
    gaps,
    groups,
    invalidations,
    names,
    nodes,
    outbox,
    pair_counts,
    reads,
    receipts,
    retain,
    runs,
    silences,
    stale_keys,
    sweeps,
    ttl_samples,
)
from store.sqlite.alerts import write_alerts, write_transitions
from store.sqlite.backup import copy_database
from store.sqlite.connections import MEMORY, Connections
from store.sqlite.diagnoses import write_diagnoses
from store.sqlite.gaps import write_gaps
from store.sqlite.groups import write_groups
from store.sqlite.invalidations import write_invalidations
from store.sqlite.receipts import write_receipts
from store.sqlite.schema import migrate
from store.sweeps import SweepRow

_NS: Final = 10**9
_WIDTHS: Final = {
    "minute": GrainWidth.MINUTE,
    "hour": GrainWidth.HOUR,
    "day": GrainWidth.DAY,
}


class SqliteStore:
    """A store in one file, or in memory under the path `:memory:`; implements `store.base.Store`.

    Opening creates or migrates the file. Safe from any thread: writes queue for one connection,
    reads take their own and never wait for a write. Raises StoreError, from any method, with what
    went wrong, where, and what to do.
    """

    def __init__(
        self, path: str = MEMORY, *, retention: Retention | None = None, app_version: str = ""
    ) -> None:
        self._retention = retention or Retention()
        self._connections = Connections(path)
        try:
            with self._connections.opening():
                migrate(self._connections)
                self._connections.use_wal()
            with self._transaction() as db:
                db.conn.execute("UPDATE meta SET app_version = ?", (app_version,))
        except BaseException:
            self._connections.close()
            raise

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
    ) -> Page[FindingRow]:
        """Those that were opened at `since_ns` or later, newest first."""
        with self._connections.reader() as connection:
            return findings.read_findings(
                connection, open_only, keyspace, key, since_ns, limit, cursor
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

    def rollups(
        self,
        grain: Grain,
        since_ns: int,
        until_ns: int,
        keyspace: str | None = None,
        layer: str | None = None,
        node: str | None = None,
    ) -> Sequence[tuple[RollupKey, Rollup]]:
        """Buckets whose start lies in [since, until), in order of time."""
        width_s, since_s, until_s = int(_WIDTHS[grain]), -(-since_ns // _NS), -(-until_ns // _NS)
        asked = cells.Asked(width_s, since_s, until_s, keyspace, layer, node)
        with self._connections.reader() as connection:
            return cells.read_cells(connection, asked)

    def fold(self, now_ns: int) -> None:  # noqa: ARG002  a cell that has not changed costs nothing
        """Bring hours and days up to date with the minutes, late deltas included."""
        with self._connections.reader() as connection:
            if not cells.has_unfolded(connection):
                return
        with self._transaction() as db:
            cells.fold_minutes(db.conn)

    def checks(
        self, since_ns: int, until_ns: int, keyspace: str | None = None
    ) -> Sequence[tuple[CheckKey, CheckCell]]:
        """Minutes whose start lies in [since, until), in order of time, node and horizon."""
        with self._connections.reader() as connection:
            return checks.read_checks(connection, since_ns, until_ns, keyspace)

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

    def ttl_samples(self, since_ns: int, until_ns: int) -> Sequence[tuple[TtlKey, TtlCell]]:
        """Cells whose start lies in [since, until), in order of time."""
        with self._connections.reader() as connection:
            return ttl_samples.read_ttls(connection, since_ns, until_ns)

    def write_messages(
        self, invalidations: Sequence[InvalidationRow], receipts: Sequence[ReceiptRow]
    ) -> None:
        """Make them durable in one transaction; what is there already changes nothing."""
        with self._transaction() as db:
            write_invalidations(db.conn, invalidations)
            write_receipts(db.conn, receipts)

    def invalidations(
        self,
        since_ns: int,
        until_ns: int,
        keyspace: str | None = None,
        key: str | None = None,
        limit: int = 100,
        cursor: str | None = None,
    ) -> Page[Told]:
        """Those received in [since, until), newest first."""
        with self._connections.reader() as connection:
            return invalidations.read_invalidations(
                connection, since_ns, until_ns, keyspace, key, limit, cursor
            )

    def invalidation(self, id: str) -> Told | None:
        """One, with its receipts."""
        with self._connections.reader() as connection:
            return invalidations.read_invalidation(connection, id)

    def newest_invalidations(
        self, keyspace: str, since_ns: int, limit: int
    ) -> Sequence[InvalidationRow]:
        """The newest of a keyspace that were received since then, oldest first."""
        with self._connections.reader() as connection:
            return invalidations.read_newest(connection, keyspace, since_ns, limit)

    def sequences(self, since_ns: int) -> Sequence[tuple[str, str, str, str, int]]:
        """(publisher, stream, layer, node, sequence) of the receipts since then."""
        with self._connections.reader() as connection:
            return receipts.read_sequences(connection, since_ns)

    def receipt_counts(
        self, since_ns: int, until_ns: int | None = None
    ) -> Sequence[tuple[str, str, int]]:
        """(layer, node, how many receipts came in [since, until)) of known nodes that sent any."""
        with self._connections.reader() as connection:
            return receipts.read_counts(connection, since_ns, until_ns)

    def orphan_receipts(self, since_ns: int, limit: int = 100) -> Sequence[ReceiptRow]:
        """Receipts whose invalidation never came, newest first."""
        with self._connections.reader() as connection:
            return receipts.read_orphans(connection, since_ns, limit)

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

    def alerts(self) -> Sequence[AlertRow]:
        """Those that are pending or firing, then those that were resolved last."""
        with self._connections.reader() as connection:
            return alerts.read_alerts(connection)

    def write_alerts(
        self,
        alerts: Sequence[AlertRow],
        transitions: Sequence[TransitionRow],
        notifications: Sequence[NotificationRow],
        groups: Sequence[GroupRow] = (),
        over: Sequence[str] = (),
    ) -> None:
        """Make them durable in one transaction; a notification that is there already stays."""
        with self._transaction() as db:
            write_alerts(db.conn, alerts)
            write_transitions(db.conn, transitions)
            outbox.write_notifications(db.conn, notifications)
            write_groups(db.conn, groups, over)

    def groups(self) -> Sequence[GroupRow]:
        """Every group that is not over, by id."""
        with self._connections.reader() as connection:
            return groups.read_groups(connection)

    def write_silence(self, silence: SilenceRow) -> None:
        """Add one, or replace the one with its id."""
        with self._transaction() as db:
            silences.write_silence(db.conn, silence)

    def silences(self, ending_after_ns: int = 0) -> Sequence[SilenceRow]:
        """Those that end after then, the last to end first."""
        with self._connections.reader() as connection:
            return silences.read_silences(connection, ending_after_ns)

    def end_silence(self, id: str, at_ns: int) -> SilenceRow | None:
        """End one now; None where there is none."""
        with self._transaction() as db:
            return silences.end_silence(db.conn, id, at_ns)

    def acknowledge(self, ack: AckRow) -> None:
        """Write it; what was said of the same firing before stays."""
        with self._transaction() as db:
            silences.write_ack(db.conn, ack)

    def acks(self) -> Sequence[AckRow]:
        """Those of present firings, by alert."""
        with self._connections.reader() as connection:
            return silences.read_acks(connection)

    def transitions(self, alert: str | None = None, limit: int = 100) -> Sequence[TransitionRow]:
        """Newest first."""
        with self._connections.reader() as connection:
            return alerts.read_transitions(connection, alert, limit)

    def lease(self, now_ns: int, until_ns: int, limit: int = 10) -> Sequence[NotificationRow]:
        """Take what is due, and what was leased for too long; oldest first."""
        with self._connections.reader() as connection:
            if not outbox.has_due(connection, now_ns):
                return []
        with self._transaction() as db:
            return outbox.lease_due(db.conn, now_ns, until_ns, limit)

    def settle(self, notification: NotificationRow) -> None:
        """Write what became of a leased notification, unless another has leased it since."""
        with self._transaction() as db:
            outbox.settle_notification(db.conn, notification)

    def overdue(
        self, channel: str, to: str, before_ns: int, refused_since_ns: int, limit: int = 100
    ) -> Sequence[NotificationRow]:
        """What waits too long or is dead, and is not told elsewhere; oldest first."""
        with self._connections.reader() as connection:
            return outbox.read_overdue(connection, channel, to, before_ns, refused_since_ns, limit)

    def fall_back(self, notifications: Sequence[NotificationRow]) -> int:
        """Owe these in place of others that are still not delivered; how many are new."""
        with self._transaction() as db:
            return outbox.write_fallbacks(db.conn, notifications)

    def notifications(
        self, alert: str | None = None, state: DeliveryState | None = None, limit: int = 100
    ) -> Sequence[NotificationRow]:
        """Newest first."""
        with self._connections.reader() as connection:
            return outbox.read_notifications(connection, alert, state, limit)

    def write_counters(self, rows: Sequence[CounterRow]) -> None:
        """Add minutes to what is there, and to their hours, in one transaction."""
        with self._transaction() as db:
            counters.write_counters(db.conn, rows)

    def counters(
        self,
        grain: CounterGrain,
        since_ns: int,
        until_ns: int,
        layer: str | None = None,
        node: str | None = None,
    ) -> Sequence[CounterRow]:
        """Buckets whose start lies in [since, until), by time, layer, node and source."""
        asked = (int(_WIDTHS[grain]), -(-since_ns // _NS), -(-until_ns // _NS), layer, node)
        with self._connections.reader() as connection:
            return counters.read_counters(connection, *asked)

    def write_gaps(
        self,
        gaps: Sequence[GapRow] = (),
        withdrawn: Sequence[GapRow] = (),
        places: Sequence[PlaceRow] = (),
    ) -> None:
        """Write gaps and places, and take back gaps that proved to be none."""
        with self._transaction() as db:
            write_gaps(db.conn, gaps, withdrawn, places)

    def gaps(
        self, since_ns: int, until_ns: int, source: str | None = None, limit: int = 1000
    ) -> Sequence[GapRow]:
        """Those that overlap [since, until), newest first."""
        with self._connections.reader() as connection:
            return gaps.read_gaps(connection, since_ns, until_ns, source, limit)

    def place(self, source: str) -> PlaceRow | None:
        """Where a source was left, None where it never was."""
        with self._connections.reader() as connection:
            return gaps.read_place(connection, source)

    def put_pair_counts(self, of: PairsOf, since_s: int, until_s: int, series: Series) -> None:
        """Replace the minutes that begin in [since, until), and bring hours up to date."""
        with self._transaction() as db:
            pair_counts.put_pair_counts(db.conn, of, since_s, until_s, series)

    def pair_counts(
        self, of: PairsOf, grain_s: int, since_s: int, until_s: int
    ) -> Mapping[tuple[str, str, int], Counts]:
        """By (layer, node, start): those that begin in [since, until)."""
        with self._connections.reader() as connection:
            return pair_counts.read_pair_counts(connection, of, grain_s, since_s, until_s)

    def pairs_counted_until(self, of: PairsOf) -> int | None:
        """Where the newest minute with pairs begins."""
        with self._connections.reader() as connection:
            return pair_counts.counted_until(connection, of)

    def revision(self) -> int:
        """A number that grows with each write, of this process or of another."""
        with self._connections.reader() as connection:
            return int(connection.execute("SELECT revision FROM meta").fetchone()[0])

    def retain(self, now_ns: int) -> int:
        """Drop some of what is past its retention, a bounded piece a call; the rows dropped."""
        with self._transaction() as db:
            cells.fold_minutes(db.conn)
            return retain.drop_old(db.conn, self._retention, now_ns)

    def backup(self, path: str) -> None:
        """Copy the store to a new file while it is in use."""
        copy_database(self._connections, path)

    def close(self) -> None:
        """Release the file; later calls raise StoreError."""
        self._connections.close()

    @contextmanager
    def _transaction(self) -> Iterator[Database]:
        """All or nothing, and a new revision.

        The first statement writes, so the transaction waits for the write lock before it has read
        anything: it cannot find later that what it read is out of date, and fail.
        """
        with self._connections.writer() as db, db.atomic():
            db.conn.execute("UPDATE meta SET revision = revision + 1")
            yield db
