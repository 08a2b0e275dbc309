"""`stalewatch slo`: objectives in the words of others, and theirs in ours."""

import json
import sys
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import typer

from stalewatch.cli.opening import DEFAULT_CONFIG, ConfigOption, JsonOption, fail, open_config

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stalewatch.config import Config
    from stalewatch.slo.openslo import NotCarried

Form = Literal["openslo", "prometheus", "promtool"]
RULE_FILE: Final = "stalewatch.rules.yml"
OutOption = Annotated[
    Path | None, typer.Option("--out", "-o", help="A file to write it to; else the terminal.")
]
app = typer.Typer(
    help="Objectives for other tools, and from them.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)


@app.callback()
def group() -> None:
    """Objectives for other tools, and from them."""


@app.command("export")
def export(
    form: Annotated[
        Form,
        typer.Option("--format", help="OpenSLO documents, Prometheus rules, or tests of these."),
    ] = "openslo",
    out: OutOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
    *,
    prometheus: Annotated[
        str, typer.Option(help="openslo: the address of the Prometheus that scrapes /metrics.")
    ] = "http://localhost:9090",
    rules: Annotated[
        str, typer.Option(help="promtool: the name of the rule file, which lies beside it.")
    ] = RULE_FILE,
) -> None:
    """Write the objectives of the config for another tool; standard error says what it cannot."""
    loaded = open_config(config, with_sources=False)
    if not loaded.objectives:
        fail(f"{config}: there are no objectives; docs/objectives.md says how to declare one")
    documents, left = _documents(loaded, form, prometheus, rules)
    _write(_yaml(documents), out)
    _tell(left)


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="A file of OpenSLO v1 documents.")],
    out: OutOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Print FILE as a section `objectives`; standard error says what could not be carried."""
    from stalewatch.config import ConfigError
    from stalewatch.slo.openslo_import import read

    try:
        imported = read(file)
    except ConfigError as error:
        fail(str(error))
    if as_json:
        left = [{"about": one.about, "what": one.what, "why": one.why} for one in imported.left]
        body = {"objectives": imported.objectives, "not_carried": left}
        _write(json.dumps(body, indent=1) + "\n", out)
        return
    _write(_yaml([{"objectives": dict(imported.objectives)}]), out)
    _tell(imported.left)


def _documents(
    config: "Config", form: Form, url: str, rule_file: str
) -> "tuple[list[Any], Sequence[NotCarried]]":
    from stalewatch.config.objective_specs import make_specs
    from stalewatch.slo.openslo import export as to_openslo
    from stalewatch.slo.rule_tests import rule_tests
    from stalewatch.slo.rules import rule_groups

    match form:
        case "openslo":
            return to_openslo(config, url)
        case "prometheus":
            return [rule_groups(make_specs(config))], []
        case "promtool":
            return [rule_tests(make_specs(config), rule_file)], []


def _yaml(documents: "Sequence[Any]") -> str:
    """One stream; texts of several lines as blocks."""
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.width = 100_000
    yaml.representer.add_representer(str, _represent_text)
    out = StringIO()
    yaml.dump_all(documents, out)
    return out.getvalue()


def _represent_text(representer: Any, text: str) -> Any:
    style = "|" if "\n" in text else None
    return representer.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _write(text: str, out: Path | None) -> None:
    if out is None:
        sys.stdout.write(text)
        return
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        fail(f"{out}: {error.strerror or error}; choose another file")


def _tell(left: "Sequence[NotCarried]") -> None:
    if left:
        typer.echo("not carried:", err=True)
    for each in left:
        typer.echo(f"  {each}", err=True)
