"""The callbacks: the page of an address, and the news pushed to it while it is open."""

import asyncio
import json
from hashlib import blake2b
from typing import Any, Final

from dash import Dash, Input, Output, State, ctx, no_update, set_props
from dash.development.base_component import Component
from dash.exceptions import WebsocketDisconnected

from dashboard.refresh import Renderer, View, json_ready
from dashboard.site import Parts

BEAT_S: Final = 1.0
_ANSWER_WITHIN_S: Final = 20.0
_SLIDES_AFTER_S: Final = 15.0
"""A window that ends now moves on, also while nothing is written."""


def register(app: Dash, renderer: Renderer) -> None:
    """Add the callbacks to an application."""

    @app.callback(
        Output("page", "children"),
        Output("shown", "data"),
        Input("view", "data"),
        Input("poll", "data"),
        State("shown", "data"),
        prevent_initial_call=True,
    )
    async def show(data: Any, poll: Any, shown: Any) -> tuple[Any, Any]:  # noqa: ARG001
        view = View.read(data)
        if view is None:
            return no_update, no_update
        page, parts = await asyncio.to_thread(_render, renderer, view, shown)
        for id, props in parts.items():
            set_props(id, dict(props))
        return (page, view.path) if page is not None else (no_update, no_update)

    @app.callback(persistent=True, websocket=True)
    async def push() -> None:
        socket = ctx.websocket
        if socket is not None:
            await Pusher(renderer, socket).run()


def _render(renderer: Renderer, view: View, shown: Any) -> tuple[Component | None, Parts]:
    """A new page whole, with the parts of the shell; of a page that stands, its parts."""
    parts = renderer.parts(view)
    if shown == view.path:
        return None, parts
    page = renderer.page(view, parts)
    within = _ids(page)
    return page, {id: props for id, props in parts.items() if id not in within}


def _ids(page: Component) -> set[str]:
    children = page._traverse()  # type: ignore[no-untyped-call]
    return {str(child.id) for child in children if getattr(child, "id", None)}


class Pusher:
    """Watches the store for one open page and sends what changed of it, about once a second."""

    def __init__(self, renderer: Renderer, socket: Any) -> None:
        self.renderer = renderer
        self.socket = socket
        self.view: View | None = None
        self.sent: dict[tuple[str, str], bytes] = {}
        self.revision = -1
        self.quiet_s = 0.0

    async def run(self) -> None:
        """Until the socket closes or its page stops answering."""
        beats = 0
        while not self.socket.is_shutdown:
            beats += 1
            await self.socket.set_prop("beat", "data", beats)
            try:
                view = View.read(await self.socket.get_prop("view", "data", _ANSWER_WITHIN_S))
            except (TimeoutError, WebsocketDisconnected):
                return
            if view is not None and not view.is_paused:
                await self._look(view)
            await asyncio.sleep(BEAT_S)

    async def _look(self, view: View) -> None:
        revision = await asyncio.to_thread(self.renderer.store.revision)
        self.quiet_s += BEAT_S
        if view != self.view:
            # The page has just been filled over HTTP; from here on only what changes is news.
            self.view, self.sent = view, {}
        elif not self._is_due(view, revision):
            return
        self.revision, self.quiet_s = revision, 0.0
        parts = await asyncio.to_thread(self.renderer.parts, view)
        if View.read(await self.socket.get_prop("view", "data", _ANSWER_WITHIN_S)) == view:
            await self._send(parts)

    def _is_due(self, view: View, revision: int) -> bool:
        has_news = revision != self.revision
        return self.quiet_s >= (self.renderer.pace_s(view) if has_news else _SLIDES_AFTER_S)

    async def _send(self, parts: Parts) -> None:
        for id, props in parts.items():
            for name, value in props.items():
                digest = _digest(value)
                if self.sent.get((id, name)) != digest:
                    self.sent[id, name] = digest
                    await self.socket.set_prop(id, name, value)


def _digest(value: Any) -> bytes:
    text = json.dumps(value, default=json_ready, sort_keys=True)
    return blake2b(text.encode(), digest_size=16).digest()
