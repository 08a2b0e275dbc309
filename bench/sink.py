"""A real mail server (aiosmtpd) in a process of its own, and an outbox emptied into it."""

import asyncio
import socket
from email import message_from_bytes
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP

from alerts.outbox import Outbox


class Sink:
    """Writes the Message-ID of each mail down, then says that it has it."""

    def __init__(self, file: Path) -> None:
        self._file = file

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        """Take one mail."""
        with self._file.open("a") as out:
            out.write(f"{message_from_bytes(envelope.content)['Message-ID']}\n")
        return "250 taken"


def take_mail(listener: socket.socket, file: Path) -> None:
    """Take mail on an open port until the process ends."""

    async def serve() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: SMTP(Sink(file), loop=loop), sock=listener)
        await server.serve_forever()

    asyncio.run(serve())


async def deliver_all(outbox: Outbox) -> None:
    """Try what is due until nothing is."""
    while await outbox.deliver_due():
        pass
