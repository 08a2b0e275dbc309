"""The lab's own line to the nodes in its other processes: a request, an answer, one JSON a line.

Its end is the sign to stop: a child whose parent died reads the end of the stream.
"""

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from lab.catalogue import NodeAddress, Product

Answering = Callable[[str, str, list[Any]], Awaitable[Any]]


class ControlLine:
    """The parent's end."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._turn = asyncio.Lock()
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter

    async def open(self) -> None:
        """Waits until the child says that its nodes listen."""
        self._reader, self._writer = await asyncio.open_connection(sock=self._end)
        if not await self._reader.readline():
            raise RuntimeError("a process of the lab ended while it started")

    async def ask(self, node: str, operation: str, *arguments: Any) -> Any:
        """One operation at one node. Raises RuntimeError with what went wrong there."""
        async with self._turn:
            self._writer.write(json.dumps([node, operation, arguments]).encode() + b"\n")
            answer = json.loads(await self._reader.readline() or b'{"error": "it is gone"}')
        if "error" in answer:
            raise RuntimeError(f"{node}: {operation}: {answer['error']}")
        return answer["result"]

    def close(self) -> None:
        """Tells the child to stop. Needs no event loop: one may have ended before."""
        self._end.shutdown(socket.SHUT_RDWR)
        self._end.close()


async def answer_until_closed(end: socket.socket, answering: Answering) -> None:
    """The child's end: says that it is ready, then answers until the parent closes or dies."""
    reader, writer = await asyncio.open_connection(sock=end)
    writer.write(b"ready\n")
    while line := await reader.readline():
        node, operation, arguments = json.loads(line)
        try:
            answer = {"result": await answering(node, operation, arguments)}
        except Exception as error:  # it is told to the parent, whose call raises
            answer = {"error": f"{type(error).__name__}: {error}"}
        writer.write(json.dumps(answer).encode() + b"\n")


class RemoteNode:
    """A Target in another process."""

    def __init__(self, address: NodeAddress, line: ControlLine) -> None:
        self.address = address
        self._line = line

    async def warm(self, key: str) -> int:
        """See Target."""
        return int(await self._line.ask(self.address.name, "warm", key))

    async def told(self, key: str) -> int:
        """See Target."""
        return int(await self._line.ask(self.address.name, "told", key))

    async def deafen(self, keys: Sequence[str] | None) -> None:
        """See Target."""
        await self._line.ask(self.address.name, "deafen", keys)

    async def plant(self, product: Product) -> None:
        """See Target."""
        fields = [product.id, product.version, product.name, product.price]
        await self._line.ask(self.address.name, "plant", *fields)

    async def restore(self, keys: Sequence[str] | None) -> None:
        """See Target."""
        await self._line.ask(self.address.name, "restore", keys)
