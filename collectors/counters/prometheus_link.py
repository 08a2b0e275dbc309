"""One Prometheus, asked one question at a time: bounded in time and bytes, with short reasons.

The client library is synchronous, so it belongs in a thread. Of its own accord it would try a dead
server for ten seconds, and its answers have no bound: retries are off, and the transport reads no
more than a limit, within a time.
"""

import ssl
from collections.abc import Callable
from typing import Any, Final

from prometheus_api_client import PrometheusConnect
from prometheus_api_client.exceptions import PrometheusApiClientException
from requests import PreparedRequest, Response, Session
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase, HTTPBasicAuth
from requests.exceptions import ConnectionError as NoConnectionError
from requests.exceptions import JSONDecodeError, RequestException, SSLError, Timeout
from urllib3.exceptions import HTTPError
from urllib3.util.retry import Retry

from collectors.options import ServerProblem, shown
from settings import Auth, Tls

LONGEST_BYTES: Final = 16 << 20
NS: Final = 1_000_000_000


class QueryError(Exception):
    """A question has no answer; the message is a reason that is the same each time."""


class TooMuchError(RequestException):
    """The answer is longer, or slower, than it may be."""


class _Bounded(HTTPAdapter):
    """A transport that reads a whole answer within a number of bytes and a time, or gives it up."""

    def __init__(
        self, context: ssl.SSLContext | None, now_ns: Callable[[], int], within_ns: int, **more: Any
    ) -> None:
        self._context = context
        self._now_ns = now_ns
        self._within_ns = within_ns
        super().__init__(**more)

    def init_poolmanager(self, *args: Any, **more: Any) -> None:
        if self._context is not None:
            more["ssl_context"] = self._context
        super().init_poolmanager(*args, **more)

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """The context verifies; the library would load the machine's authorities over ours."""
        if self._context is None:
            super().cert_verify(conn, url, verify, cert)

    def send(self, request: PreparedRequest, **more: Any) -> Response:  # type: ignore[override]
        until_ns = self._now_ns() + self._within_ns
        response = super().send(request, **{**more, "stream": True})
        try:
            response._content = self._body(response.raw, until_ns)
        except HTTPError as error:
            raise NoConnectionError(error) from None
        finally:
            response.close()
        return response

    def _body(self, raw: Any, until_ns: int) -> bytes:
        pieces, size = [], 0
        while piece := raw.read1(1 << 16, decode_content=True):
            pieces.append(piece)
            size += len(piece)
            if size > LONGEST_BYTES:
                raise TooMuchError(f"the answer is longer than {LONGEST_BYTES >> 20} MiB")
            if self._now_ns() > until_ns:
                raise TooMuchError("timed out")
        return b"".join(pieces)


class _Login(AuthBase):
    """Reads the secret for each request, since its file may have changed."""

    def __init__(self, auth: Auth) -> None:
        self._auth = auth

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        if self._auth.token is not None:
            request.headers["Authorization"] = f"Bearer {self._auth.token.reveal()}"
            return request
        password = self._auth.password.reveal() if self._auth.password else ""
        return HTTPBasicAuth(self._auth.username or "", password)(request)


class PrometheusLink:
    """Connections to one Prometheus."""

    def __init__(
        self,
        url: str,
        now_ns: Callable[[], int],
        *,
        timeout_s: float,
        auth: Auth | None = None,
        tls: Tls | None = None,
    ) -> None:
        self._url = url.rstrip("/")
        self._now_ns = now_ns
        self._timeout_s = timeout_s
        self._auth = auth
        self._tls = tls
        self._context: ssl.SSLContext | None = None
        self._client: Any = None

    def ask(self, promql: str) -> list[Any]:
        """The vector that an instant query gives. Blocks. Raises QueryError for anything else."""
        try:
            found = self._ready_client().custom_query(promql)
        except PrometheusApiClientException as error:
            raise QueryError(shown(f"refused: {error}", 300)) from None
        except ServerProblem as error:
            raise QueryError(str(error)) from None
        except JSONDecodeError:
            raise QueryError("not the answer of a Prometheus") from None
        except RequestException as error:
            raise QueryError(_why(error)) from None
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise QueryError("not the answer of a Prometheus") from None
        if not isinstance(found, list):
            raise QueryError("not the answer of a Prometheus")
        return found

    def close(self) -> None:
        """Let go of every connection."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _ready_client(self) -> Any:
        """The client; a new one once the certificates have changed."""
        context = self._tls.context() if self._tls else None
        if self._client is None or context is not self._context:
            self.close()
            self._client, self._context = self._new_client(context), context
        return self._client

    def _new_client(self, context: ssl.SSLContext | None) -> Any:
        session = Session()
        session.trust_env = False
        session.max_redirects = 0
        client = PrometheusConnect(
            self._url,
            auth=_Login(self._auth) if self._auth else None,
            retry=Retry(total=0),
            session=session,
            timeout=self._timeout_s,
            method="POST",
        )
        within_ns = round(self._timeout_s * NS)
        # In the place of the transport that the client has just put there.
        session.mount(
            self._url,
            _Bounded(context, self._now_ns, within_ns, max_retries=Retry(total=0)),
        )
        return client


def _why(error: RequestException) -> str:
    if isinstance(error, TooMuchError):
        return str(error)
    if isinstance(error, Timeout):
        return "timed out"
    if isinstance(error, SSLError):
        return "the TLS connection failed; check tls"
    return "cannot connect" if isinstance(error, NoConnectionError) else type(error).__name__
