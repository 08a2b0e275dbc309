"""What may be asked: the query of each list, read and checked before the store is."""

import re
from datetime import datetime
from typing import Annotated, Final, Literal
from urllib.parse import quote, unquote_to_bytes

from fastapi import Request
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from settings.duration import Duration
from stalewatch.api.problem import ParameterError
from store.alert_book import DeliveryState
from store.catalogue_history import Section

NS_PER_S: Final = 1_000_000_000
HOUR_NS: Final = 3_600 * NS_PER_S
SHORTEST_NS: Final = 60 * NS_PER_S
LONGEST_NS: Final = 35 * 24 * HOUR_NS
"""As long as hours are kept."""
MOST: Final = 500
_MOMENT: Final = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)", re.ASCII
)


def parse_moment(text: str) -> int:
    """An instant of RFC 3339 as Unix nanoseconds, exactly. Raises ValueError."""
    read = _MOMENT.fullmatch(text)
    try:
        if read is None:
            raise ValueError
        whole = datetime.fromisoformat(read[1] + read[3].replace("Z", "+00:00"))
    except ValueError:
        raise ValueError("expected an instant such as 2026-01-31T12:00:00Z") from None
    since_epoch = whole - datetime.fromisoformat("1970-01-01T00:00:00+00:00")
    seconds = since_epoch.days * 86_400 + since_epoch.seconds
    return _within(seconds * NS_PER_S + int((read[2] or "").ljust(9, "0")))


def _within(ns: int) -> int:
    if not -(2**63) <= ns < 2**63:
        raise ValueError("expected an instant between the years 1678 and 2262")
    return ns


def _parse_window(text: str) -> int:
    length_ns = Duration.parse(text).ns
    if not SHORTEST_NS <= length_ns <= LONGEST_NS:
        raise ValueError("expected a duration between 1m and 35d")
    return length_ns


Moment = Annotated[int, BeforeValidator(parse_moment)]
Length = Annotated[int, BeforeValidator(_parse_window)]
Limit = Annotated[int, Field(ge=1, le=MOST)]


class Asked(BaseModel):
    """A query; a parameter that is not known is an error, since it would filter nothing."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class NothingAsked(Asked):
    """A list that is short, and always whole."""


class FindingsAsked(Asked):
    """Findings, newest first."""

    open: bool = False
    """Those that are opened or confirmed alone, instead of all."""
    keyspace: str | None = None
    key: str | None = None
    layer: str | None = None
    node: str | None = None
    since: Moment = 0
    limit: Limit = 100
    cursor: str | None = None


class KeysAsked(Asked):
    """Keys of a keyspace by how they begin."""

    keyspace: str
    prefix: str = ""
    limit: Limit = 50


class HistoryAsked(Asked):
    """One key over time; `key` in the query is for keys that no path can carry."""

    key: str | None = None
    since: Moment | None = None
    until: Moment | None = None
    limit: Limit = 100

    def span(self, now_ns: int) -> tuple[int, int]:
        """[since, until): the last hour where nothing else is asked. Raises ParameterError."""
        until_ns = now_ns if self.until is None else self.until
        since_ns = until_ns - HOUR_NS if self.since is None else self.since
        if since_ns >= until_ns:
            expected = "expected an instant before `until`, which is now where it is left out"
            raise ParameterError("since", expected)
        return since_ns, until_ns


class CountersAsked(Asked):
    """What nodes counted in [since, until): the last hour where nothing else is asked."""

    layer: str | None = None
    node: str | None = None
    since: Moment | None = None
    until: Moment | None = None

    def span(self, now_ns: int) -> tuple[int, int]:
        """The window, 35 days at most. Raises ParameterError."""
        until_ns = now_ns if self.until is None else self.until
        since_ns = until_ns - HOUR_NS if self.since is None else self.since
        if not 0 < until_ns - since_ns <= LONGEST_NS:
            expected = "expected an instant before `until` (now where left out), by 35d at most"
            raise ParameterError("since", expected)
        return since_ns, until_ns


class WindowAsked(Asked):
    """A window that ends now, of some keyspace, layer and node, or of all."""

    window: Length = HOUR_NS
    keyspace: str | None = None
    layer: str | None = None
    node: str | None = None


class LagAsked(WindowAsked):
    """The same, told apart by layer or node."""

    by: Literal["layer", "node"] = "layer"


class InvalidationsAsked(Asked):
    """Invalidations received in [since, until), newest first."""

    keyspace: str | None = None
    key: str | None = None
    since: Moment = 0
    until: Moment | None = None
    limit: Limit = 100
    cursor: str | None = None


class FreshnessAsked(WindowAsked):
    """The same, told apart by keyspace, layer or node."""

    by: Literal["keyspace", "layer", "node"] = "keyspace"


class CatalogueHistoryAsked(Asked):
    """What changed of one entry of the catalogue or of all, newest first."""

    section: Section | None = None
    name: str | None = None
    limit: Limit = 100


class SweepsAsked(Asked):
    """Sweeps, newest first."""

    open: bool = False
    limit: Limit = 100


class TransitionsAsked(Asked):
    """Steps of one alert or of all, newest first."""

    alert: str | None = None
    limit: Limit = 100


class NotificationsAsked(Asked):
    """What is owed of one alert or of all, newest first."""

    alert: str | None = None
    state: DeliveryState | None = None
    limit: Limit = 100


def named_in_path(request: Request, after: bytes = b"/keys/") -> tuple[str, str | None]:
    """The keyspace and the key of a path, as they were written: a `%2F` is no slash of the path.

    Raises ParameterError for text that is not UTF-8.
    """
    raw: bytes = request.scope.get("raw_path") or quote(request.scope["path"]).encode()
    keyspace, slash, key = raw.partition(after)[2].partition(b"/")
    return _decoded("keyspace", keyspace), _decoded("key", key) if slash else None


def _decoded(parameter: str, raw: bytes) -> str:
    try:
        return unquote_to_bytes(raw).decode()
    except UnicodeDecodeError:
        raise ParameterError(parameter, "expected percent-encoded UTF-8") from None


class ReportsAsked(Asked):
    """Which reports that were made."""

    report: str | None = None
    limit: Limit = 100


class ReportAsked(Asked):
    """In which form one is wanted."""

    format: Literal["json", "csv"] = "json"
