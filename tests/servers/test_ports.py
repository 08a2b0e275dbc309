"""A port that is asked for stays free until its server listens, and while that one is away."""

import contextlib
import socket
import struct
from collections.abc import Callable

import pytest

from lab.catalogue import HOST
from lab.ports import free_port, listen

IP_LOCAL_PORT_RANGE = 51
"""The socket option (Linux 6.3) that narrows what the kernel may choose from: ip(7)."""


def choose_from(port: int) -> socket.socket:
    """A socket to which the kernel can give this port alone, whatever else it is asked for."""
    asking, ends = socket.socket(), struct.pack("I", port << 16 | port)
    try:
        asking.setsockopt(socket.IPPROTO_IP, IP_LOCAL_PORT_RANGE, ends)
    except OSError:
        # An older kernel chooses from one range for all: there the port is asked for by number.
        with asking:
            asking.bind((HOST, port))
    return asking


def any_port(asking: socket.socket, _: socket.socket) -> None:
    asking.bind((HOST, 0))


def any_port_to_share(asking: socket.socket, _: socket.socket) -> None:
    asking.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    asking.bind((HOST, 0))


def connection(asking: socket.socket, there: socket.socket) -> None:
    asking.connect(there.getsockname())


WAYS = [any_port, any_port_to_share, connection]


@pytest.mark.parametrize("way", WAYS)
def test_the_kernel_gives_it_to_nobody(
    way: Callable[[socket.socket, socket.socket], None],
) -> None:
    port = free_port()
    refused = pytest.raises(OSError, match=r"assign|in use")
    with listen() as there, refused, choose_from(port) as asking:
        way(asking, there)


def test_a_server_may_listen_and_come_back() -> None:
    port = free_port()
    for _ in range(2):
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((HOST, port))
        with socket.create_server((HOST, port)), socket.create_connection((HOST, port)):
            pass


def test_two_servers_may_not_listen_at_once() -> None:
    port = free_port()
    with socket.create_server((HOST, port)), contextlib.closing(socket.socket()) as second:
        second.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with pytest.raises(OSError, match="in use"):
            second.bind((HOST, port))
