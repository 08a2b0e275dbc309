"""The ASGI application of the receiver: one path, one method, answers as OTLP/HTTP says."""

import asyncio
import hmac
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from http import HTTPStatus
from typing import Any, Final, Protocol

from collectors.base import NowNs
from collectors.otlp.intake import CHARGE_BYTES, Intake
from collectors.otlp.wire import Answer, Encoding, busy, encoding_of, refusal
from settings import SecretError

PATH: Final = "/v1/traces"
BODY_TIMEOUT_S: Final = 30.0
"""How long a client may take to send a body whose room it occupies."""

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class RequestWatch(Protocol):
    """Who counts requests."""

    def note_request(self, status: int) -> None:
        """One request was answered."""
        ...


class _TurnedAwayError(Exception):
    """A body that is not taken; carries the answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


class OtlpApp:
    """Serves `POST /v1/traces`. `token` gives the bearer token now; None where none is asked for.

    `now_ns` is wall time, Unix nanoseconds.
    """

    def __init__(
        self,
        intake: Intake,
        token: Callable[[], str] | None,
        now_ns: NowNs,
        watch: RequestWatch,
    ) -> None:
        self._intake, self._token = intake, token
        self._now_ns, self._watch = now_ns, watch

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; of other scopes none is served."""
        if scope["type"] != "http":
            return
        answer = await self._answer(scope, receive)
        self._watch.note_request(answer.status)
        await _send(answer, send)

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        encoding = encoding_of(headers.get(b"content-type", ""))
        turned_away = self._refuse(scope, headers, encoding)
        if turned_away is not None or encoding is None:
            return turned_away or _unsupported()
        coding = headers.get(b"content-encoding", "identity").strip().lower()
        if coding not in {"gzip", "identity", ""}:
            why = "expected Content-Encoding gzip or none"
            accepts = {"accept-encoding": "gzip"}
            return refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, why, encoding, accepts)
        return await self._take(receive, encoding, is_gzip=coding == "gzip")

    def _refuse(
        self, scope: Scope, headers: Mapping[bytes, str], encoding: Encoding | None
    ) -> Answer | None:
        if scope["path"] != PATH:
            return refusal(HTTPStatus.NOT_FOUND, f"spans are taken at {PATH} alone", encoding)
        if scope["method"] != "POST":
            allowed = {"allow": "POST"}
            return refusal(HTTPStatus.METHOD_NOT_ALLOWED, "expected POST", encoding, allowed)
        try:
            if self._is_stranger(headers.get(b"authorization", "")):
                asked = {"www-authenticate": "Bearer"}
                why = "a valid bearer token is required"
                return refusal(HTTPStatus.UNAUTHORIZED, why, encoding, asked)
        except SecretError:
            return busy("the server cannot read its token now", encoding)
        return None if encoding else _unsupported()

    def _is_stranger(self, authorization: str) -> bool:
        if self._token is None:
            return False
        scheme, _, token = authorization.partition(" ")
        is_right = hmac.compare_digest(token.strip().encode(), self._token().encode())
        return scheme.lower() != "bearer" or not is_right

    async def _take(self, receive: Receive, encoding: Encoding, *, is_gzip: bool) -> Answer:
        if not self._intake.charge(CHARGE_BYTES):
            return busy("the queue is full", encoding)
        body = bytearray()
        try:
            async with asyncio.timeout(BODY_TIMEOUT_S):
                await self._receive_into(body, receive, encoding)
            return await self._intake.submit(bytes(body), encoding, is_gzip, self._now_ns())
        except asyncio.CancelledError:
            # The server ends and waits no longer: what is not acknowledged, the client keeps.
            return busy("the server is ending", encoding)
        except TimeoutError:
            return refusal(HTTPStatus.REQUEST_TIMEOUT, "the body did not come in time", encoding)
        except _TurnedAwayError as turned_away:
            return turned_away.answer
        finally:
            self._intake.discharge(CHARGE_BYTES + len(body))

    async def _receive_into(self, body: bytearray, receive: Receive, encoding: Encoding) -> None:
        """Each chunk is charged as it comes: what is on its way occupies memory, too."""
        has_more = True
        while has_more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise _TurnedAwayError(refusal(HTTPStatus.BAD_REQUEST, "cut off", encoding))
            chunk: bytes = message.get("body", b"")
            if len(body) + len(chunk) > self._intake.most_bytes:
                why = f"the body is larger than {self._intake.most_bytes} bytes"
                raise _TurnedAwayError(refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, why, encoding))
            if not self._intake.charge(len(chunk)):
                raise _TurnedAwayError(busy("the queue is full", encoding))
            body += chunk
            has_more = message.get("more_body", False)


def _unsupported() -> Answer:
    why = "expected Content-Type application/x-protobuf or application/json"
    return refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, why)


async def _send(answer: Answer, send: Send) -> None:
    headers = {
        "content-type": answer.media_type,
        "content-length": str(len(answer.body)),
        **answer.headers,
    }
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": raw})
    await send({"type": "http.response.body", "body": answer.body})
