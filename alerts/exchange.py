"""One HTTP exchange with whoever is told: bounded in time and bytes, no redirect followed."""

import asyncio
import contextlib
import ssl
from base64 import b64encode
from collections.abc import Mapping, Sequence
from email.utils import parsedate_to_datetime
from typing import Final, NamedTuple
from urllib.parse import urlsplit

import httpx2

from alerts.base import ChannelError, Outcome
from alerts.shown import shown
from settings import Auth, Duration, SecretError, Section, Tls, TlsError, WebUrl

BODY_BYTES: Final = 2_048
"""So much of an answer is read, where it says why not; of a good one, nothing."""
BODY_S: Final = 2.0
_SAID: Final = 200
_PASSING: Final = frozenset({401, 403, 407, 408, 425, 429})
"""Refusals that say nothing of what was told: of credentials, of load, of time."""
_MACHINE: Final = Tls()
"""Trusts what the machine trusts; holds one context for all."""


class HttpOptions(Section):
    """How a server is asked over HTTP."""

    auth: Auth | None = None
    """Whom to connect as: a user and password, or a bearer token."""
    tls: Tls | None = None
    """The certificates to trust and to show; left out, what the machine trusts."""
    timeout: Duration = Duration.parse("10s")
    """How long one exchange may take, connecting included."""


class Answered(NamedTuple):
    """What a server answered. `said` is the beginning of its words, where it did not agree."""

    status: int
    said: str
    retry_after_s: float
    server: str
    body: bytes = b""

    @property
    def is_accepted(self) -> bool:
        """Whether it took what it was told."""
        return 200 <= self.status < 300


async def exchange(
    method: str,
    url: str,
    options: HttpOptions,
    *,
    json: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    body_bytes: int = 0,
) -> Answered:
    """Ask once, and read the status; at most `body_bytes` of a good answer.

    Proxies of the environment are not used. Raises ChannelError with a short reason that never
    repeats the URL, which may be a secret.
    """
    try:
        return await _ask(method, url, options, json, headers or {}, body_bytes)
    except TimeoutError:
        raise ChannelError(f"no answer within {options.timeout}") from None
    except (SecretError, TlsError) as error:
        raise ChannelError(str(error)) from None
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError) as error:
        raise ChannelError(_why(error)) from None


async def reach(url: WebUrl, options: HttpOptions) -> str:
    """Ask for the head of the server's root, which tells nobody anything; what the server is.

    Raises ChannelError where it does not answer, or says itself that it cannot.
    """
    try:
        parts = urlsplit(url.reveal())
    except SecretError as error:
        raise ChannelError(str(error)) from None
    answer = await exchange("HEAD", f"{parts.scheme}://{parts.netloc}/", options)
    if answer.status >= 500:
        raise ChannelError(told(answer))
    return shown(answer.server, 80) or "HTTP"


def outcome(answer: Answered, recipients: Sequence[str]) -> Outcome:
    """What an answer to a notification makes of it.

    Owed again is what says nothing of the notification: a server's fault, a redirect (which is not
    followed), credentials, load. Any other refusal is for good.
    """
    if answer.is_accepted:
        return Outcome()
    is_passing = answer.status >= 500 or answer.status < 400 or answer.status in _PASSING
    return Outcome.failed(
        recipients, told(answer), is_final=not is_passing, retry_after_s=answer.retry_after_s
    )


def told(answer: Answered) -> str:
    """`503: try later`, in one harmless line."""
    return f"{answer.status}: {answer.said}" if answer.said else f"HTTP {answer.status}"


