"""Only our own pages may open a websocket: browsers let any page try, with the user's password."""

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from stalewatch.auth.proxies import replace_host
from stalewatch.auth.refusal import refuse


class WebsocketOrigin:
    """Refuses a websocket whose Origin is neither the host it was asked of nor `external_origin`.

    `external_origin` is scheme, host and port of the configured `external_url`, or empty.
    """

    def __init__(self, app: ASGIApp, external_origin: str = "") -> None:
        self.app = app
        self.external_origin = external_origin.rstrip("/").lower()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] == "websocket":
            headers = Headers(scope=scope)
            origins, host = headers.getlist("origin"), headers.get("host", "")
            is_one = len(origins) == 1
            if not is_one or not is_ours(origins[0].lower(), host.lower(), self.external_origin):
                detail = "pages of another origin may not listen: set server.external_url"
                await refuse(scope, receive, send, 403, detail)
                return
            # Dash asks for the same host once more, and knows no proxy that puts in its own.
            scope = dict(scope)
            replace_host(scope, _netloc(origins[0]))
        await self.app(scope, receive, send)


def is_ours(origin: str, host: str, external_origin: str) -> bool:
    """Whether an origin is the host that was asked, or ours by the config; all in lower case."""
    netloc = _netloc(origin)
    return bool(netloc) and (netloc == host or origin == external_origin)


def _netloc(origin: str) -> str:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""
