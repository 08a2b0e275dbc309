"""Where a version stands in an HTTP answer, and how it is read from there."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

import orjson
from pydantic import Field

from collectors.base import VersionType
from collectors.decode import Fields, Shape
from collectors.http_link import Answer
from collectors.options import Comparable, JsonVersion
from collectors.versions import JsonPath, UnreadableError
from freshness.model import Reading, Result, Value
from settings import Section

ABSENT_STATUS: Final = (404, 410)


class HttpVersion(JsonVersion):
    """Where the version of an HTTP answer stands."""

    header: str | None = None
    """Name of the header that is the version."""
    etag: bool = False
    """Whether the strong ETag, without its quotes, is the version."""


class HttpAbsent(Section):
    """How a not-found looks."""

    status: tuple[Annotated[int, Field(ge=400, le=499)], ...] = ABSENT_STATUS
    """The statuses that say "there is no such row"."""


class HttpValues(Comparable):
    """What is read from an answer."""

    version: HttpVersion | None = None
    """Where the version stands."""
    projection: tuple[JsonPath, ...] = ()
    """The declared projection, JSON paths in the body."""
    absent: HttpAbsent = HttpAbsent()
    """How a not-found looks."""

    @property
    def needs_body(self) -> bool:
        """Whether anything is read from the body."""
        return bool(self.projection) or (
            self.version is not None and self.version.json_path is not None
        )

    def shape(self, written_as: VersionType) -> Shape:
        """What a value is declared to carry."""
        version = self.version
        return Shape(
            written_as,
            version.unit if version else None,
            has_version=version is not None,
            has_projection=bool(self.projection),
        )


def reading_of(answer: Answer, binding: HttpValues, shape: Shape) -> Reading:
    """An answer that holds a value, or says that there is none."""
    if answer.status in binding.absent.status:
        return Reading(Result.VALUE, _absent(answer, binding, shape))
    try:
        document = _document(answer) if binding.needs_body else None
        return shape.reading(_fields(answer.headers, document, binding))
    except UnreadableError as error:
        return Reading(Result.UNREADABLE, why=str(error))


def _absent(answer: Answer, binding: HttpValues, shape: Shape) -> Value:
    """A not-found, with its version where a header carries one that can be read."""
    version = binding.version
    if version is None or version.json_path is not None or shape.written_as is VersionType.STRING:
        return Value(absent=True)
    try:
        fields = Fields(_from_headers(answer.headers, version))
        return shape._replace(has_projection=False).value(fields, absent=True)
    except UnreadableError:
        return Value(absent=True)


def _document(answer: Answer) -> Any:
    if not answer.is_whole:
        raise UnreadableError(f"body longer than {len(answer.body)} bytes")
    try:
        return orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        raise UnreadableError("not JSON" if answer.body else "empty") from None


def _fields(headers: Mapping[str, str], document: Any, binding: HttpValues) -> Fields:
    version, projection = binding.version, [path.find(document) for path in binding.projection]
    if version is None:
        return Fields(None, projection)
    if version.json_path is not None:
        return Fields(version.json_path.find(document), projection)
    return Fields(_from_headers(headers, version), projection)


def _from_headers(headers: Mapping[str, str], version: HttpVersion) -> str:
    name = version.header or "etag"
    given = headers.get(name)
    if given is None:
        raise UnreadableError(f"no header {name}")
    return given.strip() if version.header else _strong(given.strip())


def _strong(etag: str) -> str:
    if etag.startswith("W/"):
        raise UnreadableError("the ETag is weak: several values may share it")
    if len(etag) < 2 or etag[0] != '"' or etag[-1] != '"':
        raise UnreadableError("the ETag is malformed")
    return etag[1:-1]
