"""The request as the visitor made it: proxies on the way, and the path they serve us under."""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Receive, Scope, Send

IpNetwork = IPv4Network | IPv6Network
_SECURE: Final = {"http": "https", "ws": "wss", "https": "https", "wss": "wss"}
_PLAIN: Final = {"https": "http", "wss": "ws", "http": "http", "ws": "ws"}


def is_trusted(scope: Scope, trusted: Sequence[IpNetwork]) -> bool:
    """Whether the peer of the connection itself is one of these; a Unix socket has no address."""
    client = scope.get("client")
    try:
        address = ip_address(client[0]) if client else None
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return address is not None and any(address in network for network in trusted)


class BehindProxies:
    """Takes the external path off, whether or not the proxy has; believes trusted peers alone.

    Of a trusted peer, `X-Forwarded-Proto`, `-Host` and `-Prefix` are taken for what the visitor
    asked for; of any other they are nothing. `root_path` stays empty: what is mounted below would
    look for it in a path that no longer has it.
    """

    def __init__(
        self, app: ASGIApp, external_path: str = "/", trusted: Sequence[IpNetwork] = ()
    ) -> None:
        self.app = app
        self.prefix = _bare(external_path)
        self.trusted = trusted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] in ("http", "websocket"):
            scope = dict(scope)
            prefixes = [self.prefix]
            if is_trusted(scope, self.trusted):
                prefixes.append(_bare(_last(scope, "x-forwarded-prefix")))
                _believe(scope)
            _strip(scope, prefixes)
        await self.app(scope, receive, send)


def _believe(scope: Scope) -> None:
    scheme, host = _last(scope, "x-forwarded-proto").lower(), _last(scope, "x-forwarded-host")
    if scheme in ("https", "wss"):
        scope["scheme"] = _SECURE[scope["scheme"]]
    elif scheme in ("http", "ws"):
        scope["scheme"] = _PLAIN[scope["scheme"]]
    if host:
        replace_host(scope, host)


def replace_host(scope: Scope, host: str) -> None:
    """Let the rest of the application see this host; the scope is the caller's own copy."""
    headers = MutableHeaders(raw=list(scope["headers"]))
    headers["host"] = host
    scope["headers"] = headers.raw


def _last(scope: Scope, name: str) -> str:
    """The value that the nearest proxy set: what stands before it may come from anybody."""
    values = Headers(scope=scope).getlist(name)
    return values[-1].rpartition(",")[2].strip() if values else ""


def _strip(scope: Scope, prefixes: Iterable[str]) -> None:
    path: str = scope["path"]
    for prefix in prefixes:
        if prefix and (path == prefix or path.startswith(f"{prefix}/")):
            scope["path"] = path[len(prefix) :] or "/"
            # By segments: the raw path may spell the same prefix with percent signs.
            kept = scope.get("raw_path", b"").split(b"/", prefix.count("/") + 1)
            scope["raw_path"] = b"/" + kept[-1] if len(kept) > prefix.count("/") + 1 else b"/"
            return


def _bare(path: str) -> str:
    """Without a slash at its end, with one at its beginning; empty for the root."""
    inside = path.strip("/")
    return f"/{inside}" if inside else ""
