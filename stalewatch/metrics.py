"""What Stalewatch says about itself to Prometheus: its own reads, rounds, store and findings.

A registry of its own and no global state, so that two of them can live in one process.
"""

import threading
from collections.abc import Callable, Iterable
from typing import Final, Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import choose_encoder

from freshness.model import Verdict
from freshness.rollup import Rollup
from stalewatch.canary_metrics import CanaryMetrics
from stalewatch.check_metrics import CheckMetrics
from stalewatch.counter_metrics import CounterMetrics
from stalewatch.delivery_metrics import DeliveryMetrics
from stalewatch.objective_metrics import ObjectiveMetrics
from stalewatch.otlp_metrics import OtlpMetrics
from stalewatch.tap_metrics import TapMetrics
from stalewatch.telling_metrics import TellingMetrics
from stalewatch.trace_metrics import TraceMetrics
from store.base import ORIGIN, Batch, FindingRow, NodeRow

NS_PER_S: Final = 1_000_000_000
_READ_S: Final = (
    0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0,
)  # fmt: skip
_ROUND_S: Final = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
_RESULTS: Final = {
    "hit": "hits",
    "negative": "negatives",
    "miss": "misses",
    "unreadable": "unreadable",
    "unanswered": "unanswered",
}
"""How a result is named here, and in a roll-up."""


