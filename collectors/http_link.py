"""HTTP to one server: requests that are bounded in time and bytes, with short, stable reasons."""

import asyncio
import contextlib
import ssl
from base64 import b64encode
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, NamedTuple

import httpx2

from collectors.options import ConnectionOptions, ServerProblem, shown
from settings import Secret

LONGEST_IDLE_S: Final = 30.0


class FetchError(Exception):
    """There is no answer, or half of one; the message is a reason that is the same each time."""


class Answer(NamedTuple):
    """An answer to one request. `body` ends early, and `is_whole` is false, at the limit asked."""

    status: int
    headers: httpx2.Headers
    body: bytes
    is_whole: bool


class HttpLink:
    """Keep-alive connections to one server, at most `connections` at a time.

    Redirects are never followed and proxies of the environment never used: what answers is the
    server that was asked. Certificates and secrets are read again once their files have changed;
    `secrets` are headers that hold one.
    """

    def __init__(
        self,
        base_url: str,
        options: ConnectionOptions,
        *,
        connections: int,
        headers: Mapping[str, str] | None = None,
        secrets: Mapping[str, Secret] | None = None,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._options = options
        self._connections = connections
        self._headers = {"User-Agent": "stalewatch", "Accept-Encoding": "gzip", **(headers or {})}
        self._secrets = secrets or {}
        self._turns = asyncio.Semaphore(connections)
        self._client: httpx2.AsyncClient | None = None
        self._context: ssl.SSLContext | None = None
        self._retired: list[httpx2.AsyncClient] = []

    async def fetch(
        self, path: str, *, body_limit: int, json: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:  # fmt: skip
        """GET, or POST with a JSON body. Raises FetchError, for whatever the server does."""
        return await self._guarded(lambda: self._fetch_twice(path, json, headers or {}, body_limit))

    async def send_once(
        self, method: str, path: str, content: bytes | None, *, body_limit: int
    ) -> Answer:
        """A request that may change something: it is never sent twice. Raises FetchError."""
        return await self._guarded(lambda: self._fetch(path, content, {}, body_limit, method))

    async def _guarded(self, ask: Callable[[], Awaitable[Answer]]) -> Answer:
        """An answer within the time limits. Raises FetchError, for whatever the server does."""
        limit = self._options.connect_timeout.seconds + self._options.read_timeout.seconds
        async with self._turns:
            try:
                async with asyncio.timeout(limit):
                    return await ask()
            except ServerProblem as error:
                raise FetchError(str(error)) from None
            except TimeoutError:
                raise FetchError("timed out") from None
            except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError) as error:
                raise FetchError(_why(error)) from None

    async def close(self) -> None:
        """Let go of every connection."""
        for client in (*self._retired, self._client):
            if client is not None:
                with contextlib.suppress(OSError, RuntimeError, httpx2.HTTPError):
                    await client.aclose()
        self._client, self._retired = None, []

    async def _fetch_twice(
        self, path: str, json: bytes | None, headers: Mapping[str, str], body_limit: int
    ) -> Answer:
        """Once more over a new connection where the server had closed an idle one."""
        try:
            return await self._fetch(path, json, headers, body_limit)
        except (httpx2.ReadError, httpx2.WriteError, httpx2.RemoteProtocolError) as error:
            if _why(error) != "connection closed":
                raise
        return await self._fetch(path, json, headers, body_limit)

    async def _fetch(
        self,
        path: str,
        json: bytes | None,
        headers: Mapping[str, str],
        body_limit: int,
        method: str | None = None,
    ) -> Answer:
        if {".", ".."} & set(path.partition("?")[0].split("/")):
            # Everybody on the way would take them for steps, and answer with another page.
            raise FetchError("cannot ask: the path has a dot segment")
        client = self._ready_client()
        revealed = {name: secret.reveal() for name, secret in self._secrets.items()}
        sent = {**self._headers, **self._authorization(), **revealed, **headers}
        if json is not None and method is None:
            sent["Content-Type"] = "application/json"
        request = client.build_request(
            method or ("GET" if json is None else "POST"),
            self._base_url + path,
            content=json,
            headers=sent,
            extensions=self._extensions(),
        )
        response = await client.send(request, stream=True)
        try:
            body, is_whole = await _bounded(response, body_limit)
        finally:
            await response.aclose()
        return Answer(response.status_code, response.headers, body, is_whole)

    def _ready_client(self) -> httpx2.AsyncClient:
        """The client; a new one once the certificates have changed."""
        context = self._options.tls.context() if self._options.tls else None
        if self._client is None or context is not self._context:
            if self._client is not None:
                self._retired.append(self._client)
            self._client, self._context = self._new_client(context), context
        return self._client

    def _new_client(self, context: ssl.SSLContext | None) -> httpx2.AsyncClient:
        connections = self._connections
        return httpx2.AsyncClient(
            verify=context or True,
            trust_env=False,
            follow_redirects=False,
            limits=httpx2.Limits(
                max_connections=connections,
                max_keepalive_connections=connections,
                keepalive_expiry=LONGEST_IDLE_S,
            ),
            timeout=httpx2.Timeout(
                self._options.read_timeout.seconds, connect=self._options.connect_timeout.seconds
            ),
        )

    def _extensions(self) -> dict[str, object]:
        """The time limits (an explicit mapping replaces the client's), and the name to verify."""
        read_s, connect_s = (
            self._options.read_timeout.seconds, self._options.connect_timeout.seconds
        )  # fmt: skip
        limits = {"connect": connect_s, "read": read_s, "write": read_s, "pool": read_s}
        name = self._options.tls.server_name if self._options.tls else None
        return {"timeout": limits, **({"sni_hostname": name} if name else {})}

    def _authorization(self) -> dict[str, str]:
        auth = self._options.auth
        if auth is None:
            return {}
        if auth.token is not None:
            return {"Authorization": f"Bearer {auth.token.reveal()}"}
        password = auth.password.reveal() if auth.password else ""
        credentials = b64encode(f"{auth.username or ''}:{password}".encode()).decode()
        return {"Authorization": f"Basic {credentials}"}


async def _bounded(response: httpx2.Response, limit: int) -> tuple[bytes, bool]:
    """The decoded body up to `limit` bytes, and whether that is all of it."""
    pieces, size = [], 0
    async for piece in response.aiter_bytes():
        pieces.append(piece[: limit - size])
        size += len(piece)
        if size > limit:
            return b"".join(pieces), False
        await asyncio.sleep(0)  # a body in pieces of a byte must not outrun its time-out
    return b"".join(pieces), True


def base_url(host: str, port: int, options: ConnectionOptions) -> str:
    """`https://host:port` where TLS is declared, else `http://host:port`."""
    literal = f"[{host}]" if ":" in host else host
    return f"{'https' if options.tls else 'http'}://{literal}:{port}"


def redirect(answer: Answer) -> str:
    """Why a redirect is no answer; empty for anything else."""
    if answer.status not in {301, 302, 303, 307, 308}:
        return ""
    where = answer.headers.get("location", "nowhere").partition("?")[0]  # a query may hold a token
    return f"redirect to {shown(where)}"


def _why(error: Exception) -> str:
    if isinstance(error, httpx2.ConnectTimeout):
        return "connecting timed out"
    if isinstance(error, httpx2.TimeoutException):
        return "timed out"
    if isinstance(error, httpx2.ConnectError):
        return _why_not_connected(error)
    if isinstance(error, httpx2.DecodingError):
        return "undecodable body"
    if isinstance(error, httpx2.RemoteProtocolError):
        return _why_not_http(str(error))
    if isinstance(error, httpx2.NetworkError | OSError):
        return "connection closed"
    return f"cannot ask: {type(error).__name__}"


def _why_not_connected(error: httpx2.ConnectError) -> str:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ConnectionRefusedError):
            return "connection refused"
        if isinstance(cause, ssl.SSLError):
            return f"cannot connect: {getattr(cause, 'verify_message', '') or cause.reason}"
        cause = cause.__cause__ or cause.__context__
    text = shown(str(error))
    is_refused = "All connection attempts failed" in text
    return "connection refused" if is_refused else f"cannot connect: {text}"


def _why_not_http(message: str) -> str:
    if "without sending a response" in message:
        return "connection closed"
    return "half an answer" if "peer closed connection" in message else "not HTTP"
