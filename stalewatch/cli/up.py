"""`stalewatch up`: everything in one process, until a signal ends it."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stalewatch.cli.opening import (
    DEFAULT_CONFIG,
    ConfigOption,
    fail,
    open_config,
    open_store,
)

if TYPE_CHECKING:
    from settings import Address
    from stalewatch.config import Config


def up(
    config: ConfigOption = DEFAULT_CONFIG,
    listen: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Listen here instead; 0 picks a port.")
    ] = None,
    log_json: Annotated[bool, typer.Option("--log-json", help="Log JSON lines.")] = False,
) -> None:
    """Probe, judge, store and show. SIGHUP reads the config anew; SIGTERM ends it in good order."""
    from settings import Address
    from stalewatch.logs import set_up_logs

    set_up_logs(as_json=log_json)
    loaded = open_config(config)
    try:
        address = Address.parse(listen) if listen is not None else loaded.server.listen
    except ValueError as error:
        fail(f"--listen: {error}")
    if loaded.server.auth is None and not address.is_loopback:
        fail(f"--listen: {address} can be reached from other machines; set server.auth first")

    from stalewatch.lock import LockedError, StoreLock

    try:
        with StoreLock(loaded.store.path):
            _serve(loaded, config, address)
    except LockedError as error:
        fail(str(error))


def _serve(loaded: "Config", file: Path, address: "Address") -> None:
    from stalewatch.listening import AddressError
    from stalewatch.service import Service
    from stalewatch.tracing import set_up_tracing

    store = open_store(loaded)
    send_last_spans = set_up_tracing()
    try:
        service = Service(loaded, store, config_file=file, listen=address)
        asyncio.run(service.serve())
    except (AddressError, ValueError) as error:
        fail(str(error))
    finally:
        store.close()
        send_last_spans()
    if not service.has_started:
        raise typer.Exit(1)
