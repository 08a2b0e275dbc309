"""A store counted anew: its figures against the rows they rest on, and the rows against the judge.

What a crash must not part: roll-ups from reads, findings from their proof, verdicts from evidence.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from freshness.model import Verdict
from freshness.replay import TICKS_PER_SECOND, parse
from freshness.rollup import Grain, RollupKey
from store.base import FindingRow, ReadRow
from store.sqlite import SqliteStore

NS: Final = 10**9
ALL: Final = 10**9
COUNTED: Final = (Verdict.STALE, Verdict.INDETERMINATE)
DEFINITION: Final = "1"

Cell = tuple[RollupKey, Verdict]


@dataclass(frozen=True, slots=True)
class Recount:
    """How much was compared, and every disagreement in words."""

    integrity: str
    reads: int
    cells: int
    findings: int
    problems: Sequence[str]


def recount(path: Path) -> Recount:
    """Open the store as `up` would and count everything anew."""
    with closing(sqlite3.connect(path)) as connection:
        (integrity,) = connection.execute("PRAGMA integrity_check").fetchone()
    store = SqliteStore(str(path))
    try:
        reads = store.reads(limit=ALL)
        findings = store.findings(limit=ALL).items
        counted = _counted(store)
    finally:
        store.close()
    rows = _counted_rows(reads)
    problems = [
        *_unequal(counted, rows),
        *(problem for row, _ in reads for problem in _misjudged(row)),
        *(problem for finding in findings for problem in _unfounded(finding, reads)),
        *_lost_findings(findings, reads),
    ]
    return Recount(str(integrity), len(reads), len(counted | rows), len(findings), problems)


def _counted(store: SqliteStore) -> Counter[Cell]:
    """Reads that were not fresh, by series and minute, as the roll-ups count them."""
    cells: Counter[Cell] = Counter()
    for key, cell in store.rollups("minute", 0, 2**62):
        for verdict in COUNTED:
            cells[key, verdict] += getattr(cell, verdict).n
    return +cells


def _counted_rows(reads: Sequence[tuple[ReadRow, int]]) -> Counter[Cell]:
    """The same of the rows of reads."""
    cells: Counter[Cell] = Counter()
    for row, at_ns in reads:
        minute = Grain.MINUTE.floor(at_ns // NS)
        place = (row.keyspace, row.layer, row.node, row.stratum, row.max_staleness_ns)
        cells[RollupKey(minute, *place, DEFINITION), row.verdict] += 1
    return cells


def _unequal(counted: Counter[Cell], rows: Counter[Cell]) -> Iterator[str]:
    for cell in counted.keys() | rows.keys():
        if counted[cell] != rows[cell]:
            yield f"{cell}: the roll-up counts {counted[cell]}, the rows are {rows[cell]}"


def _misjudged(row: ReadRow) -> Iterator[str]:
    """Judge a row anew on its own evidence."""
    judged = dict(_verdicts(row.evidence, row.max_staleness_ns))
    if judged.get(str(row.id)) is not row.verdict:
        yield f"read {row.id} was {row.verdict} ({row.reason}), its evidence says {judged}"


def _unfounded(finding: FindingRow, reads: Sequence[tuple[ReadRow, int]]) -> Iterator[str]:
    own = [row for row, _ in reads if row.finding == finding.id]
    place = (finding.keyspace, finding.key, finding.layer, finding.node)
    if not own or any((r.keyspace, r.key, r.layer, r.node) != place for r in own):
        yield f"finding {finding.id} has no reads, or those of another copy"
    if any(row.verdict is not Verdict.STALE for row in own):
        yield f"finding {finding.id} has a read that is not stale"
    if finding.confirmed_at_ns is not None and len(own) < 2:
        yield f"finding {finding.id} is confirmed by one read"
    verdicts = _verdicts(finding.evidence, finding.max_staleness_ns)
    if not verdicts or any(verdict is not Verdict.STALE for _, verdict in verdicts):
        yield f"finding {finding.id}: its evidence does not prove it: {verdicts}"


def _lost_findings(
    findings: Sequence[FindingRow], reads: Sequence[tuple[ReadRow, int]]
) -> Iterator[str]:
    known = {finding.id for finding in findings}
    for row, _ in reads:
        if row.finding is not None and row.finding not in known:
            yield f"read {row.id} names the finding {row.finding}, which is not there"


def _verdicts(evidence: str, max_staleness_ns: int) -> list[tuple[str, Verdict]]:
    replay = parse(line.encode() for line in evidence.splitlines())
    limit = max_staleness_ns * (TICKS_PER_SECOND // NS)
    return [(read.id, judgement.verdict) for read, judgement in replay.judge(limit)]
