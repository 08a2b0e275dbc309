"""`stalewatch` as a process, asked as a user would: by command line, signals and HTTP."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx2
from websockets.sync.client import connect
from websockets.typing import Origin

from tests.servers import wait_until

START_S = 60.0
COMMAND = str(Path(sys.executable).parent / "stalewatch")


def run(
    *arguments: str, stdin: str = "", timeout_s: float = 90
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [COMMAND, *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )


class Up:
    """`stalewatch up` on a config, on a port that it picks; its log goes to a file."""

    def __init__(self, config: Path, listen: str = "127.0.0.1:0") -> None:
        self.config = config
        self._client = httpx2.Client(timeout=10)  # one for all: each new one reads all CAs
        self._log = config.parent / f"up-{time.monotonic_ns()}.log"
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [COMMAND, "up", "-c", str(config), "--listen", listen, "--log-json"],
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def serving(self) -> Self:
        """Wait until it has an address."""
        wait_until(lambda: self.said("serving") or self.is_over, "up serves", START_S)
        assert not self.is_over, self.log
        return self

    def ready(self) -> Self:
        """Wait until its first round is over."""
        self.serving()
        wait_until(lambda: self.ask("readyz").status_code == 200, "up is ready", START_S)
        return self

    @property
    def is_over(self) -> bool:
        return self.process.poll() is not None

    @property
    def log(self) -> str:
        """All that it printed."""
        return self._log.read_text(errors="replace")

    def said(self, event: str) -> list[Mapping[str, Any]]:
        """The log lines of one event."""
        return [line for line in self._lines() if line.get("event") == event]

    @cached_property
    def address(self) -> str:
        """Where it serves, with a slash at the end."""
        return str(self.said("serving")[0]["address"])

    def ask(self, path: str) -> httpx2.Response:
        """GET a path of it."""
        return self._client.get(self.address + path)

    def items(self, path: str) -> list[dict[str, Any]]:
        """The items of one list under /api/v1/."""
        found: list[dict[str, Any]] = self.ask(f"api/v1/{path}").json()["items"]
        return found

    def metric(self, sample: str) -> float:
        """One sample of /metrics, by its name and labels as they are printed; 0 where none is."""
        for line in self.ask("metrics").text.splitlines():
            name, _, value = line.rpartition(" ")
            if name == sample:
                return float(value)
        return 0.0

    @contextmanager
    def hold_a_page_open(self) -> Iterator[None]:
        """Keep the live connection of a page and a kept-alive one, as browsers do."""
        place = self.address.removeprefix("http://").rstrip("/")
        with connect(f"ws://{place}/_dash-ws-callback", origin=Origin(f"http://{place}")):
            self.ask("")
            yield

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        os.kill(self.process.pid, number)

    def end(self, number: signal.Signals = signal.SIGTERM, timeout_s: float = 60) -> int:
        """End it by a signal; its exit status."""
        if not self.is_over:
            self.send(number)
        return self.process.wait(timeout_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end(signal.SIGKILL)
        self._client.close()

    def _lines(self) -> Iterator[Mapping[str, Any]]:
        for line in self.log.splitlines():
            if line.startswith("{") and line.endswith("}"):
                yield json.loads(line)
