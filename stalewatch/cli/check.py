"""`stalewatch check`: is the config right, does everybody answer, can the keyspaces be judged."""

import asyncio
import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from stalewatch.cli.opening import (
    BAD_USAGE,
    DEFAULT_CONFIG,
    FOUND,
    ConfigOption,
    JsonOption,
    open_config,
    wide_console,
)

if TYPE_CHECKING:
    from stalewatch.config import Config
    from stalewatch.reach import Report


def check(
    config: ConfigOption = DEFAULT_CONFIG,
    config_only: Annotated[
        bool, typer.Option("--config-only", help="Look at the file alone; reach nobody.")
    ] = False,
    grants: Annotated[
        bool, typer.Option("--grants", help="Print the least access that reading needs.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Validate the config and reach every node, origin and channel; what works."""
    from stalewatch.clock import ObserverClock

    loaded = open_config(config, with_sources=not (config_only or grants))
    if grants:
        _print_grants(loaded, as_json=as_json)
    elif config_only:
        warnings = _warnings(loaded)
        if as_json:
            typer.echo(json.dumps({"ok": True, "warnings": warnings}))
        else:
            typer.echo(f"{config}: fine")
            _print_warnings(warnings)
    else:
        from stalewatch.reach import look

        report = asyncio.run(look(loaded, ObserverClock()))
        _print(report, _rules(loaded), _warnings(loaded), as_json=as_json)
        raise typer.Exit(_status(report))


def _status(report: "Report") -> int:
    if any(one.is_refused for one in report.keyspaces):
        return BAD_USAGE
    is_fine = all(one.ok for one in report.servers)
    return 0 if is_fine and all(one.could_look for one in report.keyspaces) else FOUND


def _rules(config: "Config") -> list[dict[str, str]]:
    """Every rule, and when it fires; one that cannot fire is a mistake in the config."""
    from stalewatch.rules import make_rules

    return [
        {
            "rule": rule.name,
            "mode": rule.mode,
            "channels": ", ".join(rule.channels),
            "fires": rule.in_words(),
        }
        for rule in make_rules(config)
    ]


def _warnings(config: "Config") -> list[str]:
    """What is no mistake, and should be known all the same."""
    from freshness.promise import weigh_promise
    from stalewatch.catalogue import tiers_of
    from stalewatch.config.objective_checks import caution_words
    from stalewatch.promises import say_promise

    tiers = tiers_of(config)
    said = [say_promise(weigh_promise(name, tiers)) for name in tiers]
    cautions = [
        f"objective {name}: {words}"
        for name in config.objectives
        for words in caution_words(config, name)
    ]
    return [*(each for each in said if each), *cautions]


def _print_warnings(warnings: list[str]) -> None:
    for each in warnings:
        typer.echo(f"warning: {each}", err=True)


def _print(
    report: "Report", rules: list[dict[str, str]], warnings: list[str], *, as_json: bool
) -> None:
    if as_json:
        keyspaces = [{**asdict(one), "refused": one.is_refused} for one in report.keyspaces]
        servers = [asdict(one) for one in report.servers]
        told = {"servers": servers, "keyspaces": keyspaces, "rules": rules, "warnings": warnings}
        typer.echo(json.dumps(told))
    else:
        _print_tables(report, rules)
        _print_warnings(warnings)
    for one in report.keyspaces:
        if one.is_refused:
            typer.echo(
                f"keyspace {one.keyspace}: no layer yields a value that can be compared with the"
                " origin's; check its keys, its version and how the layers are addressed",
                err=True,
            )


def _print_tables(report: "Report", rules: list[dict[str, str]]) -> None:
    from rich.markup import escape
    from rich.table import Table

    console = wide_console()
    servers = Table("", "layer", "node", "address", "server", "problem", title="Servers")
    for one in report.servers:
        mark = "[green]ok[/]" if one.ok else "[red]fails[/]"
        cells = (one.layer or "origin", one.name, one.address, one.server, one.problem)
        servers.add_row(mark, *map(escape, cells))
    keyspaces = Table("keyspace", "where", "found", "comparable", title="Keyspaces")
    for compared in report.keyspaces:
        for where, found in compared.found.items():
            pairs = "" if where in {"origin", "keys"} else str(compared.pairs.get(where, 0))
            keyspaces.add_row(*map(escape, (compared.keyspace, where, found, pairs)))
    fires = Table("rule", "mode", "channels", "", title="Rules")
    for rule in rules:
        fires.add_row(*map(escape, rule.values()))
    for table in (servers, keyspaces, fires):
        console.print(table)


def _print_grants(config: "Config", *, as_json: bool) -> None:
    needed = _grants(config)
    if as_json:
        typer.echo(json.dumps(needed))
        return
    for name, text in needed.items():
        typer.echo(f"# {name}\n{text}\n")


def _grants(config: "Config") -> dict[str, str]:
    from collectors.kinds import load_kinds

    caches, origins = load_kinds()
    from collectors.taps.kinds import TAPS

    needed = {}
    for name, origin in config.origins.items():
        uses = {
            k: ks.origin.binding for k, ks in config.keyspaces.items() if ks.origin.name == name
        }
        needed[f"origin {name}"] = origins[origin.kind].grants(origin, uses)
    for name, layer in config.layers.items():
        bound = {k: ks.layers[name] for k, ks in config.keyspaces.items() if name in ks.layers}
        needed[f"layer {name}"] = caches[layer.kind].grants(layer, bound)
    for name, tap in config.taps.items():
        needed[f"tap {name}"] = TAPS[tap.kind].grants(tap)
    return needed
