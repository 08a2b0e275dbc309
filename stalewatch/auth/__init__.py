"""Who may read, what proxies are believed, and the headers that keep a page to itself.

Pure ASGI middleware, for http and for websocket scopes alike.
"""

from stalewatch.auth.gate import Auth, Basic, Gate, ProxyHeader
from stalewatch.auth.headers import SecurityHeaders, content_security_policy
from stalewatch.auth.proxies import BehindProxies, IpNetwork
from stalewatch.auth.request_origin import RequestOrigin
from stalewatch.auth.websocket_origin import WebsocketOrigin

__all__ = [
    "Auth",
    "Basic",
    "BehindProxies",
    "Gate",
    "IpNetwork",
    "ProxyHeader",
    "RequestOrigin",
    "SecurityHeaders",
    "WebsocketOrigin",
    "content_security_policy",
]
