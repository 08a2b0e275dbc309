"""Alerts as cards with their evidence and deliveries, and their transitions as a table."""

from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component

from dashboard.components.parts import Child, attributes, cell, empty, facts, link, pill, table
from dashboard.components.silences import actions, quiet_facts, quiet_marks
from dashboard.queries.alerting import AlertsView, since_ns
from dashboard.wording import ago, count, instant
from store.alert_book import AlertRow, NotificationRow

_DELIVERY_HEADS = ("Owed since", "Channel", "Kind", "State", "Attempts", "Why")
_CHANGE_HEADS = ("At", "Alert", "From", "To", "Reason")
_TONES = {"firing": "bad", "pending": "warn", "resolved": "good", "inactive": "plain"}
_EVIDENCE_SHOWN = 10
_DELIVERIES_SHOWN = 10


def firing_alerts(view: AlertsView, prefix: str) -> Component:
    """A card each; where there is none, what that does not say."""
    if not view.firing:
        text = "No rule fires. A rule that cannot measure stands below as frozen, if it has begun."
        return empty("Nothing fires", text)
    return _cards(view.firing, view, prefix)


def waiting_alerts(rows: Sequence[AlertRow], view: AlertsView, prefix: str) -> Component:
    """Pending or resolved ones as cards too, or that there are none."""
    return _cards(rows, view, prefix) if rows else html.P("None.", className="hint")


def _cards(rows: Sequence[AlertRow], view: AlertsView, prefix: str) -> Component:
    return html.Div([_card(row, view, prefix) for row in rows], className="alerts")


def _card(row: AlertRow, view: AlertsView, prefix: str) -> Component:
    marks = [pill(row.state, _TONES[row.state]), *quiet_marks(row, view)]
    if row.is_frozen:
        marks.append(pill("frozen: measurement lost", "unknown"))
    if row.state == "firing" and row.clear_since_ns is not None:
        marks.append(pill(f"clear since {instant(row.clear_since_ns)}"))
    labels = " · ".join(f"{name} {value}" for name, value in row.labels.items())
    body: list[Child] = [
        html.Div([html.H3(row.rule, className="alert-name"), *marks], className="alert-top"),
        html.P(labels, className="hint"),
        html.P(row.summary, className="alert-summary") if row.summary else None,
        facts([*_facts(row, view.now_ns), *quiet_facts(row, view)]),
        _evidence(row.evidence),
        html.Div([_view(row, prefix), *actions(row, view)], className="alert-acts"),
        html.H4("Deliveries", className="minor"),
        deliveries(view.notifications.get(row.id, ()), view.now_ns),
    ]
    return html.Article(body, className=f"card alert-{row.state}", **attributes(data_alert=row.id))


def _facts(row: AlertRow, now_ns: int) -> list[tuple[str, Child]]:
    since = since_ns(row)
    told: list[tuple[str, Child]] = []
    if since is not None:
        when = f"{instant(since, with_date=True)}, {ago(since, now_ns)}"
        told.append((f"{row.state.capitalize()} since", when))
    told.append(("Why", row.reason))
    told.append(("Value", "not known" if row.value is None else f"{row.value:,.4g}"))
    told.append(("Last looked at", ago(row.seen_at_ns, now_ns)))
    return told


def _evidence(lines: Sequence[str]) -> Component | None:
    if not lines:
        return None
    items = [html.Li(line) for line in lines[:_EVIDENCE_SHOWN]]
    more = len(lines) - len(items)
    items += [html.Li(f"and {more:,} more")] if more > 0 else []
    return html.Ul(items, className="evidence", **attributes(aria_label="Evidence"))


def _view(row: AlertRow, prefix: str) -> Component | None:
    """The address below the UI's own: whatever the row says, it leads nowhere else."""
    if not row.link:
        return None
    return link("Open the view of it", prefix + row.link.lstrip("/\\"), "button")


def deliveries(rows: Sequence[NotificationRow], now_ns: int) -> Component:
    """What became of each notification, newest first."""
    if not rows:
        return html.P("Nothing was to be told.", className="hint")
    shown = [_delivery(row, now_ns) for row in rows[:_DELIVERIES_SHOWN]]
    listed = table("Deliveries", _DELIVERY_HEADS, shown)
    more = len(rows) - len(shown)
    hint = html.P(f"{more:,} older ones are not shown.", className="hint") if more > 0 else None
    return html.Div([listed, hint])


def _delivery(row: NotificationRow, now_ns: int) -> Component:
    return html.Tr(
        [
            cell("Owed since", instant(row.created_at_ns), "num"),
            cell("Channel", row.channel),
            cell("Kind", row.kind),
            cell("State", _fate(row, now_ns), "cell-fate"),
            cell("Attempts", f"{row.attempts}", "num"),
            cell("Why", row.why or "–", "cell-cause"),
        ],
        **attributes(data_delivery=row.id),
    )


def _fate(row: NotificationRow, now_ns: int) -> list[Child]:
    missing = f"not accepted by {', '.join(row.recipients)}" if row.recipients else ""
    if row.state == "delivered":
        at = "" if row.delivered_at_ns is None else instant(row.delivered_at_ns)
        return [pill("delivered", "good"), html.Span(at, className="beside")]
    if row.state == "dead":
        return [pill("dead letter", "bad"), html.Span(missing, className="beside")]
    if row.state == "leased":
        return [pill("being sent", "accent")]
    if row.attempts == 0:
        return [pill("owed", "plain")]
    late = "now" if row.next_at_ns <= now_ns else f"at {instant(row.next_at_ns)}"
    return [pill("retried", "warn"), html.Span(f"next {late}", className="beside")]


def transitions(view: AlertsView) -> Component:
    """What changed in the window, newest first."""
    if not view.transitions:
        return html.P("None in this window.", className="hint")
    rows = [
        html.Tr(
            [
                cell("At", instant(row.at_ns, with_date=True), "num"),
                cell("Alert", _named(view.alert(row.alert), row.alert)),
                cell("From", pill(row.before, _TONES[row.before])),
                cell("To", pill(row.after, _TONES[row.after])),
                cell("Reason", row.reason, "cell-cause"),
            ]
        )
        for row in view.transitions
    ]
    return table("Transitions", _CHANGE_HEADS, rows)


def _named(row: AlertRow | None, id: str) -> list[Component]:
    if row is None:
        return [html.Span(id, className="mono")]
    labels = " · ".join(row.labels.values())
    return [html.Div(row.rule, className="strong"), html.Div(labels, className="under")]


def summary(view: AlertsView) -> str:
    """The page in a line; what is frozen is named, since it can neither fire nor resolve."""
    every = (*view.firing, *view.pending, *view.resolved)
    frozen = sum(row.is_frozen for row in every)
    silenced = sum(bool(view.silenced[row.id]) for row in (*view.firing, *view.pending))
    told = [row for rows in view.notifications.values() for row in rows]
    dead = sum(row.state == "dead" for row in (*told, *view.adrift))
    parts = [f"{len(view.firing)} firing", f"{len(view.pending)} pending"]
    parts += [f"{frozen} frozen"] if frozen else []
    parts += [f"{silenced} silenced"] if silenced else []
    parts += [count(dead, "dead letter")] if dead else []
    return " · ".join(parts)
