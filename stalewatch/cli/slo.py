"""`stalewatch slo`: objectives as OpenSLO documents, there and back, and as Prometheus rules."""

import json
import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stalewatch.cli.opening import (
    DEFAULT_CONFIG,
    FOUND,
    ConfigOption,
    JsonOption,
    fail,
    open_config,
)

if TYPE_CHECKING:
    from stalewatch.config import Config
    from stalewatch.openslo.carried import NotCarried

STANDARD = Path("-")
app = typer.Typer(
    help="Objectives for others, and from others.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)


class Format(StrEnum):
    """What objectives are written as."""

    OPENSLO = "openslo"
    PROMETHEUS = "prometheus"
    PROMTOOL = "promtool"


@app.callback()
def group() -> None:
    """Objectives for others, and from others."""


@app.command("export")
def export(
    config: ConfigOption = DEFAULT_CONFIG,
    form: Annotated[
        Format, typer.Option("--format", help="OpenSLO v1, a rule file, or its promtool tests.")
    ] = Format.OPENSLO,
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="FILE", help="Where to; - is standard output.")
    ] = STANDARD,
    prometheus: Annotated[
        str, typer.Option("--prometheus", metavar="URL", help="Who scrapes /metrics, for OpenSLO.")
    ] = "http://localhost:9090",
    rules: Annotated[
        str, typer.Option("--rules", metavar="FILE", help="The rule file that promtool tests.")
    ] = "stalewatch.rules.yml",
    as_json: JsonOption = False,
) -> None:
    """Write the objectives of a config; what could not be carried is at its head."""
    from stalewatch.openslo.carried import as_comments
    from stalewatch.yaml_text import yaml_text

    loaded = open_config(config, with_sources=False)
    if not loaded.objectives:
        fail(f"{config}: there are no objectives to export")
    documents, lost = _exported(loaded, form, prometheus, rules)
    if as_json:
        told = {"documents": documents, "not_carried": [each.item for each in lost]}
        _write(out, json.dumps(told) + "\n")
    else:
        head = as_comments("What could not be carried:", lost)
        _write(out, head + yaml_text(documents))
    if out != STANDARD:
        _tell(lost, str(out))


def _exported(
    config: "Config", form: Format, prometheus: str, rules: str
) -> "tuple[list[dict[str, Any]], list[NotCarried]]":
    from stalewatch.config.objective_specs import make_specs
    from stalewatch.openslo.export import export as export_openslo
    from stalewatch.openslo.losses import rule_losses
    from stalewatch.slo.rule_tests import rule_tests
    from stalewatch.slo.rules import rule_groups

    if form is Format.OPENSLO:
        return export_openslo(config, prometheus)
    specs = make_specs(config)
    if form is Format.PROMTOOL:
        return [rule_tests(specs, rules)], []
    lost = [each for name in config.objectives for each in rule_losses(name)]
    return [rule_groups(specs)], lost


@app.command("import")
def read(
    file: Annotated[Path, typer.Argument(help="OpenSLO v1 documents; - is standard input.")],
    as_json: JsonOption = False,
) -> None:
    """Print the objectives of OpenSLO documents for a config; exit 1 where an SLO is none."""
    from stalewatch.config import ConfigError
    from stalewatch.config.objective_text import section_of
    from stalewatch.openslo.documents import read_documents
    from stalewatch.openslo.read import import_objectives
    from stalewatch.yaml_text import yaml_text

    text = sys.stdin.read() if file == STANDARD else None
    try:
        imported = import_objectives(read_documents(file, text))
    except ConfigError as error:
        fail(str(error))
    section, lost = section_of(imported.objectives), imported.lost
    if as_json:
        typer.echo(json.dumps({**section, "not_carried": [each.item for each in lost]}))
    else:
        typer.echo(yaml_text([section]), nl=False)
        _tell(lost, str(file))
    if imported.missing:
        raise typer.Exit(FOUND)


def _write(out: Path, text: str) -> None:
    if out == STANDARD:
        typer.echo(text, nl=False)
        return
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        fail(f"cannot write {out}: {error.strerror}")


def _tell(lost: "Sequence[NotCarried]", file: str) -> None:
    for each in lost:
        typer.echo(f"{file}:{each}" if each.line else f"{file}: {each}", err=True)
