"""An application whose workers cache in process: `uvicorn --workers N`; each worker registers.

`GET /fill?version=N` fills the cache of whichever worker takes the request, `GET /pid` tells which.
"""

import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from stalewatch_sdk.inprocess import Entry
from stalewatch_sdk.registration import register

Message = MutableMapping[str, Any]


class Copies(dict[str, Entry]):
    """A cache that can be peeked into."""

    def peek(self, key: str, /) -> Entry | None:
        return self.get(key)


copies = Copies()


async def app(
    scope: Message,
    receive: Callable[[], Awaitable[Message]],
    send: Callable[[Message], Awaitable[None]],
) -> None:
    """Registers at startup, in the worker; then serves."""
    if scope["type"] == "lifespan":
        await receive()
        copies["pid"] = Entry(version=os.getpid())
        worker = register(
            "shop", {"product": copies}, token="secret", folder=os.environ["WORKERS"], region="eu"
        )
        await send({"type": "lifespan.startup.complete"})
        await receive()
        worker.close()
        await send({"type": "lifespan.shutdown.complete"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(os.getpid()).encode()})
