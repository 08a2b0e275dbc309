"""Errors as problem documents (RFC 9457): what, where, and what to do."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from store.base import CursorError, StoreError

ROUTES_HINT = "docs/api.md lists what is there"


class ParameterError(Exception):
    """A parameter that cannot be used; `detail` says what was expected."""

    def __init__(self, parameter: str, detail: str) -> None:
        super().__init__(f"{parameter}: {detail}")
        self.parameter = parameter
        self.detail = detail


class MissingError(Exception):
    """There is no such thing; the message says which, and what to do."""


class ConflictError(Exception):
    """It cannot be done to the thing as it stands; the message says why."""


class MediaTypeError(Exception):
    """The body is of a kind that is not taken."""


def answer_problems(server: FastAPI) -> None:
    """Let every error of this server be answered with a problem."""
    handlers: dict[type[Exception], Any] = {
        ParameterError: _on_parameter,
        RequestValidationError: _on_validation,
        CursorError: _on_cursor,
        StoreError: _on_store,
        MissingError: _on_missing,
        ConflictError: _on_conflict,
        MediaTypeError: _on_media_type,
        HTTPException: _on_http,
        Exception: _on_anything,
    }
    for kind, handler in handlers.items():
        server.add_exception_handler(kind, handler)


def problem(
    request: Request,
    status: int,
    detail: str,
    errors: Sequence[tuple[str, str]] = (),
    headers: dict[str, str] | None = None,
) -> Response:
    """One problem; `errors` are (parameter, what was expected)."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "instance": request.url.path,
    }
    if errors:
        body["errors"] = [{"parameter": name, "detail": text} for name, text in errors]
    content = orjson.dumps(body)
    return Response(content, status, headers, media_type="application/problem+json")


async def _on_parameter(request: Request, error: ParameterError) -> Response:
    return problem(request, 400, str(error), [(error.parameter, error.detail)])


async def _on_validation(request: Request, error: RequestValidationError) -> Response:
    wrong = [(_parameter(each["loc"]), _expected(each)) for each in error.errors()]
    detail = "; ".join(f"{name}: {text}" for name, text in wrong)
    return problem(request, 400, detail, wrong)


async def _on_cursor(request: Request, error: CursorError) -> Response:
    detail = f"{error}; take `next` of the page before, unchanged, or leave it out"
    return problem(request, 400, f"cursor: {detail}", [("cursor", detail)])


async def _on_store(request: Request, error: StoreError) -> Response:
    return problem(request, 503, f"the store cannot be read: {error}", headers={"retry-after": "5"})


async def _on_missing(request: Request, error: MissingError) -> Response:
    return problem(request, 404, str(error))


async def _on_conflict(request: Request, error: ConflictError) -> Response:
    return problem(request, 409, str(error))


async def _on_media_type(request: Request, error: MediaTypeError) -> Response:
    return problem(request, 415, str(error))


async def _on_http(request: Request, error: HTTPException) -> Response:
    detail = str(error.detail)
    if error.status_code in (404, 405):
        detail = f"no {request.method} of {request.url.path}: {ROUTES_HINT}"
    return problem(request, error.status_code, detail, headers=dict(error.headers or {}))


async def _on_anything(request: Request, error: Exception) -> Response:  # noqa: ARG001
    """The server logs the error with its trace once this is sent; it is no visitor's business."""
    return problem(request, 500, "a fault of Stalewatch itself: its log has the trace")


def _parameter(loc: Sequence[int | str]) -> str:
    """Of ("query", "limit") the name; a fault of the whole query has none of its own."""
    named = loc[1:] if loc and loc[0] == "body" else loc[1:2]
    return ".".join(map(str, named)) or str(loc[0])


def _expected(error: dict[str, Any]) -> str:
    if error["type"] == "extra_forbidden":
        return "is no parameter here"
    if error["type"] == "missing":
        return "is needed"
    return str(error["msg"]).removeprefix("Value error, ")
