"""What runs in the browser: names of functions in `assets/live.js`, wired to components."""

from dash import ClientsideFunction, Dash, Input, Output, State

from dashboard.shell import PAGES


def register(app: Dash) -> None:
    """Keep the address and the controls in step, the theme, the badge and the title."""

    def client(name: str, *wires: Input | Output | State, first: bool = True) -> None:
        function = ClientsideFunction("stalewatch", name)
        app.clientside_callback(  # type: ignore[no-untyped-call]
            function, *wires, prevent_initial_call=not first
        )

    client(
        "view",
        Output("view", "data"),
        Input("url", "pathname"),
        Input("url", "search"),
        Input("theme", "data"),
        Input("paused", "data"),
    )
    client(
        "controls",
        Output("range", "value"),
        Output("keyspace-filter", "value"),
        Output("layer-filter", "value"),
        *(Output(f"nav-{name}", "className") for name, _, _ in PAGES),
        Input("url", "pathname"),
        Input("url", "search"),
    )
    client(
        "filter",
        Output("sink", "data", allow_duplicate=True),
        Input("range", "value"),
        Input("keyspace-filter", "value"),
        Input("layer-filter", "value"),
        first=False,
    )
    client(
        "custom",
        Output("sink", "data", allow_duplicate=True),
        Input("range-apply", "n_clicks"),
        State("range-from", "value"),
        State("range-to", "value"),
        first=False,
    )
    client(
        "asked",
        Output("range-from", "value"),
        Output("range-to", "value"),
        Input("range-custom", "n_clicks"),
        first=False,
    )
    client(
        "search",
        Output("sink", "data", allow_duplicate=True),
        Input("key-search", "value"),
        first=False,
    )
    client(
        "square",
        Output("sink", "data", allow_duplicate=True),
        Input("heat", "clickData"),
        State("heat", "figure"),
        first=False,
    )
    client(
        "theme",
        Output("theme", "data"),
        Output("provider", "forceColorScheme"),
        Input("theme-toggle", "n_clicks"),
    )
    client("pause", Output("paused", "data"), Input("live", "n_clicks"))
    client("beat", Output("sink", "data", allow_duplicate=True), Input("beat", "data"), first=False)
    client(
        "badge",
        Output("live-words", "children"),
        Output("live", "className"),
        Output("live", "title"),
        Output("poll", "data"),
        Input("tick", "n_intervals"),
        Input("paused", "data"),
        State("poll", "data"),
    )
    client("zone", Output("zone", "title"), Input("url", "pathname"))
    client(
        "title",
        Output("sink", "data", allow_duplicate=True),
        Input("document-title", "data"),
        first=False,
    )
