"""A real server as a child process: started, awaited, paused, killed, and always stopped."""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from lab.catalogue import HOST
from lab.ports import free_port
from tests.servers.installed import installed
from tests.servers.waiting import wait_until


def accepts_connections(port: int) -> bool:
    """Whether somebody listens on a loopback port."""
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex((HOST, port)) == 0


def unprivileged_user() -> str | None:
    """Whom to run a server as: nobody where we are root, else ourselves (None)."""
    return "nobody" if os.geteuid() == 0 else None


class Server(ABC):
    """One server on a loopback port, with a folder of its own that goes when it stops.

    `with` starts and stops it. `kill` ends it as a crash would, `start` after that brings it back
    on the same port with the files it left. `pause` makes it hang with its connections open.
    """

    binary: str
    start_timeout_s = 30.0

    def __init__(self) -> None:
        """Find the binary (or skip, or fail) and take a port and a folder; nothing runs yet."""
        self.path = installed(self.binary)
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix=f"{self.binary[:8]}-"))
        self._process: psutil.Popen | None = None
        self._is_prepared = False

    @abstractmethod
    def command(self) -> Sequence[str]:
        """The arguments after the binary; the server must stay in the foreground."""

    def prepare(self) -> None:  # noqa: B027  # not every server reads a file
        """Write what the server reads; called before the first start."""

    def is_ready(self) -> bool:
        """Whether the server answers; may raise OSError for no."""
        return accepts_connections(self.port)

    @property
    def address(self) -> str:
        """`host:port`."""
        return f"{HOST}:{self.port}"

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def log(self) -> str:
        """What the server has printed."""
        path = self.folder / "output.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def start(self) -> Self:
        """Start and wait until it answers."""
        if not self._is_prepared:
            self.prepare()
            self.give_away(self.folder)
        with (self.folder / "output.log").open("ab") as output:
            self._process = self._spawn(output.fileno())
        wait_until(self._is_up_or_dead, f"{self.binary} answers", self.start_timeout_s)
        if not self.is_running:
            raise AssertionError(f"{self.binary} ended at once:\n{self.log}")
        self._is_prepared = True
        return self

    def _spawn(self, output: int) -> psutil.Popen:
        return psutil.Popen(
            [str(self.path), *self.command()],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            user=unprivileged_user(),
            env={**os.environ, "HOME": str(self.folder)},
        )

    def _is_up_or_dead(self) -> bool:
        if not self.is_running:
            return True
        with contextlib.suppress(OSError):
            return self.is_ready()
        return False

    def run_as_server(self, *command: str) -> None:
        """Run a command to its end in the server's folder, as the server's user."""
        self.give_away(self.folder)
        done = subprocess.run(
            command,
            cwd=self.folder,
            capture_output=True,
            text=True,
            user=unprivileged_user(),
            check=False,
        )
        assert done.returncode == 0, f"{command[0]}: {done.stdout}{done.stderr}"

    def give_away(self, path: Path) -> None:
        """Hand a folder and all in it to the server's user."""
        if user := unprivileged_user():
            entry = pwd.getpwnam(user)
            for each in (path, *path.rglob("*")):
                os.chown(each, entry.pw_uid, entry.pw_gid, follow_symlinks=False)

    def pause(self) -> None:
        """Hang it (SIGSTOP), children too: connections stay open, nothing answers."""
        self._signal_all(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on (SIGCONT)."""
        self._signal_all(signal.SIGCONT)

    def kill(self) -> None:
        """End it at once (SIGKILL), children too; its folder and port stay."""
        self._signal_all(signal.SIGKILL)
        if self._process is not None:
            self._process.wait(10)
            self._process = None

    def stop(self) -> None:
        """End it as an operator would (SIGTERM), by force where that takes 5 s; drop its folder."""
        if self._process is not None and self.is_running:
            self.resume()
            self._process.terminate()
            with contextlib.suppress(psutil.TimeoutExpired, subprocess.TimeoutExpired):
                self._process.wait(5)
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _signal_all(self, number: signal.Signals) -> None:
        """Signal the server and its children: workers may have sessions of their own.

        The server's group comes first and at once: a server alone would start workers anew in place
        of those that died, and one that is just starting them would leave them behind.
        """
        if self._process is None:
            return
        with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError):
            children = self._process.children(recursive=True)
            os.killpg(self._process.pid, number)
            for child in children:
                with contextlib.suppress(psutil.NoSuchProcess):
                    child.send_signal(number)

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:
            self.stop()
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
