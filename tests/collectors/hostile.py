"""A TCP server that talks as long and as badly as it likes, and counts what it got rid of."""

import itertools
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

PIECES = Callable[[], Iterable[bytes]]
MOST_BYTES = 64_000_000


@dataclass
class Hostile:
    """The running server: its port, what it was told, and how many bytes it could send."""

    port: int
    heard: list[bytes] = field(default_factory=list)
    sent_bytes: int = 0
    is_over: threading.Event = field(default_factory=threading.Event)


@contextmanager
def talking(pieces: PIECES, *, pause_s: float = 0.0) -> Iterator[Hostile]:
    """Say pieces to everybody who asks, with a pause after each, until they hang up."""
    listener = socket.create_server(("127.0.0.1", 0))
    hostile = Hostile(listener.getsockname()[1])
    held: list[socket.socket] = []

    def talk(connection: socket.socket) -> None:
        try:
            hostile.heard.append(connection.recv(65536))
            for piece in pieces():
                if hostile.sent_bytes > MOST_BYTES or hostile.is_over.wait(pause_s):
                    return
                connection.sendall(piece)
                hostile.sent_bytes += len(piece)
        except OSError:
            return

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            held.append(connection)
            threading.Thread(target=talk, args=(connection,), daemon=True).start()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield hostile
    finally:
        hostile.is_over.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)
        for connection in held:
            connection.close()


OK = b"HTTP/1.1 200 OK\r\nX-Version: 1\r\nX-Cache: HIT\r\n"


def after(head: bytes, forever: bytes) -> PIECES:
    """A head, then the same for ever."""
    return lambda: itertools.chain([head], itertools.repeat(forever))


def slowly(text: bytes) -> PIECES:
    """A byte at a time."""
    return lambda: (text[at : at + 1] for at in range(len(text)))
