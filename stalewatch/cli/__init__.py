"""The command line: one file a command. Exit status 0 fine, 1 found something, 2 bad usage."""

from typing import Annotated

import typer

from stalewatch.cli import (
    alerts,
    backup,
    check,
    demo,
    evidence,
    init,
    judge,
    probe,
    report,
    silence,
    sweep,
    up,
)

app = typer.Typer(
    name="stalewatch",
    help="Tells whether the copies of your data that caches hold are still true.",
    no_args_is_help=True,
    invoke_without_command=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)
app.command("init")(init.init)
app.command("check")(check.check)
app.command("up")(up.up)
app.command("probe")(probe.probe)
app.command("sweep")(sweep.sweep)
app.command("report")(report.report)
app.command("judge")(judge.judge)
app.command("evidence")(evidence.evidence)
app.add_typer(silence.app, name="silence")
app.command("ack")(silence.ack)
app.command("backup")(backup.backup)
app.command("demo")(demo.demo)
app.add_typer(alerts.app, name="alerts")


@app.callback()
def common(
    *,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Tells whether the copies of your data that caches hold are still true."""
    if version:
        from importlib.metadata import version as version_of

        typer.echo(f"stalewatch {version_of('stalewatch')}")
        raise typer.Exit


def main() -> None:
    """Run the command that the arguments name."""
    app()
