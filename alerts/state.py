"""The alert state machine: inactive → pending → firing → resolved, as in Prometheus.

Pure: an alert, a look, a rule's timing and `now` give the next alert and its named reason. Every
clock is an instant in `AlertRow`, so a restart loses none. A clock counts only time that was seen:
between two looks of which one was unknown, or that lie further apart than `LONGEST_GAP_NS` (the
process was down), clocks stand still, which moves their start on by as long.
Source: Prometheus, rules/alerting.go, for the states and `keep_firing_for`.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from alerts.look import Condition, Look
from store.alert_book import AlertRow, AlertState, TransitionRow

NS_PER_S: Final = 1_000_000_000
LONGEST_GAP_NS: Final = 60 * NS_PER_S
"""Looks further apart than this say nothing of the time between them."""
RESOLVED_FOR_NS: Final = 15 * 60 * NS_PER_S
"""So long a resolved alert is shown as such."""


@dataclass(frozen=True, slots=True)
class Timing:
    """How long a condition must hold before it fires, and be clear before it resolves."""

    for_ns: int = 0
    keep_firing_for_ns: int = 0


class Why(StrEnum):
    """The named reason of an alert's state, and of every transition into it."""

    QUIET = "the condition does not hold"
    BEGAN = "the condition began to hold"
    WAITING = "the condition holds, but not yet for its time"
    HELD = "the condition held for its time"
    BRIEF = "the condition ended before its time"
    HOLDS = "the condition still holds"
    EASED = "below the limit, but not below the recovery threshold"
    KEPT = "clear, but not yet for its time"
    RECOVERED = "clear for its time"
    LOST = "measurement lost: it neither fires nor resolves"
    GONE = "no longer watched"
    OVER = "resolved"
    FADED = "resolved a while ago"


def new_alert(id: str, rule: str, look: Look, now_ns: int) -> AlertRow:
    """An alert that has never been anything."""
    return AlertRow(
        id=id,
        rule=rule,
        labels=dict(look.labels),
        state="inactive",
        reason=Why.QUIET,
        is_frozen=False,
        value=None,
        summary="",
        evidence=(),
        link="",
        pending_since_ns=None,
        firing_since_ns=None,
        clear_since_ns=None,
        resolved_at_ns=None,
        seen_at_ns=now_ns,
    )


def step(
    alert: AlertRow, look: Look, rule: Timing, now_ns: int
) -> tuple[AlertRow, TransitionRow | None]:
    """What one look makes of an alert, and the transition where its state changes."""
    seen = _seen(alert, look, now_ns)
    if look.condition is Condition.UNKNOWN:
        after = replace(seen, is_frozen=True, reason=Why.LOST)
    else:
        after = _NEXT[alert.state](replace(seen, is_frozen=False), look.condition, rule, now_ns)
    if after.state == alert.state:
        return after, None
    return after, TransitionRow(alert.id, now_ns, alert.state, after.state, after.reason)


def _seen(alert: AlertRow, look: Look, now_ns: int) -> AlertRow:
    """The alert as the look shows it, its clocks moved on by the time that nobody saw."""
    passed_ns = now_ns - alert.seen_at_ns
    is_blind = alert.is_frozen or look.condition is Condition.UNKNOWN
    unseen_ns = 0 if not is_blind and 0 <= passed_ns <= LONGEST_GAP_NS else passed_ns
    is_told = look.condition is not Condition.UNKNOWN or alert.state in ("inactive", "resolved")
    told = replace(alert, value=look.value, evidence=tuple(look.evidence), link=look.link)
    # While it is frozen, a pending or firing alert keeps what made it so.
    return replace(
        told if is_told else alert,
        summary=look.summary,
        pending_since_ns=_moved(alert.pending_since_ns, unseen_ns),
        clear_since_ns=_moved(alert.clear_since_ns, unseen_ns),
        seen_at_ns=now_ns,
    )


def _moved(since_ns: int | None, by_ns: int) -> int | None:
    return None if since_ns is None else since_ns + by_ns


def _from_inactive(alert: AlertRow, condition: Condition, rule: Timing, now_ns: int) -> AlertRow:
    if condition is not Condition.HOLDS:
        return replace(alert, reason=Why.QUIET)
    began = replace(alert, pending_since_ns=now_ns, firing_since_ns=None, resolved_at_ns=None)
    if rule.for_ns > 0:
        return _in(began, "pending", Why.BEGAN)
    return _fire(began, now_ns)


def _from_pending(alert: AlertRow, condition: Condition, rule: Timing, now_ns: int) -> AlertRow:
    if condition is not Condition.HOLDS:
        why = Why.GONE if condition is Condition.GONE else Why.BRIEF
        return _in(replace(alert, pending_since_ns=None), "inactive", why)
    if now_ns - _running(alert.pending_since_ns, now_ns) >= rule.for_ns:
        return _fire(alert, now_ns)
    return replace(alert, reason=Why.WAITING)


def _from_firing(alert: AlertRow, condition: Condition, rule: Timing, now_ns: int) -> AlertRow:
    if condition is Condition.GONE:
        return _resolve(alert, Why.GONE, now_ns)
    if condition is not Condition.CLEAR:
        why = Why.EASED if condition is Condition.EASED else Why.HOLDS
        return replace(alert, clear_since_ns=None, reason=why)
    clear_since_ns = _running(alert.clear_since_ns, now_ns)
    if now_ns - clear_since_ns >= rule.keep_firing_for_ns:
        return _resolve(alert, Why.RECOVERED, now_ns)
    return replace(alert, clear_since_ns=clear_since_ns, reason=Why.KEPT)


def _from_resolved(alert: AlertRow, condition: Condition, rule: Timing, now_ns: int) -> AlertRow:
    if condition is Condition.HOLDS:
        return _from_inactive(alert, condition, rule, now_ns)
    if now_ns - _running(alert.resolved_at_ns, now_ns) < RESOLVED_FOR_NS:
        return replace(alert, reason=Why.OVER)
    return _in(replace(alert, firing_since_ns=None, resolved_at_ns=None), "inactive", Why.FADED)


_NEXT: Final = {
    "inactive": _from_inactive,
    "pending": _from_pending,
    "firing": _from_firing,
    "resolved": _from_resolved,
}


def _running(since_ns: int | None, now_ns: int) -> int:
    """When a clock began; one that did not run begins now."""
    return now_ns if since_ns is None else since_ns


def _fire(alert: AlertRow, now_ns: int) -> AlertRow:
    return _in(replace(alert, firing_since_ns=now_ns), "firing", Why.HELD)


def _resolve(alert: AlertRow, why: Why, now_ns: int) -> AlertRow:
    over = replace(alert, pending_since_ns=None, clear_since_ns=None, resolved_at_ns=now_ns)
    return _in(over, "resolved", why)


def _in(alert: AlertRow, state: AlertState, why: Why) -> AlertRow:
    return replace(alert, state=state, reason=why)
