"""Diagnoses findings on all that the store knows, again and again until each is over and settled.

A collector says at once what its probes decide. Receipts, sequences and what other layers held come
later, or to another process: this job puts them together, a bounded piece a turn.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import structlog

from collectors.kinds import load_kinds
from freshness.causes import Cause, Diagnosis, diagnose, reconcile
from stalewatch.config.model import Config, Layer
from stalewatch.wiring import Owners
from store.base import FindingRow, Store, StoreError
from store.clues import Declared, Gatherer
from store.diagnoses import DiagnosisRow

A_TURN: Final = 20
"""Findings that one turn looks at; the next turn goes on with the others."""
MOST_DUE: Final = 1_000
SETTLED_NS: Final = 60 * 10**9
"""So long after a finding is over its evidence may still come: spans are exported in batches."""
MOST_REST_NS: Final = 20 * 10**9
"""How long a finding rests between two looks at most."""
LOOKED_BACK_NS: Final = 600 * 10**9
"""How far back a process looks for findings that were over while it was down."""

log = structlog.get_logger()


class Diagnosing:
    """Call it from worker threads, one call at a time, since it reads and writes the store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._declared: Mapping[str, Declared] = {}
        self._turns: dict[str, int] = {}

    def begin(self, config: Config, owners: Mapping[str, Owners]) -> None:
        """Go on with what this config says of its layers; `owners` are of those on a ring."""
        self._declared = {
            name: _declare(layer, owners.get(name)) for name, layer in config.layers.items()
        }

    def look(self, now_ns: int) -> Sequence[DiagnosisRow]:
        """Diagnose what has waited longest, and write what changed; what was written.

        What the store refuses is logged.
        """
        try:
            due = self._store.unsettled(now_ns - LOOKED_BACK_NS, MOST_DUE)
            self._turns = {row.id: self._turns.get(row.id, 0) for row, _ in due}
            waiting = [each for each in due if self._is_rested(each[0], now_ns)]
            chosen = sorted(waiting, key=lambda each: self._turns[each[0].id])[:A_TURN]
            gatherer = Gatherer(self._store, now_ns, self._declared) if chosen else None
            written = []
            for row, before in chosen:
                assert gatherer is not None
                self._turns[row.id] = now_ns
                told = _tell(row, diagnose(gatherer.gather(row)), now_ns)
                if _is_news(row, before, told):
                    written.append(told)
            if written:
                self._store.write_diagnoses(written)
        except StoreError as error:
            log.error("findings cannot be diagnosed", why=str(error))
            return []
        return written

    def _is_rested(self, row: FindingRow, now_ns: int) -> bool:
        """Whether enough time has passed since its last look.

        Most evidence comes just after a finding was opened, or was over: then looks are close. Each
        reads all that is stored around it, at the cost of the probes that go on meanwhile.
        """
        since_ns = now_ns - max(row.opened_at_ns, row.healed_at_ns or 0)
        return now_ns - self._turns[row.id] >= min(MOST_REST_NS, since_ns // 3)


def _tell(row: FindingRow, gathered: Diagnosis, now_ns: int) -> DiagnosisRow:
    probed = Diagnosis(Cause(row.cause), row.because, {Cause(name): "" for name in row.ruled_out})
    said = reconcile(probed, gathered)
    is_settled = row.healed_at_ns is not None and now_ns - row.healed_at_ns >= SETTLED_NS
    ruled_out = {cause.value: why for cause, why in said.ruled_out.items()}
    return DiagnosisRow(row.id, said.cause.value, said.because, now_ns, ruled_out, is_settled)


def _is_news(row: FindingRow, before: DiagnosisRow | None, told: DiagnosisRow) -> bool:
    """Whether it says another thing than readers know; the same in new figures is no news."""
    if before is None:
        is_known = (row.cause, set(row.ruled_out)) == (told.cause, set(told.ruled_out))
        return told.is_settled or not is_known
    known = before.cause, before.ruled_out.keys(), before.is_settled
    return known != (told.cause, told.ruled_out.keys(), told.is_settled)


def _declare(layer: Layer, owners: Owners | None) -> Declared:
    ttl, kind = layer.documented_ttl, load_kinds()[0][layer.kind]
    return Declared(
        ttl_s=None if ttl is None else ttl.seconds,
        ttl_jitter_s=layer.ttl_jitter.seconds,
        ages_own_copies=layer.single_tier or kind.ages_own_copies,
        fills_from=layer.fills_from,
        is_replica=layer.replica,
        owners=owners,
        is_everywhere=layer.placement == "all",
        speaks_itself=kind.speaks_itself,
    )
