"""Only our own pages may change anything: browsers let any page post, with the user's password."""

from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from stalewatch.auth.refusal import refuse
from stalewatch.auth.websocket_origin import is_ours

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_OWN_SITES: Final = frozenset({"same-origin", "none"})


class RequestOrigin:
    """Refuses a request that may change something and comes from a page of another origin.

    Browsers say so, by `Origin` or `Sec-Fetch-Site`; who sends neither is no browser. The origin
    must be the host that was asked, or `external_origin` (as for WebsocketOrigin).
    """

    def __init__(self, app: ASGIApp, external_origin: str = "") -> None:
        self.app = app
        self.external_origin = external_origin.rstrip("/").lower()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        is_change = scope["type"] == "http" and scope["method"] not in SAFE_METHODS
        if is_change and not self._is_welcome(Headers(scope=scope)):
            detail = "pages of another origin may change nothing: set server.external_url"
            await refuse(scope, receive, send, 403, detail)
            return
        await self.app(scope, receive, send)

    def _is_welcome(self, headers: Headers) -> bool:
        origins, host = headers.getlist("origin"), headers.get("host", "").lower()
        if origins:
            return len(origins) == 1 and is_ours(origins[0].lower(), host, self.external_origin)
        return all(site in _OWN_SITES for site in headers.getlist("sec-fetch-site"))
