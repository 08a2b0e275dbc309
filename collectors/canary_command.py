"""Canaries by a command of the user's: an argument list, never a shell; see docs/canaries.md."""

import asyncio
import contextlib
import os
import shutil
import signal
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Sequence
from typing import Final

from collectors.base import NowNs
from collectors.canary import LONGEST_OUTPUT, Written, with_key
from collectors.options import shown

KEY_VARIABLE: Final = "STALEWATCH_CANARY_KEY"
_PIECE: Final = 16 * 1024


class CommandCanary:
    """Runs a command for each write; `{key}` in its arguments is the key, and so is a variable.

    It must be over, its output closed, within the time limit; else it and all that it started in
    its process group are killed.
    """

    def __init__(self, command: Sequence[str], timeout_s: float, now_ns: NowNs) -> None:
        self._command = command
        self._timeout_s = timeout_s
        self._now_ns = now_ns

    @property
    def address(self) -> str:
        """The program; its arguments may hold a secret."""
        return self._command[0]

    async def write(self, key: str) -> Written:
        """Run it once."""
        start_ns = self._now_ns()
        try:
            process = await asyncio.create_subprocess_exec(
                *with_key(self._command, key),
                stdin=DEVNULL,
                stdout=PIPE,
                stderr=PIPE,
                start_new_session=True,
                env={**os.environ, KEY_VARIABLE: key},
            )
        except (OSError, ValueError) as error:
            why = f"cannot run {self.address}: {getattr(error, 'strerror', None) or error}"
            return Written(start_ns, self._now_ns(), why=why)
        try:
            return await self._finish(process, start_ns)
        except TimeoutError:
            await _kill(process)
            why = f"not done within {self._timeout_s:g} s: killed"
            return Written(start_ns, self._now_ns(), why=why)
        except asyncio.CancelledError:
            await _kill(process)
            raise

    async def check(self) -> str:
        """Whether the program is there and may be run."""
        if shutil.which(self._command[0]) is None:
            return f"no program {self._command[0]} that may be run"
        return ""

    async def _finish(self, process: Process, start_ns: int) -> Written:
        assert process.stdout is not None
        assert process.stderr is not None
        async with asyncio.timeout(self._timeout_s):
            (output, is_whole), (complaint, _), status = await asyncio.gather(
                _bounded(process.stdout), _bounded(process.stderr), process.wait()
            )
        end_ns = self._now_ns()
        why = ""
        if status:
            last = complaint.decode(errors="replace").strip().rpartition("\n")[2]
            why = f"exit status {status}" + (f": {shown(last)}" if last else "")
        return Written(start_ns, end_ns, output, is_whole, why)


async def _bounded(stream: asyncio.StreamReader) -> tuple[bytes, bool]:
    """What a pipe brings, up to the limit; the rest is read and let go, so that nobody blocks."""
    kept, is_whole = b"", True
    while piece := await stream.read(_PIECE):
        room = LONGEST_OUTPUT - len(kept)
        kept += piece[:room]
        is_whole &= len(piece) <= room
    return kept, is_whole


async def _kill(process: Process) -> None:
    """End it and all of its group; what it began may commit all the same."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    await asyncio.shield(asyncio.ensure_future(process.wait()))
