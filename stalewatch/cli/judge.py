"""`stalewatch judge FILE`: verdicts on evidence from a file, by the engine's own code."""

import json
import sys
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from freshness.model import Verdict
from freshness.replay import EvidenceError, parse, ticks, verdict_line

FOUND, BAD_INPUT = 1, 2
SHOWN_PROBLEMS = 20


def judge(
    file: Annotated[str, typer.Argument(help="Evidence, one JSON object a line; - for stdin.")],
    max_staleness: Annotated[
        str, typer.Option(metavar="SECONDS", help="How stale a read may be and still be fresh.")
    ] = "0",
    settling: Annotated[
        str, typer.Option(metavar="SECONDS", help="Added to the receipt of each invalidation.")
    ] = "0",
    recurs: Annotated[
        bool, typer.Option(help="Whether values without a version may come back (A, B, A).")
    ] = True,
    explain: Annotated[bool, typer.Option(help="Also print the reason of each verdict.")] = False,
) -> None:
    """Judge each cache read of FILE on all the evidence in it; exit 1 where any is stale."""
    limit = _seconds("--max-staleness", max_staleness)
    extra = _seconds("--settling", settling)
    try:
        replay = parse(_lines(file), extra)
    except EvidenceError as error:
        _fail(file, error.problems)
    if not replay.reads:
        typer.echo(f"judge: {file}: no cache_read in it, so nothing to judge", err=True)
    replay.recurs = recurs
    found_stale = False
    for read, judgement in replay.judge(limit):
        line = verdict_line(read, judgement)
        if explain:
            line["reason"] = judgement.reason.value
        sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
        found_stale = found_stale or judgement.verdict is Verdict.STALE
    sys.stdout.flush()
    if found_stale:
        raise typer.Exit(FOUND)


def _lines(file: str) -> list[bytes]:
    try:
        content = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        return content.split(b"\n")
    except OSError as error:
        typer.echo(f"judge: cannot read {file}: {error.strerror}", err=True)
        raise typer.Exit(BAD_INPUT) from None


def _fail(file: str, problems: Iterable[str]) -> NoReturn:
    problems = list(problems)
    for problem in problems[:SHOWN_PROBLEMS]:
        typer.echo(f"judge: {file}: {problem}", err=True)
    if len(problems) > SHOWN_PROBLEMS:
        typer.echo(f"judge: {file}: and {len(problems) - SHOWN_PROBLEMS} more", err=True)
    raise typer.Exit(BAD_INPUT)


def _seconds(option: str, text: str) -> int:
    try:
        number = ticks(Decimal(text))
    except (InvalidOperation, OverflowError):
        number = -1
    if number < 0:
        typer.echo(f"judge: {option} takes seconds, zero or more, not {text!r}", err=True)
        raise typer.Exit(BAD_INPUT)
    return number
