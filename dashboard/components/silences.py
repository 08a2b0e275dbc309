"""What people say of alerts: silences as a form and a list, and what keeps an alert quiet.

The page only reads; `live.js` sends what is asked for to the API, which knows who asks.
"""

from collections.abc import Sequence
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from dashboard.address import Address
from dashboard.components.parts import Child, attributes, cell, pill, table
from dashboard.queries.alerting import AlertsView
from dashboard.site import Site
from dashboard.wording import count, instant
from store.alert_book import AlertRow
from store.matching import labels_of, standing, write_matcher
from store.silences import Matcher, SilenceRow

_HEADS = ("Matchers", "State", "By", "Comment", "Suppresses now", "")
_TONES = {"active": "accent", "coming": "warn", "ended": "plain"}
_NAMED = 5
"""Alerts that a silence is over and that are named; of more there is the number."""


def quiet_marks(row: AlertRow, view: AlertsView) -> list[Component]:
    """Why an alert is not told, or not repeated, in a word each."""
    marks = []
    if view.silenced[row.id]:
        marks.append(pill("silenced", "accent"))
    if row.inhibited_by:
        marks.append(pill("inhibited", "accent"))
    if row.id in view.acks:
        marks.append(pill("acknowledged", "accent"))
    return marks


def quiet_facts(row: AlertRow, view: AlertsView) -> list[tuple[str, Child]]:
    """By what: each silence, the greater fault, and who acknowledged it."""
    told: list[tuple[str, Child]] = [
        (
            "Silenced by",
            f"{each.creator} until {instant(each.ends_at_ns, with_date=True)}: {each.comment}"
            f" ({each.id})",
        )
        for each in view.silenced[row.id]
    ]
    if row.inhibited_by:
        told.append(("Inhibited by", row.inhibited_by))
    ack = view.acks.get(row.id)
    if ack is not None:
        said = f": {ack.comment}" if ack.comment else ""
        told.append(("Acknowledged by", f"{ack.by} at {instant(ack.at_ns, with_date=True)}{said}"))
    return told


def actions(row: AlertRow, view: AlertsView) -> list[Component]:
    """What can be done about an alert: prepare a silence over it, acknowledge its firing."""
    if row.state not in ("pending", "firing"):
        return []
    matchers = [Matcher(name, "=", value) for name, value in labels_of(row).items()]
    buttons = [_button("Silence", "silence", "\n".join(map(write_matcher, matchers)))]
    if row.state == "firing" and row.id not in view.acks:
        buttons.insert(0, _button("Acknowledge", "ack", row.id))
    return [*buttons, _said()]


def silence_form(address: Address, site: Site) -> Component:
    """The form; open, and filled, where the address has matchers for it."""
    matchers = dcc.Textarea(
        id="silence-matchers",
        value=address.silence,
        placeholder="node=edge-eu-1",
        rows=max(2, address.silence.count("\n") + 1),
        className="field",
        required=True,
    )
    fields = [
        _field("Alerts whose labels match, a matcher a line", matchers),
        html.Div(
            [
                _field("For", _input("for", "2h")),
                _field("Your name", _input("creator", "")),
            ],
            className="fields",
        ),
        _field("Why", _input("comment", "")),
        html.Div(
            [
                html.Button("Silence", type="submit", className="button"),
                _said("silence-said"),
            ],
            className="alert-acts",
        ),
    ]
    form = html.Form(
        fields, id="silence-form", className="silence-form",
        **attributes(data_api=f"{site.prefix}api/v1/"),
    )  # fmt: skip
    box = [html.Summary("New silence"), form]
    opened: dict[str, Any] = {"open": True} if address.silence else {}
    return html.Details(box, id="silence-box", **opened)


def silences(view: AlertsView) -> Component:
    """Those that are active, to come and over, with what each suppresses now."""
    if not view.silences:
        return html.P("None.", className="hint")
    order = {"active": 0, "coming": 1, "ended": 2}
    rows = sorted(view.silences, key=lambda each: order[standing(each, view.now_ns)])
    return table("Silences", _HEADS, [_silence(row, view) for row in rows])


def _silence(row: SilenceRow, view: AlertsView) -> Component:
    state = standing(row, view.now_ns)
    ends = {"active": "until", "coming": "from", "ended": "since"}[state]
    at_ns = row.starts_at_ns if state == "coming" else row.ends_at_ns
    over = view.suppressed_by(row)
    act = None if state == "ended" else [_button("End now", "end", row.id), _said()]
    return html.Tr(
        [
            cell("Matchers", html.Code(", ".join(map(write_matcher, row.matchers)))),
            cell(
                "State",
                [
                    pill(state, _TONES[state]),
                    html.Span(f"{ends} {instant(at_ns, with_date=True)}", className="beside"),
                ],
            ),
            cell("By", row.creator),
            cell("Comment", row.comment, "cell-cause"),
            cell("Suppresses now", _named(over), "cell-cause"),
            cell("", html.Div(act, className="alert-acts")),
        ],
        **attributes(data_silence=row.id),
    )


def _named(over: Sequence[AlertRow]) -> str:
    if not over:
        return "nothing"
    names = [" ".join((row.rule, *row.labels.values())) for row in over[:_NAMED]]
    more = [f"and {len(over) - _NAMED} more"] if len(over) > _NAMED else []
    return f"{count(len(over), 'alert')}: {', '.join([*names, *more])}"


def _button(words: str, act: str, on: str) -> Component:
    return html.Button(
        words, type="button", className="button", **attributes(data_act=act, data_on=on)
    )


def _said(id: str | None = None) -> Component:
    named: dict[str, Any] = {"id": id} if id else {}
    return html.Span(className="said", role="status", **named)


def _field(label: str, field: Component) -> Component:
    return html.Label([html.Span(label), field], className="field-label")


def _input(name: str, value: str) -> Component:
    given: Component = dcc.Input(
        id=f"silence-{name}", value=value, type="text", className="field", maxLength=500
    )
    return given
