"""The lab's own line to the nodes in its other processes: a request, an answer, one JSON a line.

Its end is the sign to stop: a child whose parent died reads the end of the stream.
"""

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
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
    """A Target in another process; each operation is asked for by its name."""

    def __init__(self, address: NodeAddress, line: ControlLine) -> None:
        self.address = address
        self._line = line

    async def warm(self, key: str) -> int:
        """See Target."""
        return int(await self._ask("warm", key))

    async def told(self, key: str) -> int:
        """See Target."""
        return int(await self._ask("told", key))

    async def deafen(self, keys: Sequence[str] | None) -> None:
        """See Target."""
        await self._ask("deafen", keys)

    async def mute(self) -> None:
        """See Target."""
        await self._ask("mute")

    async def slow(self, each_s: float) -> None:
        """See Target."""
        await self._ask("slow", each_s)

    async def deliver(self, key: str, version: int) -> None:
        """See Target."""
        await self._ask("deliver", key, version)

    async def apply_blindly(self, key: str, version: int, product: Product | None) -> None:
        """See Target."""
        await self._ask("apply_blindly", key, version, product and asdict(product))

    async def plant(self, product: Product) -> None:
        """See Target."""
        await self._ask("plant", asdict(product))

    async def restore(self, keys: Sequence[str] | None) -> None:
        """See Target."""
        await self._ask("restore", keys)

    async def forget(self, keys: Sequence[str] | None) -> None:
        """See Target."""
        await self._ask("forget", keys)

    async def purge(self, keys: Sequence[str]) -> None:
        """See Target."""
        await self._ask("purge", keys)

    async def leave(self, for_s: float) -> None:
        """See Target."""
        await self._ask("leave", for_s)

    async def rejoin(self, keys: Sequence[str]) -> None:
        """See Target."""
        await self._ask("rejoin", keys)

    async def change_ttl(self, ttl_s: float) -> None:
        """See Target."""
        await self._ask("change_ttl", ttl_s)

    async def correct_ttl(self) -> None:
        """See Target."""
        await self._ask("correct_ttl")

    async def skew(self, offset_s: float) -> None:
        """See Target."""
        await self._ask("skew", offset_s)

    async def _ask(self, operation: str, *arguments: Any) -> Any:
        return await self._line.ask(self.address.name, operation, *arguments)
