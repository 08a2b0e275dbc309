"""`stalewatch backup PATH`: a copy of the store while it is in use."""

from pathlib import Path
from typing import Annotated

import typer

from stalewatch.cli.opening import (
    DEFAULT_CONFIG,
    ConfigOption,
    fail,
    open_config,
    open_existing_store,
)


def backup(
    path: Annotated[Path, typer.Argument(help="The new file; one that exists is left alone.")],
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Copy the store to PATH, also while `up` is running on it."""
    from store.base import StoreError

    store = open_existing_store(open_config(config, with_sources=False))
    try:
        store.backup(str(path))
    except StoreError as error:
        fail(str(error))
    finally:
        store.close()
    typer.echo(f"{path}: {path.stat().st_size:,} bytes")