class Metrics:
    """Every metric, and the calls that feed them; safe from any thread."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._lock = threading.Lock()
        self._open: dict[str, tuple[str, str, str]] = {}
        self._declare_reads()
        self._declare_store()
        self._declare_state()
        self.canaries = CanaryMetrics(self.registry)
        """What writes of canaries count."""
        self.checks = CheckMetrics(self.registry)
        """What event-triggered checks count."""
        self.delivery = DeliveryMetrics(self.registry)
        """What the outbox counts."""
        self.otlp = OtlpMetrics(self.registry)
        """What the receiver of traces counts."""
        self.taps = TapMetrics(self.registry)
        self.telling = TellingMetrics(self.registry)
        """What taps count."""
        self.traces = TraceMetrics(self.registry)
        """What polls of tracing back ends count."""
        self.counters = CounterMetrics(self.registry)
        """What the reading of counters counts."""
        self.objectives = ObjectiveMetrics(self.registry)
        """How objectives stand."""

    def _declare_reads(self) -> None:
        here = self.registry
        place, keyspace = ("layer", "node"), ("keyspace",)
        self._probes = Counter(
            "stalewatch_probes", "Keys read, by what came of it.", (*place, "result"), registry=here
        )
        self._verdicts = Counter(
            "stalewatch_verdicts", "Verdicts on reads.",
            ("keyspace", "layer", "verdict"), registry=here,
        )  # fmt: skip
        self._taken_back = Counter(
            "stalewatch_verdicts_taken_back", "Verdicts that later evidence replaced.",
            ("keyspace", "layer", "verdict"), registry=here,
        )  # fmt: skip
        self._read_s = Histogram(
            "stalewatch_read_seconds", "From sending a batch to a node to its answer (qe - qs).",
            ("layer",), registry=here, buckets=_READ_S,
        )  # fmt: skip
        self._origin_read_s = Histogram(
            "stalewatch_origin_read_seconds", "From sending a batch to an origin to its answer.",
            ("origin",), registry=here, buckets=_READ_S,
        )  # fmt: skip
        self._rounds = Counter(
            "stalewatch_rounds", "Rounds of probes, by outcome.",
            (*keyspace, "outcome"), registry=here,
        )  # fmt: skip
        self._round_s = Histogram(
            "stalewatch_round_seconds", "How long a round took.",
            keyspace, registry=here, buckets=_ROUND_S,
        )  # fmt: skip
        self._last_round = Gauge(
            "stalewatch_last_round_timestamp_seconds", "Unix time at which the last round ended.",
            keyspace, registry=here,
        )  # fmt: skip

    def _declare_store(self) -> None:
        here = self.registry
        self._write_s = Histogram(
            "stalewatch_store_write_seconds", "One batch made durable.",
            registry=here, buckets=_ROUND_S,
        )  # fmt: skip
        self._rows = Counter(
            "stalewatch_store_rows", "Rows made durable.", ("kind",), registry=here
        )
        self._refused = Counter(
            "stalewatch_store_refused_batches",
            "Batches set aside since the store can never take them.",
            registry=here,
        )
        self._queue = Gauge(
            "stalewatch_store_queue_batches", "Batches that wait for the store.", registry=here
        )

    def _declare_state(self) -> None:
        here = self.registry
        self._missed = Counter(
            "stalewatch_scheduler_missed", "Runs of a job that began too late to run.",
            ("job",), registry=here,
        )  # fmt: skip
        self._overrun = Counter(
            "stalewatch_scheduler_overrun", "Runs left out: the one before was not done.",
            ("job",), registry=here,
        )  # fmt: skip
        self._findings = Gauge(
            "stalewatch_findings_open", "Findings that are opened or confirmed.",
            ("keyspace", "layer", "state"), registry=here,
        )  # fmt: skip
        self._node_up = Gauge(
            "stalewatch_node_up", "Whether the node answered its last read.",
            ("layer", "node"), registry=here,
        )  # fmt: skip
        self._origin_up = Gauge(
            "stalewatch_origin_up", "Whether the origin answered its last read.",
            ("origin",), registry=here,
        )  # fmt: skip
        self._reloads = Counter(
            "stalewatch_config_reloads", "Reloads of the configuration, by outcome.",
            ("outcome",), registry=here,
        )  # fmt: skip
        self._epochs = Counter("stalewatch_clock_epochs", "Jumps of the wall clock.", registry=here)
        for outcome in ("applied", "refused"):
            self._reloads.labels(outcome)

    def observe_read(self, layer: str, seconds: float) -> None:
        """One batch was read at a node, answered or not."""
        self._read_s.labels(layer).observe(seconds)

    def observe_origin_read(self, origin: str, seconds: float) -> None:
        """One batch was read at an origin, answered or not."""
        self._origin_read_s.labels(origin).observe(seconds)

    def observe_round(
        self, keyspace: str, seconds: float, ended_at_ns: int, *, origin_answered: bool = True
    ) -> None:
        """A round ended, at this wall time; without its origin it judged nothing anew."""
        outcome = "complete" if origin_answered else "no-origin"
        self._rounds.labels(keyspace, outcome).inc()
        self._round_s.labels(keyspace).observe(seconds)
        self._last_round.labels(keyspace).set(ended_at_ns / NS_PER_S)

    def observe_batch(self, batch: Batch) -> None:
        """A batch is durable: count its reads and rows, and follow nodes and findings."""
        for kind in ("runs", "reads", "findings", "nodes"):
            self._rows.labels(kind).inc(len(getattr(batch, kind)))
        for key, cell in batch.rollups.items():
            self._count_results(key.layer, key.node, cell)
            self._count_verdicts(key.keyspace, key.layer, cell)
        self.checks.observe(batch.checks)
        for node in batch.nodes:
            self._follow_node(node)
        self.follow_findings(batch.findings)

    def observe_write(self, seconds: float) -> None:
        """A batch was made durable."""
        self._write_s.observe(seconds)

    def note_refused_batch(self) -> None:
        """A batch was set aside: the store can never take it."""
        self._refused.inc()

    def watch_queue(self, depth: Callable[[], int]) -> None:
        """Ask for the depth of the store's queue whenever a scrape does."""
        self._queue.set_function(depth)

    def follow_findings(self, findings: Iterable[FindingRow]) -> None:
        """Take how findings stand; at the start, those that are open in the store."""
        with self._lock:
            for row in findings:
                self._leave(row.id)
                if row.state in ("opened", "confirmed"):
                    self._open[row.id] = (row.keyspace, row.layer, row.state)
                    self._findings.labels(*self._open[row.id]).inc()

    def follow_nodes(self, nodes: Iterable[NodeRow]) -> None:
        """Take how nodes stand; at the start, those of the store's catalogue."""
        for node in nodes:
            self._follow_node(node)

    def note_missed(self, job: str) -> None:
        """The scheduler let a run of a job fall, since it was too late."""
        self._missed.labels(job).inc()

    def note_overrun(self, job: str) -> None:
        """The scheduler left a run of a job out, since the one before had not ended."""
        self._overrun.labels(job).inc()

    def note_reload(self, outcome: Literal["applied", "refused"]) -> None:
        """The configuration was read anew."""
        self._reloads.labels(outcome).inc()

    def note_epoch(self) -> None:
        """The wall clock jumped, and stamps begin anew."""
        self._epochs.inc()

    def exposition(self, accept: str = "") -> tuple[bytes, str]:
        """All of it, and its media type, in the format that the Accept header prefers."""
        encode, media_type = choose_encoder(accept)
        return encode(self.registry), media_type

    def _count_results(self, layer: str, node: str, cell: Rollup) -> None:
        for name, attribute in _RESULTS.items():
            # A read that is judged anew keeps its result, so what is negative cancels elsewhere.
            count = getattr(cell, attribute)
            if count > 0:
                self._probes.labels(layer, node, name).inc(count)

    def _count_verdicts(self, keyspace: str, layer: str, cell: Rollup) -> None:
        for verdict in Verdict:
            count = getattr(cell, verdict.value).n
            if count:
                counter = self._verdicts if count > 0 else self._taken_back
                counter.labels(keyspace, layer, verdict.value).inc(abs(count))

    def _follow_node(self, row: NodeRow) -> None:
        is_origin = row.layer == ORIGIN
        gauge = self._origin_up if is_origin else self._node_up
        labels = (row.node,) if is_origin else (row.layer, row.node)
        if row.state == "gone":
            gauge.remove(*labels)
        else:
            gauge.labels(*labels).set(row.state == "up")

    def _leave(self, id: str) -> None:
        counted = self._open.pop(id, None)
        if counted is not None:
            self._findings.labels(*counted).dec()
