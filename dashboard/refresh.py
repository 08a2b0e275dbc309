"""What a browser looks at, and everything that its page is to show of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Any, Self

from dash import html
from dash.development.base_component import Component

from dashboard.address import Address, Window, parse
from dashboard.components.parts import Child, empty, link
from dashboard.figures.template import Theme
from dashboard.pages import page_of
from dashboard.queries import names
from dashboard.site import Parts, Site
from dashboard.wording import SECOND_NS, iso
from store.base import Store, StoreError


@dataclass(frozen=True, slots=True)
class View:
    """The `view` store of a browser: where it is, its theme, and whether it wants no news."""

    path: str
    search: str
    theme: Theme
    is_paused: bool

    @classmethod
    def read(cls, data: object) -> Self | None:
        """What a browser sent, checked; None while it has nothing to say."""
        if not isinstance(data, Mapping) or not isinstance(data.get("path"), str):
            return None
        return cls(
            path=data["path"],
            search=str(data.get("search") or ""),
            theme="dark" if data.get("theme") == "dark" else "light",
            is_paused=bool(data.get("paused")),
        )


@dataclass(frozen=True, slots=True)
class Renderer:
    """Makes pages from the store; every method reads it, so none belongs on an event loop."""

    store: Store
    site: Site
    now_ns: Callable[[], int]
    making: Lock = field(default_factory=Lock)
    made: dict[View, tuple[tuple[int, int], Parts]] = field(default_factory=dict)

    def address(self, view: View) -> Address | None:
        """The address that a browser is at; None where there is no such page."""
        return parse(self.site.prefix, view.path, view.search)

    def parts(self, view: View) -> Parts:
        """The parts of the page and of the shell; of the shell alone where there is no page.

        One view is made at a time, since threads would only contend for the interpreter that the
        probes need too, and once a second or write for all that look at it.
        """
        with self.making:
            now_ns = self.now_ns()
            try:
                seen = (self.store.revision(), now_ns // SECOND_NS)
            except StoreError as error:
                return self._problem(str(error))
            for old in [view for view, (when, _) in self.made.items() if when != seen]:
                del self.made[old]
            if view not in self.made:
                self.made[view] = seen, self._make(view, now_ns)
            return self.made[view][1]

    def _make(self, view: View, now_ns: int) -> Parts:
        address = self.address(view)
        try:
            if address is None:
                return self._problem(None)
            page = page_of(address).fill(self.store, address, self.site, view.theme, now_ns)
            return {**page, **self._shell(address, now_ns), **self._problem(None)}
        except StoreError as error:
            return self._problem(str(error))

    def page(self, view: View, parts: Parts) -> Component:
        """The whole page, its parts in place."""
        address = self.address(view)
        if address is None:
            return _not_found(self.site)
        if "document-title" not in parts:
            return html.Div(html.H1("Nothing can be shown"), className="page")
        return page_of(address).frame(address, self.site, parts)

    def pace_s(self, view: View) -> float:
        """How long to wait between two looks: a wide window changes slowly and costs more."""
        address = self.address(view)
        window = address.window(self.now_ns()) if address else Window(0, 0)
        hours = (window.until_ns - window.since_ns) / 3.6e12
        return 1.0 if hours <= 1 else 5.0 if hours <= 6 else 15.0

    def _shell(self, address: Address, now_ns: int) -> Parts:
        keyspaces = names.keyspaces(self.store, address, now_ns)
        return {
            "keyspace-filter": {"data": keyspaces},
            "layer-filter": {"data": names.layers(self.store)},
            "chips": {"children": _chips(address, self.site)},
        }

    def _problem(self, message: str | None) -> Parts:
        shown = None if message is None else empty("The store cannot be read", message)
        return {"problem": {"children": shown}}


def _chips(address: Address, site: Site) -> list[Component]:
    """What the controls do not show: an absolute range and a node, each with a way out of it."""
    chips: list[tuple[str, Address]] = []
    if address.since_ns is not None and address.until_ns is not None:
        shown = f"{_short(address.since_ns)} to {_short(address.until_ns)}"
        chips.append((shown, replace(address, since_ns=None, until_ns=None)))
    if address.node:
        chips.append((f"node {address.node}", replace(address, node=None)))
    return [_chip(words, target.href(site.prefix)) for words, target in chips]


def _short(at_ns: int) -> str:
    return iso(at_ns)[5:19].replace("T", " ")


def _chip(words: str, href: str) -> Component:
    removal: list[Child] = [words, html.Span("×", className="chip-x")]
    return link(removal, href, "chip", title=f"Remove: {words}")


def _not_found(site: Site) -> Component:
    return html.Div(
        [
            html.Div(html.H1("No such page"), className="page-head"),
            html.P(["There is nothing here. ", link("Go to the Overview", site.prefix)]),
        ],
        className="page",
    )


def json_ready(value: Any) -> Any:
    """For `json.dumps(default=…)`: components as Dash sends them."""
    return value.to_plotly_json()
