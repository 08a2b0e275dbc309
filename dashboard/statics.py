"""Static files compressed once and kept: no megabyte of script is deflated on each request."""

import asyncio
import gzip
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_FILES: Final = 256
_LEAST_BYTES: Final = 1_024
_KINDS: Final = ("text/", "application/javascript", "application/json", "image/svg")
_FOLDERS: Final = ("assets/", "_dash-component-suites/")


class CompressedStatics:
    """Answers for static files with a gzipped copy made on the first request; passes the rest on.

    Raises nothing of its own. `prefix` is the path below which Dash serves its files.
    """

    def __init__(self, app: ASGIApp, prefix: str = "/") -> None:
        self.app = app
        self.folders = tuple(prefix + folder for folder in _FOLDERS)
        self.copies: dict[str, list[Message]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if not self._serves(scope):
            await self.app(scope, receive, send)
            return
        path = scope["path"]
        if path not in self.copies:
            answer: list[Message] = []

            async def keep(message: Message) -> None:
                answer.append(message)

            await self.app(scope, _stay, keep)
            answer = await asyncio.to_thread(_compressed, answer, scope["query_string"])
            if not _is_whole(answer) or len(self.copies) >= MOST_FILES:
                await _play(answer, send)
                return
            self.copies[path] = answer
        await _play(self.copies[path], send)

    def _serves(self, scope: Scope) -> bool:
        if scope["type"] != "http" or scope["method"] != "GET":
            return False
        headers = Headers(scope=scope)
        # A question about one's own copy gets the plain file's answer. One about a range gets all:
        # a browser that was cut off would join bytes of the plain file to those it has.
        is_plain = not {"if-none-match", "if-modified-since"}.intersection(headers)
        accepts = "gzip" in headers.get("accept-encoding", "")
        return is_plain and accepts and scope["path"].startswith(self.folders)


async def _stay() -> Message:
    """One who asks and never leaves: a copy is made for all, whoever happened to ask first."""
    return await asyncio.Future[Message]()


async def _play(messages: list[Message], send: Send) -> None:
    for message in messages:
        await send(message)


def _is_whole(messages: list[Message]) -> bool:
    if not messages or messages[0].get("status") != 200:
        return False
    said = Headers(raw=messages[0]["headers"]).get("content-length")
    sent = sum(len(message.get("body", b"")) for message in messages[1:])
    return not messages[-1].get("more_body", False) and said in {None, str(sent)}


def _compressed(messages: list[Message], query: bytes) -> list[Message]:
    if not _is_whole(messages):
        return messages
    start = messages[0]
    body = b"".join(message.get("body", b"") for message in messages[1:])
    headers = MutableHeaders(raw=list(start["headers"]))
    if query.startswith(b"m="):  # the address names the file's time, so it never changes
        headers["cache-control"] = "public, max-age=31536000, immutable"
    is_text = headers.get("content-type", "").startswith(_KINDS)
    if is_text and len(body) >= _LEAST_BYTES and "content-encoding" not in headers:
        body = gzip.compress(body, 9, mtime=0)
        headers["content-encoding"] = "gzip"
        headers["accept-ranges"] = "none"
        headers.add_vary_header("Accept-Encoding")
    headers["content-length"] = str(len(body))
    return [
        {**start, "headers": headers.raw},
        {"type": "http.response.body", "body": body, "more_body": False},
    ]
