"""How a request is turned away, be it for a page or for a websocket."""

from collections.abc import Mapping

import orjson
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

POLICY_VIOLATION = 1008


async def refuse(
    scope: Scope,
    receive: Receive,
    send: Send,
    status: int,
    detail: str,
    headers: Mapping[str, str] | None = None,
) -> None:
    """Answer with a problem (RFC 9457); a websocket is answered before it is opened."""
    title = {401: "Unauthorized", 403: "Forbidden", 503: "Service Unavailable"}[status]
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    if scope["type"] == "websocket" and "websocket.http.response" not in scope["extensions"]:
        await send({"type": "websocket.close", "code": POLICY_VIOLATION, "reason": detail[:120]})
        return
    # Starlette names the messages for a websocket where the scope is one.
    answer = Response(
        orjson.dumps(body), status, dict(headers or {}), media_type="application/problem+json"
    )
    await answer(scope, receive, send)
