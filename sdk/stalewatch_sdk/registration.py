"""Makes one worker process of many a node of its own, probed apart from its siblings.

Workers behind one port (gunicorn, uvicorn, any prefork server) cannot be told apart through it. So
each opens a port of its own for the contract of `inprocess`, and announces it in a shared folder as
a file in Prometheus's file_sd format. It holds a lock for as long as it lives, which the kernel
takes away however it ends: what no living process holds is no node. POSIX systems alone.
"""

import atexit
import contextlib
import fcntl
import json
import os
import threading
import uuid
from collections.abc import Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

from stalewatch_sdk.inprocess import (
    INFO_PATH,
    KEYS_PATH,
    MAX_BODY_BYTES,
    READ_PATH,
    Answer,
    Peekable,
    Worker,
    answer_info,
    answer_keys,
    answer_read,
    problem,
)

MOST_SLOTS: Final = 1000
LONGEST_IDLE_S: Final = 60.0


class Registration:
    """A worker that is announced and answers, until `close` or the end of its process."""

    def __init__(self, worker: Worker, server: "_Server", slot: "_Slot") -> None:
        self.worker = worker
        self.port = server.server_port
        self._server = server
        self._slot = slot
        self._thread = threading.Thread(target=server.serve_forever, name="stalewatch", daemon=True)
        self._thread.start()
        atexit.register(self.close)

    def close(self) -> None:
        """Take the announcement away and stop answering. A fork of the worker does neither."""
        if self._slot.give_back():
            atexit.unregister(self.close)
            self._server.is_closed = True
            self._server.shutdown()
            self._server.server_close()


def register(
    node: str,
    caches: Mapping[str, Peekable],
    *,
    token: str,
    folder: str | os.PathLike[str],
    region: str = "",
    host: str = "127.0.0.1",
) -> Registration:
    """Announce this process as the node `node-N`, with the lowest N that no living worker has.

    Call it in the worker, after the fork. `caches` is by keyspace; they are asked from a thread of
    their own. `host` is the address to listen at and to announce. Raises OSError where the folder
    cannot be written, or no port or slot is free.
    """
    if not token:
        raise ValueError("expected a token: the contract asks for one")
    slot = _take_slot(Path(folder), node)
    try:
        worker = Worker(slot.name, uuid.uuid4().hex, caches, token)
        server = _Server((host, 0), _Handler)
        server.worker = worker
    except BaseException:
        slot.give_back()
        raise
    registration = Registration(worker, server, slot)
    literal = f"[{host}]" if ":" in host else host
    slot.announce(f"{literal}:{registration.port}", region)
    return registration


class _Slot:
    """One of a node's names, locked by this process."""

    def __init__(self, folder: Path, name: str, lock: int) -> None:
        self.name = name
        self._entry = folder / f"{name}.json"
        self._lock_name = f"{name}.lock"
        self._lock = lock
        self._owner = os.getpid()

    def announce(self, target: str, region: str) -> None:
        """Write the entry, at once as a whole."""
        labels = {"name": self.name, "region": region, "lock": self._lock_name}
        draft = self._entry.with_suffix(".draft")
        draft.write_text(json.dumps([{"targets": [target], "labels": labels}]))
        draft.replace(self._entry)

    def give_back(self) -> bool:
        """Take the entry away and let go of the lock; false where that is done, or not ours."""
        if self._owner != os.getpid():
            return False
        self._owner = 0
        _ours.discard(self._entry.with_suffix(""))
        with contextlib.suppress(OSError):
            self._entry.unlink()
        os.close(self._lock)
        return True


def _take_slot(folder: Path, node: str) -> _Slot:
    """The first slot whose lock is free: a fresh one, or that of a worker that has ended."""
    if not node or "/" in node or node.startswith("."):
        raise ValueError("expected a node's name without slashes")
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(MOST_SLOTS):
        name = f"{node}-{number}"
        lock = None if folder / name in _ours else _try_to_lock(folder / f"{name}.lock")
        if lock is not None:
            _ours.add(folder / name)
            return _Slot(folder, name, lock)
    raise OSError(f"no free slot for {node} in {folder}")


_ours: set[Path] = set()
"""Slots of this process: to open and close a file again would let go of its lock (POSIX)."""


def _try_to_lock(path: Path) -> int | None:
    """The descriptor that holds the lock, which a fork does not inherit; None where it is held."""
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        return None
    return lock


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    worker: Worker
    is_closed = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A prober that hangs up is no error of the application's."""


class _Handler(BaseHTTPRequestHandler):
    """The contract over HTTP/1.1, with bodies and idle connections bounded."""

    protocol_version = "HTTP/1.1"
    timeout = LONGEST_IDLE_S
    server: _Server

    def do_GET(self) -> None:  # the name that http.server calls
        """Who answers here."""
        if self.server.is_closed:
            return self._refuse(HTTPStatus.SERVICE_UNAVAILABLE)
        if self.path != INFO_PATH:
            return self._refuse(HTTPStatus.NOT_FOUND)
        return self._send(answer_info(self.server.worker, self.headers.get("Authorization")))

    def do_POST(self) -> None:
        """Copies of keys, or the keys."""
        if self.server.is_closed:
            return self._refuse(HTTPStatus.SERVICE_UNAVAILABLE)
        answers = {READ_PATH: answer_read, KEYS_PATH: answer_keys}
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length[:12]) > MAX_BODY_BYTES:
            return self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        body = self.rfile.read(int(length))
        if self.path not in answers:
            return self._refuse(HTTPStatus.NOT_FOUND)
        authorization = self.headers.get("Authorization")
        return self._send(answers[self.path](self.server.worker, authorization, body))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing: the application's log is its own."""

    def _refuse(self, status: HTTPStatus) -> None:
        self.close_connection = True
        self._send(problem(status, status.phrase))

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)
