"""`stalewatch evidence FINDING`: what a finding rests on, as the lines that `judge` reads."""

import sys
from typing import Annotated

import typer

from stalewatch.cli.opening import (
    DEFAULT_CONFIG,
    ConfigOption,
    fail,
    open_config,
    open_existing_store,
)


def evidence(
    finding: Annotated[str, typer.Argument(help="Id of the finding.")],
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Print the evidence of FINDING, to be piped into `stalewatch judge -`."""
    from store.base import StoreError

    store = open_existing_store(open_config(config, with_sources=False))
    try:
        found = store.finding(finding)
    except StoreError as error:
        fail(str(error))
    finally:
        store.close()
    if found is None:
        fail(f"there is no finding {finding}; the Overview and /api/v1/findings list them")
    sys.stdout.write(found.evidence.rstrip("\n") + "\n")
