"""`stalewatch up`: everything in one process, until a signal ends it."""

import asyncio
from typing import Annotated

import typer

from stalewatch.cli.opening import (
    DEFAULT_CONFIG,
    ConfigOption,
    fail,
    open_config,
    open_store,
)


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
    store = open_store(loaded)

    from stalewatch.listening import AddressError
    from stalewatch.service import Service

    try:
        service = Service(loaded, store, config_file=config, listen=address)
        asyncio.run(service.serve())
    except (AddressError, ValueError) as error:
        fail(str(error))
    finally:
        store.close()
    if not service.has_started:
        raise typer.Exit(1)
