"""`stalewatch sweep`: every entry of a layer against its origin, by the `up` that runs or here."""

import asyncio
import json
import secrets
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stalewatch.cli.opening import (
    DEFAULT_CONFIG,
    FOUND,
    ConfigOption,
    JsonOption,
    fail,
    open_config,
    open_store,
    wide_console,
)

if TYPE_CHECKING:
    from stalewatch.config import Config
    from store.base import Store
    from store.sweeps import NodeSwept, SweepRow

LOOK_S, LINE_S = 0.5, 5.0


def sweep(
    layer: Annotated[str | None, typer.Argument(help="The layer to sweep.")] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    keyspace: Annotated[
        str | None, typer.Option(help="The keyspace, if several are on it.")
    ] = None,
    node: Annotated[str, typer.Option(help="Only this node of the layer.")] = "",
    limit: Annotated[
        str | None, typer.Option(metavar="RATE", help="Batches for each node, such as 200/s.")
    ] = None,
    resume: Annotated[str | None, typer.Option(metavar="ID", help="Go on with this one.")] = None,
    stop: Annotated[str | None, typer.Option(metavar="ID", help="Have this one rest.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Audit every entry of a layer while writes go on; exit 1 where one is proven stale.

    Where `up` runs on the store, it sweeps within its budgets, and this shows how far it is.
    Interrupted here, a sweep rests until it is resumed.
    """
    loaded = open_config(config)
    store = open_store(loaded)
    try:
        if stop is not None:
            store.pause_sweep(_known(store, stop).id, is_paused=True)
            return
        row = _known(store, resume) if resume is not None else _asked(loaded, layer, keyspace, node)
        store.ask_sweep(replace(row, state="asked"))
        store.pause_sweep(row.id, is_paused=False)
        done = _run(_limited(loaded, row.layer, limit), store, row, is_quiet=as_json)
    finally:
        store.close()
    _tell(done, as_json=as_json)
    if done.state != "done" or any(each.wrong for each in done.nodes):
        raise typer.Exit(FOUND)


def _known(store: "Store", id: str) -> "SweepRow":
    row = store.sweep(id)
    if row is None:
        known = ", ".join(each.id for each in store.sweeps(limit=5)) or "none"
        fail(f"there is no sweep {id}; the newest are: {known}")
    return row


def _asked(config: "Config", layer: str | None, keyspace: str | None, node: str) -> "SweepRow":
    from store.sweeps import SweepRow

    if layer is None or layer not in config.layers:
        fail(f"expected a layer: {', '.join(config.layers)}")
    on_it = [name for name, each in config.keyspaces.items() if layer in each.layers]
    if keyspace is None and len(on_it) == 1:
        keyspace = on_it[0]
    if keyspace not in on_it:
        fail(f"expected --keyspace, one of those on {layer}: {', '.join(on_it)}")
    now_ns = time.time_ns()
    return SweepRow(secrets.token_hex(6), keyspace, layer, node, "asked", now_ns, now_ns)


def _limited(config: "Config", layer: str, limit: str | None) -> "Config":
    """The config with another budget for the nodes of the layer."""
    if limit is None:
        return config
    from settings import Rate

    try:
        rate = Rate.parse(limit)
    except ValueError as error:
        fail(f"--limit: {error}")
    changed = config.layers[layer].model_copy(update={"limit": rate})
    return config.model_copy(update={"layers": {**config.layers, layer: changed}})


def _run(config: "Config", store: "Store", row: "SweepRow", *, is_quiet: bool) -> "SweepRow":
    from stalewatch.lock import LockedError, StoreLock

    try:
        with StoreLock(config.store.path):
            return asyncio.run(_sweep_here(config, store, row, is_quiet=is_quiet))
    except LockedError:
        return _follow(store, row, is_quiet=is_quiet)


async def _sweep_here(
    config: "Config", store: "Store", row: "SweepRow", *, is_quiet: bool
) -> "SweepRow":
    """Nobody else watches: connect, sweep and let go."""
    import signal

    from collectors.journal import Ids
    from stalewatch.clock import ObserverClock
    from stalewatch.sweeping import sweep_here
    from stalewatch.wiring import watch_all, wire
    from stalewatch.writer import StoreWriter

    writer = StoreWriter(store, lambda *_: None)
    writer.start()
    wiring = wire(config, ObserverClock())
    try:
        await watch_all(wiring, Ids(*store.last_ids()), writer.put)
        known = {name for at, name in _nodes(wiring) if at == row.layer}
        if row.node and row.node not in known:
            fail(f"--node: {row.layer} has no node {row.node}; it has: {', '.join(sorted(known))}")
        task = asyncio.create_task(sweep_here(row, wiring))
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, task.cancel)
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        telling = asyncio.create_task(asyncio.to_thread(_follow, store, row, is_quiet=is_quiet))
        await asyncio.gather(task, return_exceptions=True)
    finally:
        await wiring.close()
        writer.close(timeout_s=60)
    return await telling


def _nodes(wiring: Any) -> list[tuple[str, str]]:
    return [(name, node) for name, layer in wiring.layers.items() for node in layer.nodes]


def _follow(store: "Store", row: "SweepRow", *, is_quiet: bool) -> "SweepRow":
    """Say how far it is until it is over or rests."""
    told_at, began = 0.0, time.monotonic()
    try:
        while True:
            time.sleep(LOOK_S)
            now = store.sweep(row.id) or row
            has_moved = now.updated_at_ns != row.updated_at_ns
            if has_moved and now.state in ("done", "failed", "paused"):
                return now
            if not is_quiet and time.monotonic() - told_at >= LINE_S:
                told_at = time.monotonic()
                typer.echo(_progress(now, row, told_at - began), err=True)
    except KeyboardInterrupt:
        store.pause_sweep(row.id, is_paused=True)
        return store.sweep(row.id) or row


def _progress(now: "SweepRow", first: "SweepRow", passed_s: float) -> str:
    """How much is done, how fast, and how long the rest may take."""
    from dashboard.wording import duration
    from store.sweeps import total_of

    done, before = total_of(now.nodes), total_of(first.nodes)
    if now.state == "asked":
        return f"sweep {now.id}: waits for `up` to take it up"
    rate = (done.entries + done.gone - before.entries - before.gone) / max(passed_s, 0.1)
    words = f"sweep {now.id}: {done.entries:,} entries, {rate:,.0f}/s, {done.wrong:,} wrong"
    if now.expected:
        whole = now.expected * max(1, len(now.nodes))
        left = max(0, whole - done.entries - done.gone - done.unknown)
        words += f", {min(1.0, 1 - left / whole):.0%} of about {whole:,}"
        words += f", {duration(left / rate * 1e9)} left" if rate > 0 else ""
    return words


def _tell(row: "SweepRow", *, as_json: bool) -> None:
    if as_json:
        from stalewatch.api.sweeps import sweep_item

        typer.echo(json.dumps(sweep_item(row)))
        return
    from rich.table import Table

    from store.sweeps import total_of

    counted = ("entries", "right", "wrong", "indeterminate", "unknown", "gone", "misplaced")
    table = Table("node", *counted, "(E)")
    for each in (*row.nodes, total_of(row.nodes)):
        table.add_row(*_cells(each))
    console = wide_console()
    console.print(table)
    console.print(f"sweep {row.id}: {row.state}{f', {row.why}' if row.why else ''}", markup=False)
    if row.state == "paused":
        console.print(f"go on with it: stalewatch sweep --resume {row.id}", markup=False)


def _cells(each: "NodeSwept") -> list[str]:
    from freshness.resident import resident

    found = resident(each.right, each.wrong, each.indeterminate)
    share = "unknown"
    if found is not None:
        low, high = found.sampling.low, found.sampling.high
        share = f"{found.good:.5%} ({low:.5%} to {high:.5%})"
    counts = (each.entries, each.right, each.wrong, each.indeterminate, each.unknown, each.gone)
    return [each.node or "all", *(f"{count:,}" for count in (*counts, each.misplaced)), share]
