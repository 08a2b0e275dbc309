"""Canaries by a request to a URL of the user's; see docs/canaries.md."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from collectors.base import NowNs
from collectors.canary import LONGEST_OUTPUT, Written
from collectors.http_link import FetchError, HttpLink, redirect
from collectors.options import PLACEHOLDER, ConnectionOptions, place_in_url


class HttpCanary:
    """Sends one request a write, over a connection of its own; success is a status of 2xx.

    Redirects are never followed: what answers is the server that was asked.
    """

    def __init__(
        self,
        url: str,
        method: str,
        body: str,
        headers: Mapping[str, str],
        options: ConnectionOptions,
        now_ns: NowNs,
    ) -> None:
        parts = urlsplit(url)
        self._base_url = f"{parts.scheme}://{parts.netloc}"
        self._path = url[len(self._base_url) :].partition("#")[0] or "/"
        self._method = method
        self._body = body
        self._headers = headers
        self._options = options
        self._now_ns = now_ns

    @property
    def address(self) -> str:
        """The server; the rest of the URL may hold a secret."""
        return self._base_url

    async def write(self, key: str) -> Written:
        """Send it once."""
        path = place_in_url(self._path, key)
        body = self._body.replace(PLACEHOLDER, key).encode() if self._body else None
        link, start_ns = self._link(), self._now_ns()
        try:
            answer = await link.send_once(self._method, path, body, body_limit=LONGEST_OUTPUT)
        except FetchError as error:
            return Written(start_ns, self._now_ns(), why=str(error))
        finally:
            await link.close()
        end_ns, why = self._now_ns(), ""
        if not 200 <= answer.status < 300:
            why = redirect(answer) or f"status {answer.status}"
        elif not answer.is_whole:
            # The status alone says that it succeeded; what it says beyond the limit is let go.
            return Written(start_ns, end_ns, answer.body, is_whole=False)
        return Written(start_ns, end_ns, answer.body, why=why)

    async def check(self) -> str:
        """Ask the server for the head of `/`: any answer that is HTTP will do."""
        link = self._link()
        try:
            await link.send_once("HEAD", "/", None, body_limit=0)
        except FetchError as error:
            return f"{error}: check url and tls"
        finally:
            await link.close()
        return ""

    def _link(self) -> HttpLink:
        return HttpLink(self._base_url, self._options, connections=1, headers=self._headers)
