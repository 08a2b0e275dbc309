"""Sockets that listen, and ports for servers that are told where to listen."""

import socket
import sys

from lab.catalogue import HOST

_held: list[socket.socket] = []


def listen() -> socket.socket:
    """A listening socket on a free loopback port."""
    # asyncio turns Nagle's algorithm off only where the socket says that it is TCP.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind((HOST, 0))
    listener.listen(256)
    listener.setblocking(False)
    return listener


def free_port() -> int:
    """A loopback port that is nobody's, and that a server may listen on as often as it likes.

    Nobody listens on it at this moment. On Linux it stays ours until this process ends: the kernel
    gives it to no connection and to nobody who asks for any port, also while a server is away.
    """
    holder = socket.socket()
    holder.bind((HOST, 0))
    port = port_of(holder)
    # Only after the bind: two that may share could be given the same. Servers set it too, and so
    # may listen where one is bound that does not listen; elsewhere than on Linux they may not.
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if sys.platform == "linux":
        _held.append(holder)
    else:
        holder.close()
    return port


def port_of(listener: socket.socket) -> int:
    """The port that a socket is bound to."""
    return int(listener.getsockname()[1])
