"""Silences and acknowledgements as JSON: what is asked for, checked, and how it comes back."""

import secrets
from collections.abc import Sequence
from typing import Annotated, Final

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field

from stalewatch.api.asked import Asked, Moment
from stalewatch.api.items import Item, times
from stalewatch.api.problem import ConflictError, MediaTypeError, MissingError, ParameterError
from stalewatch.auth.gate import USER
from store.alert_book import AlertRow
from store.base import Store
from store.matching import ack_of, check_matchers, silences_over, standing
from store.silences import AckRow, Matcher, MatcherOp, SilenceRow

ENDED_SHOWN_NS: Final = 7 * 86_400 * 10**9
"""Of silences that are over, the list has those of so long ago."""
Words = Annotated[str, Field(min_length=1, max_length=500, pattern=r"\S")]


class Sent(BaseModel):
    """The body of a request; a name that is not known is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class SentMatcher(Sent):
    """One matcher."""

    name: str
    op: MatcherOp = "="
    value: str


class SentSilence(Sent):
    """A silence; it starts now where `starts_at` is left out."""

    matchers: Annotated[Sequence[SentMatcher], Field(min_length=1)]
    comment: Words
    ends_at: Moment
    starts_at: Moment | None = None
    creator: Words | None = None
    """Needed where nobody logs in; whoever has logged in is the creator."""


class SentAck(Sent):
    """An acknowledgement of the firing that an alert is in."""

    comment: Annotated[str, Field(max_length=500)] = ""
    by: Words | None = None
    """Needed where nobody logs in."""


class SilencesAsked(Asked):
    """Silences that end after an instant; those of the last seven days where it is left out."""

    ending_after: Moment | None = None


def require_json(request: Request) -> None:
    """Raise MediaTypeError for a body that a form of another page could send, too."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise MediaTypeError("expected a body of content-type application/json")


def make_silence(sent: SentSilence, request: Request, now_ns: int) -> SilenceRow:
    """The row of a silence that was asked for. Raises ParameterError."""
    matchers = tuple(Matcher(each.name, each.op, each.value) for each in sent.matchers)
    try:
        check_matchers(matchers)
    except ValueError as error:
        raise ParameterError("matchers", str(error)) from None
    starts_at_ns = now_ns if sent.starts_at is None else sent.starts_at
    if sent.ends_at <= max(now_ns, starts_at_ns):
        raise ParameterError("ends_at", "expected an instant after now, and after starts_at")
    return SilenceRow(
        id=secrets.token_hex(6),
        matchers=matchers,
        creator=_who(request, sent.creator, "creator"),
        comment=sent.comment,
        starts_at_ns=starts_at_ns,
        ends_at_ns=sent.ends_at,
        created_at_ns=now_ns,
    )


def acknowledge(store: Store, id: str, sent: SentAck, request: Request, now_ns: int) -> Item:
    """Write it, and the alert as it then is. Raises ParameterError, MissingError, ConflictError."""
    by = _who(request, sent.by, "by")
    alert = next((row for row in store.alerts() if row.id == id), None)
    if alert is None:
        raise MissingError(f"no alert {id!r}: /api/v1/alerts lists those that there are")
    if alert.state != "firing" or alert.firing_since_ns is None:
        raise ConflictError(f"alert {id!r} is {alert.state}: only one that fires is acknowledged")
    store.acknowledge(AckRow(id, alert.firing_since_ns, by, sent.comment, now_ns))
    ack = ack_of(alert, store.acks())
    assert ack is not None
    return ack_item(ack)


def silence_item(row: SilenceRow, alerts: Sequence[AlertRow], now_ns: int) -> Item:
    """A silence, and the ids of the alerts that it keeps from being told now."""
    over = [each.id for each in alerts if _is_open(each) and silences_over(each, [row], now_ns)]
    return {
        "id": row.id,
        "state": standing(row, now_ns),
        "matchers": [
            {"name": each.name, "op": each.op, "value": each.value} for each in row.matchers
        ],
        "creator": row.creator,
        "comment": row.comment,
        "suppresses": over,
        **times(starts_at=row.starts_at_ns, ends_at=row.ends_at_ns, created_at=row.created_at_ns),
    }


def ack_item(row: AckRow) -> Item:
    """Who acknowledged which firing, when."""
    return {
        "alert": row.alert,
        "by": row.by,
        "comment": row.comment,
        **times(firing_since=row.firing_since_ns, at=row.at_ns),
    }


def _is_open(alert: AlertRow) -> bool:
    return alert.state in ("pending", "firing")


def _who(request: Request, named: str | None, parameter: str) -> str:
    """Who has logged in; where nobody does, who it says it is."""
    user = str(request.scope.get(USER, ""))
    if not (user or named):
        raise ParameterError(parameter, "is needed: nobody logs in here")
    return user or str(named)
