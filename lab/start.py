"""Starts a lab as a process of its own: what the command line and the tests call."""

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from lab.truth import Truth

STOP_TIMEOUT_S = 10.0


class LabError(RuntimeError):
    """The lab did not start; the text is what it said."""


@dataclass(slots=True)
class Lab:
    """A running lab. It stops by itself when this process ends, however it ends."""

    config: Path
    """The config file for the server."""
    dir: Path
    pid: int
    inbox: str
    """The address at which the mails that it took are read; `mails.json` below it lists them."""
    nodes: Sequence[Mapping[str, str]]
    """Of each node `layer`, `name`, `region` and `address` (host:port)."""
    _process: subprocess.Popen[bytes] = field(repr=False)

    @property
    def exit_status(self) -> int | None:
        """0 after an orderly stop, None while it runs."""
        return self._process.poll()

    def truth(self) -> Truth:
        """What really happened so far; also after `stop`."""
        is_running = self._process.poll() is None
        return Truth.load(self.dir, time.time() if is_running else None)

    def inject(self, kind: str, node: str | None, duration_s: float) -> str:
        """Makes one fault strike `node`, or any, now, on keys that the lab picks.

        Returns its id, by which the truth tells it once its node is prepared. Raises LabError for
        an unknown class or node, and where no such fault can be there now.
        """
        if self._process.stdin is None or self._process.stdout is None:
            raise LabError("the lab takes no orders")
        order = {"kind": kind, "node": node, "duration_s": duration_s}
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline() or b'{"error": "the lab has ended"}')
        if "error" in answer:
            raise LabError(answer["error"])
        return str(answer["fault"])

    def stop(self) -> None:
        """Stops every process of the lab. May be called twice."""
        stream = self._process.stdin
        if stream is not None:
            stream.close()
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()  # its children see their line end, and end
            self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def start_lab(
    lab_dir: Path,
    seed: int,
    faults: bool = True,
    *,
    regions: Sequence[str] = ("eu", "us"),
    listen: str = "127.0.0.1:8080",
    reads_replicas: bool = False,
    shards: int = 0,
) -> Lab:
    """Starts a lab in `lab_dir` and waits, some 1 to 2 s, until it is ready.

    `listen` is what the config tells the server to listen on, `reads_replicas` whether it tells it
    to read the origin's replicas, too, and `shards` how many Redis nodes a ring spreads the keys
    over. Raises LabError.
    """
    lab_dir.mkdir(parents=True, exist_ok=True)
    log_path = lab_dir / "lab.log"
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            [
                *_command(lab_dir, seed, faults, regions, listen),
                *("--replicas", "read" if reads_replicas else "unread"),
                *("--shards", str(shards)),
            ],
            stdin=subprocess.PIPE,  # its end tells the lab that we are gone
            stdout=subprocess.PIPE,
            stderr=log,
            cwd=Path(__file__).parents[1],
            # An interrupt of the terminal is for us to act on: the lab must outlive the server.
            start_new_session=True,
        )
    line = _first_line(process.stdout)
    if not line:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_TIMEOUT_S)
        raise LabError(log_path.read_text(errors="replace").strip() or "the lab said nothing")
    ready = json.loads(line)
    return Lab(
        Path(ready["config"]),
        Path(ready["dir"]),
        ready["pid"],
        ready["inbox"],
        ready["nodes"],
        process,
    )


def _command(
    lab_dir: Path, seed: int, faults: bool, regions: Sequence[str], listen: str
) -> list[str]:
    return [
        *(sys.executable, "-m", "lab"),
        *("--dir", str(lab_dir.resolve())),
        *("--seed", str(seed)),
        *("--faults", "on" if faults else "off"),
        *("--region", ",".join(regions)),
        *("--listen", listen),
    ]


def _first_line(stream: IO[bytes] | None) -> bytes:
    return b"" if stream is None else stream.readline()
