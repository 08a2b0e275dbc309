"""`stalewatch init`: a commented config to start from."""

from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

BAD_USAGE = 2
TEMPLATE = "template.yaml"


def template() -> str:
    """The commented config."""
    return files("stalewatch.config").joinpath(TEMPLATE).read_text(encoding="utf-8")


def init(
    path: Annotated[
        Path | None, typer.Argument(help="Where to write it; standard output where left out.")
    ] = None,
) -> None:
    """Write a commented config; an existing file is never overwritten."""
    if path is None:
        typer.echo(template(), nl=False)
        return
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(template())
    except FileExistsError:
        typer.echo(f"init: {path} is there already; name another file or remove it", err=True)
        raise typer.Exit(BAD_USAGE) from None
    except OSError as error:
        typer.echo(f"init: cannot write {path}: {error.strerror}", err=True)
        raise typer.Exit(BAD_USAGE) from None
    typer.echo(f"{path}: fill it in, then run: stalewatch check --config {path}", err=True)
