"""The list of keys to choose from."""

from collections.abc import Sequence
from dataclasses import replace

from dash import html
from dash.development.base_component import Component

from dashboard.address import Address
from dashboard.components.parts import attributes, empty, link, pill
from dashboard.queries.history import PickerView
from dashboard.wording import count


def key_list(view: PickerView, address: Address, prefix: str) -> Component:
    """Keyspaces to choose from, then keys as links, those with open findings first."""
    if not view.keyspaces:
        return empty("No keys yet", "No key has been read in this window.")
    chosen = [_keyspace(name, view, address, prefix) for name in view.keyspaces]
    keys = [_key(key, view, address, prefix) for key in view.keys]
    listed = html.Ul(keys, className="keys") if keys else _nothing(view)
    found = count(len(keys), "key") + (" (the first)" if len(keys) >= 50 else "")
    return html.Div(
        [
            html.Nav(chosen, className="choices", **attributes(aria_label="Keyspaces")),
            html.P(found, className="hint", role="status"),
            listed,
        ]
    )


def _nothing(view: PickerView) -> Component:
    return empty("No such key", f"No known key of {view.keyspace} begins with “{view.search}”.")


def _keyspace(name: str, view: PickerView, address: Address, prefix: str) -> Component:
    is_chosen = name == view.keyspace
    target = replace(address, page="key", keyspace=name, key=None)
    return link(name, target.href(prefix), "choice chosen" if is_chosen else "choice")


def _key(key: str, view: PickerView, address: Address, prefix: str) -> Component:
    target = address.key_page(view.keyspace or "", key)
    mark: Sequence[Component] = [pill("open finding", "bad")] if key in view.with_findings else []
    return html.Li([link(key or "(empty key)", target.href(prefix)), *mark])
