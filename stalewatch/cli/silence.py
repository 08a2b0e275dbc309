"""`stalewatch silence` and `stalewatch ack`: what people say of alerts, from a shell."""

import getpass
import json
import secrets
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from stalewatch.cli.opening import (
    DEFAULT_CONFIG,
    ConfigOption,
    JsonOption,
    fail,
    open_config,
    open_existing_store,
    wide_console,
)

if TYPE_CHECKING:
    from store.silences import Matcher, SilenceRow
    from store.sqlite import SqliteStore

DAY_NS = 86_400 * 10**9
app = typer.Typer(
    help="Keep alerts from being told for a while: add, list or end a silence.",
    no_args_is_help=True,
)
CreatorOption = Annotated[
    str | None, typer.Option(metavar="NAME", help="Who you are; your user name where left out.")
]


@app.command("add")
def add(
    matchers: Annotated[
        list[str],
        typer.Argument(metavar="MATCHER...", help="node=n1, layer!=edge, node=~'eu-.*', rule=…"),
    ],
    for_: Annotated[str, typer.Option("--for", metavar="DURATION", help="How long: 2h.")],
    comment: Annotated[str, typer.Option(help="Why.")],
    after: Annotated[
        str, typer.Option(metavar="DURATION", help="Begin so long from now: 30m.")
    ] = "0s",
    creator: CreatorOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Keep alerts that all matchers match from being told; prints the id of the silence."""
    from store.silences import SilenceRow

    length_ns, wait_ns = _duration("--for", for_), _duration("--after", after)
    if not length_ns:
        fail("--for: expected some time")
    if not comment.strip():
        fail("--comment: expected why")
    now_ns = time.time_ns()
    row = SilenceRow(
        secrets.token_hex(6),
        _matchers(matchers),
        creator or getpass.getuser(),
        comment,
        now_ns + wait_ns,
        now_ns + wait_ns + length_ns,
        now_ns,
    )
    store = _open(config)
    try:
        store.write_silence(row)
        _print(store, [row], as_json=as_json)
    finally:
        store.close()


@app.command("list")
def list_(config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """Print silences, those that ended in the last seven days too, and what each suppresses."""
    store = _open(config)
    try:
        _print(store, store.silences(time.time_ns() - 7 * DAY_NS), as_json=as_json)
    finally:
        store.close()


@app.command("end")
def end(
    id: Annotated[str, typer.Argument(metavar="SILENCE", help="Its id.")],
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """End a silence now: what still fires is told."""
    store = _open(config)
    try:
        if store.end_silence(id, time.time_ns()) is None:
            fail(f"there is no silence {id}; `stalewatch silence list` has those that there are")
    finally:
        store.close()


def ack(
    alert: Annotated[str, typer.Argument(help="Id of an alert that fires.")],
    comment: Annotated[str, typer.Option(help="What is being done.")] = "",
    creator: CreatorOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Acknowledge ALERT: this firing of it is not repeated."""
    from store.silences import AckRow

    store = _open(config)
    try:
        firing = {row.id: row.firing_since_ns for row in store.alerts() if row.state == "firing"}
        since_ns = firing.get(alert)
        if since_ns is None:
            known = ", ".join(firing) or "nothing"
            fail(f"alert {alert} does not fire; what fires: {known}")
        by = creator or getpass.getuser()
        store.acknowledge(AckRow(alert, since_ns, by, comment, time.time_ns()))
    finally:
        store.close()


def _open(config: "ConfigOption") -> "SqliteStore":
    return open_existing_store(open_config(config, with_sources=False))


def _duration(option: str, text: str) -> int:
    from settings import Duration

    try:
        return Duration.parse(text).ns
    except ValueError as error:
        fail(f"{option}: {error}")


def _matchers(texts: Sequence[str]) -> "tuple[Matcher, ...]":
    from store.matching import check_matchers, parse_matcher

    try:
        matchers = tuple(parse_matcher(text) for text in texts)
        check_matchers(matchers)
    except ValueError as error:
        fail(str(error))
    return matchers


def _print(store: "SqliteStore", rows: "Sequence[SilenceRow]", *, as_json: bool) -> None:
    from stalewatch.api.silences import silence_item
    from store.matching import write_matcher

    now_ns, alerts = time.time_ns(), store.alerts()
    items = [silence_item(row, alerts, now_ns) for row in rows]
    if as_json:
        typer.echo(json.dumps({"items": items}))
        return
    from rich.markup import escape
    from rich.table import Table

    table = Table("silence", "", "matchers", "until", "by", "comment", "suppresses")
    for row, item in zip(rows, items, strict=True):
        matchers = ", ".join(map(write_matcher, row.matchers))
        until = item["ends_at"][:19] + "Z"
        cells = (row.id, item["state"], matchers, until, row.creator, row.comment)
        table.add_row(*map(escape, cells), f"{len(item['suppresses'])} alerts")
    wide_console().print(table)
