"""Counters of a Varnish on this machine: `varnishstat -n DIR -j`, a process with a time-out.

varnishstat reads the shared memory of the varnishd whose working directory it is given, so it
costs Varnish nothing, and works on the machine of Varnish alone, for a user who may read there.
Threads of Varnish add what they have counted when they come to rest, about a second late.
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import orjson

from collectors.base import NowNs
from collectors.counters.base import CounterSample, total, whole
from collectors.options import shown
from freshness.counters import Counters

LONGEST_BYTES: Final = 4 << 20
CONNECT_S: Final = "1"
"""How long varnishstat waits for a varnishd that is not there."""
TIMEOUT_S: Final = 5.0
KILLED_WITHIN_S: Final = 1.0
_STORES: Final = ("SMA.", "SMF.", "SMU.", "MSE.")
_TRANSIENT: Final = ".Transient."
_INCLUDED: Final = ("MAIN.*", "SMA.*", "SMF.*", "SMU.*", "MSE.*")


class VarnishCounters:
    """The counters of the varnishd with this working directory."""

    def __init__(
        self,
        folder: Path,
        now_ns: NowNs,
        command: str = "varnishstat",
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._command = [command, "-n", str(folder), "-j", "-t", CONNECT_S]
        for pattern in _INCLUDED:
            self._command += ["-I", pattern]
        self._now_ns = now_ns
        self._timeout_s = timeout_s

    async def sample(self) -> CounterSample:
        """Run varnishstat once."""
        start_ns = self._now_ns()
        try:
            output = await _run(self._command, self._timeout_s)
            told = _values(orjson.loads(output))
        except TimeoutError:
            return CounterSample(start_ns, self._now_ns(), why="varnishstat: timed out")
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or str(error)
            return CounterSample(start_ns, self._now_ns(), why=shown(f"varnishstat: {why}"))
        uptime_s = whole(told.get("MAIN.uptime"))
        if uptime_s is None:
            return CounterSample(start_ns, self._now_ns(), why="varnishstat: the child is not up")
        return CounterSample(start_ns, self._now_ns(), read_stat(told), uptime_s=uptime_s)

    async def close(self) -> None:
        """Nothing is held between two looks."""


def read_stat(told: Mapping[str, Any]) -> Counters:
    """The counters of varnishstat. A pass, and what is hit for pass or for miss, is no lookup."""
    stores = [name for name in told if name.startswith(_STORES) and _TRANSIENT not in name]
    used = [name for name in stores if name.endswith(".g_bytes")]
    free = [name for name in stores if name.endswith(".g_space")]
    memory, space = total(told, *used), total(told, *free)
    return Counters(
        hits=whole(told.get("MAIN.cache_hit")),
        misses=whole(told.get("MAIN.cache_miss")),
        evictions=whole(told.get("MAIN.n_lru_nuked")),
        expirations=whole(told.get("MAIN.n_expired")),
        invalidations=total(told, "MAIN.n_purges", "MAIN.bans_added"),
        requests=whole(told.get("MAIN.client_req")),
        memory_bytes=memory,
        memory_limit_bytes=None if memory is None or space is None else memory + space,
        items=whole(told.get("MAIN.n_object")),
    )


async def _run(command: Sequence[str], timeout_s: float) -> bytes:
    """The output of a command. Raises TimeoutError, OSError, and ValueError where it failed."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,  # so that it ends with whatever it has started
    )
    try:
        async with asyncio.timeout(timeout_s):
            output, errors = await _read(process.stdout), await _read(process.stderr)
            status = await process.wait()
    finally:
        if process.returncode is None:
            await _end(process)
    if status:
        said = errors.decode(errors="replace").strip(" .\n")
        raise ValueError(said or f"ended with status {status}")
    return output


async def _end(process: asyncio.subprocess.Process) -> None:
    """Kill it with all that it has started, and take what is left in its pipes."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(KILLED_WITHIN_S):
            for stream in (process.stdout, process.stderr):
                while stream is not None and await stream.read(1 << 16):
                    pass
            await process.wait()


async def _read(stream: asyncio.StreamReader | None) -> bytes:
    data = bytearray()
    while stream is not None and (piece := await stream.read(1 << 16)):
        data += piece
        if len(data) > LONGEST_BYTES:
            raise ValueError(f"more than {LONGEST_BYTES} bytes")
    return bytes(data)


def _values(document: Any) -> dict[str, Any]:
    """Name → value; up to Varnish 6 the counters stood at the top of the document."""
    if not isinstance(document, dict):
        raise ValueError("not the JSON of varnishstat")
    entries = document.get("counters", document)
    if not isinstance(entries, dict):
        raise ValueError("not the JSON of varnishstat")
    return {
        name: each["value"]
        for name, each in entries.items()
        if isinstance(each, dict) and "value" in each
    }
