"""HTTP to a tracing back end: whole answers or a short reason."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final
from urllib.parse import urlencode

from collectors.http_link import Answer, FetchError, HttpLink, redirect
from collectors.traces import PollOptions, TraceError

SIDE_BY_SIDE: Final = 4
_GONE: Final = frozenset({401, 403, 429, 500, 502, 503, 504})


class TraceLink:
    """GET requests to one back end; redirects are told, never followed."""

    def __init__(self, options: PollOptions, accept: str) -> None:
        headers = {"Accept": accept, **options.headers}
        self._link = HttpLink(options.url, options, connections=SIDE_BY_SIDE, headers=headers)
        self._body_limit = options.longest_reply.bytes

    async def get(
        self, path: str, query: Mapping[str, str] | None = None, accept: str | None = None
    ) -> Answer:
        """An answer, cut off at the longest reply. Raises TraceError for none."""
        asked = f"{path}?{urlencode(query)}" if query else path
        headers = {"Accept": accept} if accept else None
        try:
            return await self._link.fetch(asked, body_limit=self._body_limit, headers=headers)
        except FetchError as error:
            raise TraceError(str(error)) from None

    async def close(self) -> None:
        """Let go of every connection."""
        await self._link.close()


def expect_ok(answer: Answer) -> None:
    """Raises TraceError for anything but 200."""
    if answer.status != HTTPStatus.OK:
        raise TraceError(redirect(answer) or f"status {answer.status}")


def is_gone(answer: Answer) -> bool:
    """Whether this answer is the back end's trouble, not that of what was asked for."""
    return answer.status in _GONE or bool(redirect(answer))
