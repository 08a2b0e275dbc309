"""What several commands open: the config file and the store that it names."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from stalewatch.config import Config
    from store.sqlite import SqliteStore

WIDE = 140
"""Columns of a table that goes to no terminal."""
FINE, FOUND, BAD_USAGE = 0, 1, 2
ConfigOption = Annotated[
    Path,
    typer.Option("--config", "-c", envvar="STALEWATCH_CONFIG", help="The config file."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
DEFAULT_CONFIG = Path("stalewatch.yaml")


def open_config(path: Path, *, with_sources: bool = True) -> "Config":
    """The config, or an exit with every mistake in it."""
    from stalewatch.config import ConfigError, load

    try:
        return load(path, with_sources=with_sources)
    except ConfigError as error:
        fail(str(error))


def open_store(config: "Config") -> "SqliteStore":
    """The store of a config, or an exit with what is wrong with it."""
    from store.base import StoreError
    from store.retention import Retention
    from store.sqlite import SqliteStore

    kept = config.store.retention
    retention = Retention(
        facts_s=round(kept.facts.seconds),
        minutes_s=round(kept.minutes.seconds),
        hours_s=round(kept.hours.seconds),
        days_s=round(kept.days.seconds),
        findings_s=round(kept.findings.seconds),
    )
    try:
        return SqliteStore(str(config.store.path), retention=retention)
    except StoreError as error:
        fail(str(error))


def open_existing_store(config: "Config") -> "SqliteStore":
    """As `open_store`, for commands that make no new one."""
    if not config.store.path.exists():
        fail(f"{config.store.path}: there is no store; `stalewatch up` makes it")
    return open_store(config)


def wide_console() -> "Console":
    """Where tables go: a terminal as it is, anything else as wide as they need."""
    from rich.console import Console

    console = Console()
    return console if console.is_terminal else Console(width=WIDE)


def fail(message: str) -> NoReturn:
    """Say what is wrong, and end with the status for bad usage."""
    typer.echo(message, err=True)
    raise typer.Exit(BAD_USAGE)
