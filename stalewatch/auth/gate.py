"""Authentication: a password, or an identity that a trusted proxy vouches for."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from settings.secret import SecretError
from stalewatch.auth.proxies import IpNetwork, is_trusted
from stalewatch.auth.refusal import refuse

OPEN_PATHS: Final = frozenset({"/healthz", "/readyz"})
METRICS_PATH: Final = "/metrics"
USER: Final = "stalewatch.user"
"""Where a scope has the name of the user whom the gate let in; empty without authentication."""
_CHALLENGE: Final = {"www-authenticate": 'Basic realm="Stalewatch", charset="UTF-8"'}


@dataclass(frozen=True, slots=True)
class Basic:
    """HTTP basic authentication (RFC 7617). `password` is asked anew for each request."""

    username: str
    password: Callable[[], str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class ProxyHeader:
    """The name of the user, in a header that only the `trusted` peers may set."""

    header: str
    trusted: Sequence[IpNetwork]


Auth = Basic | ProxyHeader | None


class Gate:
    """Lets through who has proven who they are; `/healthz` and `/readyz` are open to all.

    Without `auth` everything is open, which is for an address that only this machine can reach.
    """

    def __init__(self, app: ASGIApp, auth: Auth, metrics_open: bool = False) -> None:
        self.app = app
        self.auth = auth
        self.open_paths = OPEN_PATHS | ({METRICS_PATH} if metrics_open else set())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] not in ("http", "websocket") or scope["path"] in self.open_paths:
            await self.app(scope, receive, send)
            return
        try:
            user = _proven(self.auth, scope)
        except SecretError as error:
            await refuse(scope, receive, send, 503, f"no password to compare with: {error}")
            return
        if user is not None:
            await self.app({**scope, USER: user}, receive, send)
        elif isinstance(self.auth, Basic):
            detail = "a user name and a password are needed: server.auth in the configuration"
            await refuse(scope, receive, send, 401, detail, _CHALLENGE)
        else:
            detail = "no trusted proxy vouches for this request: come by way of the proxy"
            await refuse(scope, receive, send, 401, detail)


def _proven(auth: Auth, scope: Scope) -> str | None:
    """The name of the user, empty where nobody need have one; None where it is not proven."""
    headers = Headers(scope=scope)
    match auth:
        case None:
            return ""
        case Basic():
            return auth.username if _is_right(auth, headers.getlist("authorization")) else None
        case ProxyHeader():
            # Two values would be two users, one of them perhaps the visitor's own invention.
            named = headers.getlist(auth.header)
            is_one = len(named) == 1 and bool(named[0].strip())
            return named[0].strip() if is_one and is_trusted(scope, auth.trusted) else None


def _is_right(auth: Basic, given: Sequence[str]) -> bool:
    scheme, _, token = given[0].partition(" ") if len(given) == 1 else ("", "", "")
    if scheme.lower() != "basic":
        return False
    try:
        username, colon, password = base64.b64decode(token.strip(), validate=True).partition(b":")
    except (binascii.Error, ValueError):
        return False
    expected = auth.password()
    # Both are compared whatever the first says, so that time tells nothing of either.
    is_user = _is_same(username, auth.username)
    is_password = _is_same(password, expected)
    return is_user and is_password and bool(colon) and bool(expected)


def _is_same(given: bytes, expected: str) -> bool:
    """In constant time; digests are of one length, so not even a length is told."""
    left, right = hashlib.sha256(given), hashlib.sha256(expected.encode())
    return hmac.compare_digest(left.digest(), right.digest())
