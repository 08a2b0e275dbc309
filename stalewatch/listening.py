"""Ports that are listened on, and uvicorn as this process runs it: several, and no signals."""

import contextlib
import socket
from collections.abc import Callable, Generator

import uvicorn

from settings import Address


class AddressError(Exception):
    """The address to listen on cannot be had; the message says why and what to do."""


class QuietUvicorn(uvicorn.Server):
    """Says when it serves, and leaves signals alone: it would end the process by the signal."""

    def __init__(self, config: uvicorn.Config, started: Callable[[], None] = lambda: None) -> None:
        super().__init__(config)
        self._started = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so."""
        await super().startup(sockets)
        if self.started:
            self._started()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Capture none."""
        yield


def open_socket(address: Address, advice: str) -> socket.socket:
    """A socket bound to the address; raises AddressError, which ends with the advice."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    # With the protocol named, asyncio turns Nagle's algorithm off on what it accepts.
    opened = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        opened.bind((address.host, address.port))
    except OSError as error:
        opened.close()
        raise AddressError(f"cannot listen on {address}: {error.strerror}; {advice}") from None
    return opened
