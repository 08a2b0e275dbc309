"""`stalewatch probe`: every key once, now, judged, as a table. Nothing is stored."""

import asyncio
import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stalewatch.cli.opening import (
    DEFAULT_CONFIG,
    FOUND,
    ConfigOption,
    JsonOption,
    fail,
    open_config,
    wide_console,
)

if TYPE_CHECKING:
    from freshness.rollup import Rollup
    from stalewatch.config import Config
    from store.base import Batch, FindingRow

COUNTS = ("fresh", "stale", "indeterminate", "unknown", "misses", "unreadable", "unanswered")


def probe(
    config: ConfigOption = DEFAULT_CONFIG,
    keyspace: Annotated[str | None, typer.Option(help="Only this keyspace.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Read every key once everywhere; exit 1 where a copy is stale or nobody answers."""
    loaded = open_config(config)
    if keyspace is not None and keyspace not in loaded.keyspaces:
        fail(f"there is no keyspace {keyspace}; there are: {', '.join(loaded.keyspaces)}")
    batches, problems = asyncio.run(_probe(loaded, keyspace))
    rows = _rows(batches)
    findings = {finding.id: finding for batch in batches for finding in batch.findings}
    if as_json:
        found = [_finding(finding) for finding in findings.values()]
        typer.echo(json.dumps({"nodes": rows, "findings": found, "problems": problems}))
    else:
        _print(rows, findings.values(), problems)
    if problems or any(row["stale"] or row["unanswered"] or not row["judged"] for row in rows):
        raise typer.Exit(FOUND)


async def _probe(config: "Config", only: str | None) -> tuple[list["Batch"], list[str]]:
    from collectors.journal import Ids
    from stalewatch.clock import ObserverClock
    from stalewatch.wiring import watch_all, wire

    batches: list[Batch] = []
    wiring = wire(config, ObserverClock())
    try:
        await watch_all(wiring, Ids(), batches.append)
        for name, watch in wiring.watches.items():
            if only in (None, name):
                for _ in range(watch.sampler.rounds_per_walk):
                    await watch.run_round()
                # A copy that lags is read again once the maximum staleness has passed.
                await asyncio.gather(*watch.waiting())
    finally:
        await wiring.close()
    problems = [problem for layer in wiring.layers.values() for problem in layer.problems]
    return batches, [*problems, *wiring.problems.values()]


def _rows(batches: Iterable["Batch"]) -> list[dict[str, Any]]:
    from freshness.rollup import Rollup

    cells: dict[tuple[str, str, str], Rollup] = {}
    for batch in batches:
        for key, cell in batch.rollups.items():
            place = (key.keyspace, key.layer, key.node)
            cells[place] = cells.get(place, Rollup()) + cell
    whys = {(row.layer, row.node): row.why for batch in batches for row in batch.nodes}
    return [
        {
            **dict(zip(("keyspace", "layer", "node"), place, strict=True)),
            **_counts(cell),
            "why": whys.get(place[1:], ""),
        }
        for place, cell in sorted(cells.items())
    ]


def _counts(cell: "Rollup") -> Mapping[str, int]:
    found = {name: getattr(cell, name) for name in ("judged", *COUNTS)}
    return {name: getattr(count, "n", count) for name, count in found.items()}


def _finding(finding: "FindingRow") -> Mapping[str, Any]:
    return {
        "id": finding.id,
        "keyspace": finding.keyspace,
        "key": finding.key,
        "layer": finding.layer,
        "node": finding.node,
        "state": finding.state,
        "held": finding.held.version,
        "latest": finding.latest.version,
        "staleness_s": [
            finding.lower_ns / 1e9,
            None if finding.upper_ns is None else finding.upper_ns / 1e9,
        ],
        "cause": finding.cause,
        "because": finding.because,
    }


def _print(
    rows: Iterable[Mapping[str, Any]], findings: Iterable["FindingRow"], problems: Iterable[str]
) -> None:
    from rich.markup import escape
    from rich.table import Table

    console = wide_console()
    table = Table("keyspace", "layer", "node", "judged", *COUNTS, "why")
    for row in rows:
        table.add_row(*(escape(str(value)) for value in row.values()))
    console.print(table)
    for finding in findings:
        console.print(
            f"[bold red]stale[/] {escape(finding.keyspace)}/{escape(finding.key)} on "
            f"{escape(finding.layer)}/{escape(finding.node)}: held {finding.held.version}, the "
            f"origin has {finding.latest.version}, for at least {finding.lower_ns / 1e9:.3f} s "
            f"({finding.state}; {finding.cause}: {escape(finding.because)})"
        )
    for problem in problems:
        console.print(f"[yellow]{escape(problem)}[/]")