async def _ask(
    method: str,
    url: str,
    options: HttpOptions,
    json: bytes | None,
    headers: Mapping[str, str],
    body_bytes: int,
) -> Answered:
    tls = options.tls or _MACHINE
    named = {"sni_hostname": tls.server_name} if tls.server_name else {}
    # Without TLS there is nothing to verify: no redirect leads to where there is.
    verify = tls.context() if url.startswith("https:") else False
    sent = {
        "User-Agent": "stalewatch",
        "Accept-Encoding": "identity",
        **({"Content-Type": "application/json"} if json is not None else {}),
        **_authorization(options.auth),
        **headers,
    }
    async with httpx2.AsyncClient(
        verify=verify, trust_env=False, follow_redirects=False, timeout=options.timeout.seconds
    ) as client:
        request = client.build_request(method, url, content=json, headers=sent)
        request.extensions.update(named)
        async with asyncio.timeout(options.timeout.seconds):
            response = await client.send(request, stream=True)
        try:  # once there is a status, nothing that comes after takes it back
            return await _answered(response, body_bytes)
        finally:
            await response.aclose()


async def _answered(response: httpx2.Response, body_bytes: int) -> Answered:
    headers = response.headers
    server, retry_after_s = headers.get("server", ""), _retry_after_s(headers)
    if response.is_success:
        body = await _beginning(response, body_bytes) if body_bytes else b""
        return Answered(response.status_code, "", 0.0, server, body)
    if response.is_redirect:
        where = urlsplit(headers.get("location", "")).netloc or "another path"
        said = f"redirects to {shown(where, _SAID)}, which is not followed"
    else:
        said = shown((await _beginning(response, BODY_BYTES)).decode(errors="replace"), _SAID)
    return Answered(response.status_code, said.strip(), retry_after_s, server)


async def _beginning(response: httpx2.Response, limit: int) -> bytes:
    """Its first bytes, as they came within a moment: whatever is wrong with the rest."""
    read = b""
    with contextlib.suppress(TimeoutError, httpx2.HTTPError):
        async with asyncio.timeout(BODY_S):
            async for piece in response.aiter_raw():
                read += piece[: limit - len(read)]
                if len(read) >= limit:
                    break
                await asyncio.sleep(0)  # a body in pieces of a byte must not outrun its time
    return read


def _retry_after_s(headers: httpx2.Headers) -> float:
    """Seconds, or a date against the answer's own (RFC 9110, 10.2.3); 0 for anything else."""
    asked = headers.get("retry-after", "").strip()
    if asked.isdecimal():
        return float(asked[:9])
    try:
        until = parsedate_to_datetime(asked)
        wait_s = (until - parsedate_to_datetime(headers.get("date", ""))).total_seconds()
    except (ValueError, TypeError):
        return 0.0
    return max(0.0, wait_s)


def _authorization(auth: Auth | None) -> dict[str, str]:
    if auth is None:
        return {}
    if auth.token is not None:
        return {"Authorization": f"Bearer {auth.token.reveal()}"}
    password = auth.password.reveal() if auth.password else ""
    credentials = b64encode(f"{auth.username or ''}:{password}".encode()).decode()
    return {"Authorization": f"Basic {credentials}"}


def _why(error: Exception) -> str:
    if isinstance(error, httpx2.TimeoutException):
        return "no answer in time"
    if isinstance(error, httpx2.ConnectError):
        return _why_not_connected(error)
    if isinstance(error, httpx2.RemoteProtocolError):
        is_cut = "without sending" in str(error) or "closed connection" in str(error)
        return "connection closed before the answer" if is_cut else "the answer is not HTTP"
    if isinstance(error, httpx2.NetworkError | OSError):
        return "connection closed before the answer"
    return f"cannot ask: {type(error).__name__}"


def _why_not_connected(error: httpx2.ConnectError) -> str:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ConnectionRefusedError):
            return "connection refused"
        if isinstance(cause, ssl.SSLError):
            return f"cannot connect: {getattr(cause, 'verify_message', '') or cause.reason}"
        cause = cause.__cause__ or cause.__context__
    if "attempts failed" in str(error):
        return "connection refused"
    return f"cannot connect: {shown(str(error), _SAID)}"
