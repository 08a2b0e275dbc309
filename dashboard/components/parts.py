"""The small parts that every page is made of."""

from collections.abc import Sequence
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

Child = Component | str | None
Children = Sequence[Child] | Child


def attributes(**words: str) -> dict[str, Any]:
    """ARIA and data attributes, whose hyphens no argument's name can have."""
    return {name.replace("_", "-"): word for name, word in words.items()}


def panel(
    title: Children, body: Children, *, note: Children = None, id: str | None = None
) -> Component:
    """A titled surface; `note` stands beside the title in small letters."""
    head = html.Div(
        [html.H2(title, className="panel-title"), html.Div(note, className="panel-note")],
        className="panel-head",
    )
    named: dict[str, Any] = {"id": id} if id else {}
    return html.Section([head, html.Div(body)], className="panel", **named)


def empty(title: str, text: str, *, is_good: bool = False) -> Component:
    """What stands where there is nothing to list, and why that is good or not known."""
    return html.Div(
        [
            html.Span(className=f"icon {'icon-check' if is_good else 'icon-empty'}"),
            html.Div([html.Strong(title), html.Span(text)], className="empty-words"),
        ],
        className=f"empty {'empty-good' if is_good else ''}",
    )


def pill(text: str, tone: str = "plain") -> Component:
    """A short word on a tinted ground; tones: plain, good, warn, bad, unknown, accent."""
    return html.Span(text, className=f"pill pill-{tone}")


def link(children: Children, href: str, class_name: str = "link", **more: Any) -> Component:
    """A link within the UI: no page load. `href` is percent-encoded already."""
    return dcc.Link(children, href=href, className=class_name, **more)


def table(caption: str, heads: Sequence[str], rows: Sequence[Component]) -> Component:
    """A table that becomes a list of cards on narrow screens; `caption` is for screen readers."""
    header = html.Tr([html.Th(head, scope="col") for head in heads])
    return html.Table(
        [
            html.Caption(caption, className="visually-hidden"),
            html.Thead(header),
            html.Tbody(list(rows)),
        ],
        className="rows",
    )


def cell(head: str, children: Children, class_name: str = "") -> Component:
    """A cell that knows the heading of its column, for narrow screens."""
    return html.Td(children, className=class_name, **attributes(data_label=head))


def facts(pairs: Sequence[tuple[str, Children]]) -> Component:
    """Terms and what they are, as a definition list."""
    items = [html.Div([html.Dt(term), html.Dd(said)]) for term, said in pairs]
    return html.Dl(items, className="facts")


def copyable(command: str, hint: str = "") -> Component:
    """A command with a button that copies it, and a hint to hover for; `live.js` does it."""
    button = html.Button(
        "Copy",
        type="button",
        className="button",
        **attributes(data_copy=command, aria_label=f"Copy the command {command}"),
    )
    return html.Div([html.Code(command), button], className="command", title=hint)
