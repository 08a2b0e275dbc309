"""`stalewatch alerts test`: when rules would have fired on the history that is stored."""

import json
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from stalewatch.cli.opening import (
    DEFAULT_CONFIG,
    FOUND,
    ConfigOption,
    JsonOption,
    fail,
    open_config,
    open_existing_store,
    wide_console,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alerts.replay import Firing, Replayed
    from alerts.rules import Rule
    from stalewatch.rule_history import Stretch
    from store.base import Store

NS: Final = 10**9
LINE_S: Final = 5.0
MOST_SHOWN: Final = 20
MOST_WHYS: Final = 3
app = typer.Typer(
    help="Rules and what they do.", no_args_is_help=True, pretty_exceptions_show_locals=False
)


@app.callback()
def group() -> None:
    """Rules and what they do."""


@app.command("test")
def run_on_history(
    rule: Annotated[
        str | None, typer.Argument(help="The rule, as the config or `check` names it; else all.")
    ] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    since: Annotated[str, typer.Option(metavar="DURATION", help="How far back.")] = "7d",
    step: Annotated[
        str, typer.Option(metavar="DURATION", help="From one look to the next, 1m at most.")
    ] = "1m",
    as_json: JsonOption = False,
) -> None:
    """Run rules on stored history: when each would have fired; exit 1 where one would have.

    Nothing is written and nobody is told.
    """
    from stalewatch.rule_history import kept_of
    from stalewatch.rules import make_rules
    from store.base import StoreError

    loaded = open_config(config, with_sources=False)
    rules = _chosen(make_rules(loaded), rule)
    now_ns = time.time_ns()
    stretch = _stretch(since, step, now_ns)
    store = open_existing_store(loaded)
    try:
        kept = kept_of(loaded, now_ns)
        ran = [(each, _run(each, store, stretch, kept)) for each in rules]
    except StoreError as error:
        fail(str(error))
    finally:
        store.close()
    if as_json:
        typer.echo(json.dumps([_item(*each) for each in ran]))
    else:
        _print(ran)
    if any(done.firings for _, done in ran):
        raise typer.Exit(FOUND)


def _chosen(rules: "Sequence[Rule]", name: str | None) -> "Sequence[Rule]":
    from stalewatch.config.wording import did_you_mean

    if name is None:
        return [rule for rule in rules if rule.kind != "watchdog"]
    known = {rule.name: rule for rule in rules}
    if name not in known:
        fail(f"there is no rule {name}{did_you_mean(name, known)}; there are: {', '.join(known)}")
    return [known[name]]


def _stretch(since: str, step: str, now_ns: int) -> "Stretch":
    from settings import Duration
    from stalewatch.rule_history import Stretch

    lengths = {}
    for option, text in (("--since", since), ("--step", step)):
        try:
            lengths[option] = Duration.parse(text).ns
        except ValueError as error:
            fail(f"{option}: {error}")
    try:
        return Stretch.before(now_ns, lengths["--since"], lengths["--step"])
    except ValueError as error:
        fail(f"--step: {error}")


def _run(rule: "Rule", store: "Store", stretch: "Stretch", kept: Any) -> "Replayed":
    from stalewatch.rule_history import run_rule

    told_at = time.monotonic()

    def tell(at_ns: int) -> None:
        nonlocal told_at
        if time.monotonic() - told_at >= LINE_S:
            told_at = time.monotonic()
            done = (at_ns - stretch.since_ns) / (stretch.until_ns - stretch.since_ns)
            typer.echo(f"{rule.name}: {done:.0%}", err=True)

    return run_rule(rule, store, stretch, kept, tell)


def _item(rule: "Rule", done: "Replayed") -> dict[str, Any]:
    return {
        "rule": rule.name,
        "kind": rule.kind,
        "fires": rule.in_words(),
        "since_ns": done.since_ns,
        "until_ns": done.until_ns,
        "count": len(done.firings),
        "longest_s": done.longest_ns / NS,
        "fired_s": done.fired_ns / NS,
        "share": done.share,
        "looks": done.looks,
        "unknown_looks": done.unknown_looks,
        "blind": done.is_blind,
        "unknown": _whys(done),
        "firings": [_firing(each) for each in done.firings],
    }


def _firing(each: "Firing") -> dict[str, Any]:
    return {
        "labels": dict(each.labels),
        "since_ns": each.since_ns,
        "until_ns": each.until_ns,
        "began_before": each.is_older,
        "summary": each.summary,
    }


def _whys(done: "Replayed") -> dict[str, int]:
    """Why looks could not say, the most frequent reasons first."""
    ranked = sorted(done.unknown.items(), key=lambda each: (-each[1], each[0]))
    return dict(ranked[:MOST_WHYS])


def _print(ran: "Sequence[tuple[Rule, Replayed]]") -> None:
    from rich.markup import escape
    from rich.table import Table

    from alerts.rules.base import in_seconds

    console = wide_console()
    table = Table("rule", "fired", "longest", "share of time", "looks", "unknown", title="Rules")
    for rule, done in ran:
        longest = in_seconds(done.longest_ns) if done.firings else ""
        share, unknown = f"{done.share:.2%}", f"{done.unknown_looks:,}"
        fired = f"{len(done.firings)}"
        table.add_row(escape(rule.name), fired, longest, share, f"{done.looks:,}", unknown)
    console.print(table)
    for rule, done in ran:
        if done.firings:
            console.print(_firings_table(rule, done))
    for rule, done in ran:
        if done.is_blind:
            whys = "; ".join(f"{why} ({n:,})" for why, n in _whys(done).items())
            console.print(
                f"{rule.name}: whether it would have fired cannot be told: {whys or 'no looks'}",
                markup=False,
            )


def _firings_table(rule: "Rule", done: "Replayed") -> Any:
    from rich.markup import escape
    from rich.table import Table

    from alerts.rules.base import in_seconds

    table = Table("from", "to", "for", "what", "", title=f"{rule.name}: {rule.in_words()}")
    for each in done.firings[-MOST_SHOWN:]:
        until_ns = done.until_ns if each.until_ns is None else each.until_ns
        since = ("before " if each.is_older else "") + _utc(each.since_ns)
        until = "still fires" if each.until_ns is None else _utc(until_ns)
        labels = ", ".join(f"{name} {value}" for name, value in each.labels.items())
        length = in_seconds(until_ns - each.since_ns)
        table.add_row(since, until, length, escape(labels), escape(each.summary))
    more = len(done.firings) - MOST_SHOWN
    table.caption = f"and {more} before these" if more > 0 else None
    return table


def _utc(at_ns: int) -> str:
    return datetime.fromtimestamp(at_ns / NS, UTC).strftime("%Y-%m-%d %H:%M:%S")
