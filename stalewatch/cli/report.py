"""`stalewatch report`: the report of a week, as it was told or made anew."""

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

from stalewatch.cli.opening import (
    DEFAULT_CONFIG,
    FOUND,
    ConfigOption,
    JsonOption,
    fail,
    open_config,
    open_existing_store,
)

if TYPE_CHECKING:
    from reports.ask import Ask, Subscription
    from reports.document import ReportDocument
    from stalewatch.config import Config
    from store.base import Store

NS: Final = 10**9
Format = Literal["text", "json", "csv"]


def report(
    name: Annotated[
        str | None, typer.Argument(help="Which of the `reports` of the config; else the first.")
    ] = None,
    week: Annotated[
        str | None,
        typer.Option(help="The week, such as 2026-W47; left out, the one that runs, so far."),
    ] = None,
    form: Annotated[Format, typer.Option("--format", help="How it is written.")] = "text",
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="A file to write it to; else the terminal."),
    ] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    *,
    recompute: Annotated[
        bool,
        typer.Option(
            "--recompute",
            help="Make it anew from the store, although it was told; 1 where numbers differ.",
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Print the report of a week: what was promised, what was kept, who spent the budget.

    A week that was told is printed as it was told, to the digit; any other is made from the store.
    """
    from store.base import StoreError

    loaded = open_config(config, with_sources=False)
    ask = _ask(loaded, name, week)
    store = open_existing_store(loaded)
    try:
        told, document = _documents(store, loaded, ask, recompute=recompute)
    except StoreError as error:
        fail(str(error))
    finally:
        store.close()
    _write(_formed(document, "json" if as_json else form), out)
    if told is not None and told != document:
        typer.echo(_differing(told, document), err=True)
        raise typer.Exit(FOUND)


def _ask(config: "Config", name: str | None, week: str | None) -> "Ask":
    from reports.ask import ask_for, running
    from reports.weeks import Week

    subscription, now_s = _subscription(config, name), time.time_ns() // NS
    if week is None:
        return running(subscription, now_s)
    try:
        return ask_for(subscription, Week.parse(week), now_s)
    except ValueError as error:
        fail(f"--week: {error}")


def _subscription(config: "Config", name: str | None) -> "Subscription":
    from stalewatch.config.wording import did_you_mean
    from stalewatch.reporting import subscriptions_of

    declared = {each.name: each for each in subscriptions_of(config)}
    if name is None:
        return next(iter(declared.values()))
    if name not in declared:
        fail(f"no report {name!r} in the config{did_you_mean(name, declared)}")
    return declared[name]


def _documents(
    store: "Store", config: "Config", ask: "Ask", *, recompute: bool
) -> "tuple[ReportDocument | None, ReportDocument]":
    """What was told, None where nothing was, and what is to be printed."""
    from reports.document import ReportDocument
    from reports.make import make_report
    from stalewatch.config.objective_specs import make_specs

    row = store.report(ask.subscription.name, str(ask.week))
    told = None if row is None else ReportDocument.from_json(row.document)
    if told is not None and not recompute:
        return None, told
    return told, make_report(store, make_specs(config), ask)


def _formed(document: "ReportDocument", form: Format) -> str:
    from reports.csv_form import to_csv
    from reports.text import to_text

    match form:
        case "json":
            return f"{document.to_json()}\n"
        case "csv":
            return to_csv(document)
        case "text":
            return to_text(document)


def _write(text: str, out: Path | None) -> None:
    if out is None:
        sys.stdout.write(text)
        return
    try:
        out.write_text(text)
    except OSError as error:
        fail(f"{out}: {error.strerror or error}; choose another file")


def _differing(told: "ReportDocument", made: "ReportDocument") -> str:
    """Which parts are not as they were told: evidence that came late, or rows that are gone."""
    names = [
        field for field in told.__dataclass_fields__ if getattr(told, field) != getattr(made, field)
    ]
    return f"not as it was told: {', '.join(names)}"
