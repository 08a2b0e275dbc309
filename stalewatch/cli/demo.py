"""`stalewatch demo`: a small shop with real caches and faults, and `up` on it."""

import asyncio
import contextlib
import json
import tempfile
import webbrowser
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stalewatch.cli.opening import JsonOption, fail, open_config, open_store, wide_console
from stalewatch.cli.scored import score_run

if TYPE_CHECKING:
    from lab.start import Lab
    from stalewatch.config import Config
    from stalewatch.service import Service
    from store.base import Store

WHAT_TO_SEE = """
  {address}
  {inbox}  the inbox of whoever is on call

  The first fault strikes within ten seconds, then one about every ten. On the Overview,
  the heatmap shows which copies are stale, on which layer and node, and for how long; open
  a finding to see its evidence on the page of its key. Ctrl-C ends everything.

  For commands in another shell: export STALEWATCH_CONFIG={config}
"""


def demo(
    port: Annotated[int, typer.Option(help="Port of the web UI; 0 picks one.")] = 8080,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Open no browser.")] = False,
    for_: Annotated[
        str | None,
        typer.Option("--for", metavar="DURATION", help="End after so long (120s) with a score."),
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same faults.")] = 1,
    as_json: JsonOption = False,
) -> None:
    """Start a shop with faults on this machine, watch it, and score what was found."""
    from settings import Address, Duration
    from stalewatch.logs import set_up_logs

    set_up_logs(is_quiet=True)
    try:
        seconds = None if for_ is None else Duration.parse(for_).seconds
        address = Address.parse(f"127.0.0.1:{port}")
    except ValueError as error:
        fail(f"demo: {error}")
    with tempfile.TemporaryDirectory(prefix="stalewatch-demo-") as folder:
        result = _run(Path(folder), seed, address, seconds, opens_browser=not no_browser)
    if as_json:
        typer.echo(json.dumps(result))
    else:
        _print(result)


def _run(
    folder: Path, seed: int, address: Any, seconds: float | None, *, opens_browser: bool
) -> dict[str, Any]:
    from lab.start import LabError, start_lab

    try:
        with ThreadPoolExecutor(1) as starter:
            starting = starter.submit(start_lab, folder, seed, listen=str(address))
            # Loading the server takes as long as the shop does to open.
            import stalewatch.service  # noqa: F401
        with starting.result() as lab:
            config = open_config(lab.config)
            store = open_store(config)
            try:
                return _watch(lab, config, store, seconds, opens_browser=opens_browser)
            finally:
                store.close()
    except LabError as error:
        fail(f"demo: the shop did not start: {error}")


def _watch(
    lab: "Lab", config: "Config", store: "Store", seconds: float | None, *, opens_browser: bool
) -> dict[str, Any]:
    from stalewatch.listening import AddressError
    from stalewatch.service import Service

    def ready(address: str) -> None:
        told = WHAT_TO_SEE.format(address=address, config=lab.config, inbox=lab.inbox)
        typer.echo(told, err=True)
        if opens_browser:
            with contextlib.suppress(webbrowser.Error):
                webbrowser.open(address)

    service = Service(config, store, ready=ready)
    try:
        asyncio.run(_serve(service, seconds))
    except AddressError as error:
        fail(f"demo: {error}")
    return score_run(lab, config, store)


async def _serve(service: "Service", seconds: float | None) -> None:
    if seconds is not None:
        asyncio.get_running_loop().call_later(seconds, service.stop)
    await service.serve()


def _print(result: dict[str, Any]) -> None:
    from rich.table import Table

    console = wide_console()
    table = Table("fault", "layer", "node", "keys", "stale for", "found after")
    for fault in result["faults"]:
        after = fault["found_after_s"]
        found = f"{after:.2f} s" if after is not None else ("missed" if fault["eligible"] else "–")
        keys = ", ".join(fault["keys"][:4]) + (" …" if len(fault["keys"]) > 4 else "")
        table.add_row(
            fault["kind"], fault["layer"], fault["node"], keys, f"{fault['stale_s']:.2f} s", found
        )
    score, findings = result["score"], len(result["findings"])
    if not result["faults"]:
        console.print(
            f"{findings} findings; no fault is scored, since none began early enough to be judged"
        )
        return
    console.print(table)
    console.print(
        f"{score['injected']} faults that outlasted the probe interval, {score['found']} found, "
        f"{score['missed']} missed, {score['false']} findings that were false"
    )
