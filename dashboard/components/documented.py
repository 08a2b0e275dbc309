"""The catalogue: layers as documented beside what was observed, keyspaces, and what changed."""

from collections.abc import Sequence
from typing import Any, Final

from dash import html
from dash.development.base_component import Component

from dashboard.components.parts import Child, attributes, cell, empty, facts, pill, table
from dashboard.queries.catalogue import CatalogueView, LayerView
from dashboard.wording import ago, count, duration, instant
from freshness.config_drift import Kind, Standing
from freshness.document_diff import Change
from freshness.promise import Kept, Promise
from store.catalogue_history import CatalogueRow
from store.config_drift import DriftRow

_KINDS: Final = {
    Kind.TTL: "Time to live",
    Kind.MECHANISM: "Mechanism",
    Kind.ADDRESSING: "Addressing",
    Kind.SUBSCRIPTION: "Subscription",
    Kind.OWNERSHIP: "Ownership",
}
_CONDITIONS: Final = (("partial-outage", "In a partial outage"), ("high-load", "Under high load"))
_DRIFTS_SHOWN: Final = 5
_NOTHING: Final = "nothing was documented by a running server"


def layer_cards(view: CatalogueView) -> Component:
    """A card each: the promise on one side, the comparisons on the other."""
    if not view.layers:
        return empty("Nothing is documented", f"No layer matches, or {_NOTHING} yet.")
    return html.Div([_card(layer) for layer in view.layers], className="layers")


def _card(layer: LayerView) -> Component:
    said = layer.said
    head: list[Child] = [
        html.H3(layer.name, className="alert-name"),
        pill(said["mechanism"], "accent"),
        pill(said["kind"]),
        pill("replica") if said["replica"] else None,
    ]
    body = [
        html.Div(facts(_facts(layer)), className="layer-facts"),
        html.Div(_comparisons(layer), className="layer-compared"),
    ]
    return html.Article(
        [html.Div(head, className="alert-top"), html.Div(body, className="layer-body")],
        className="card",
        **attributes(data_layer=layer.name),
    )


def _facts(layer: LayerView) -> list[tuple[str, Child]]:
    said, accepts = layer.said, layer.said["accepts_ns"]
    regions = sorted({*said["regions"], *(node.region for node in layer.nodes if node.region)})
    gone = sum(node.state == "gone" for node in layer.nodes)
    nodes = f"{len(layer.nodes) - gone}" + (f", {gone} gone" if gone else "")
    told: list[tuple[str, Child]] = [("Maximum staleness", duration(said["max_staleness_ns"]))]
    told += [(words, duration(accepts[name])) for name, words in _CONDITIONS]
    told += [
        ("Lifetimes add up to", _promise(layer.promise)),
        ("Owner", said["owner"] or "nobody is named"),
        ("Regions", ", ".join(regions) or "none named"),
        ("Nodes", nodes),
        ("A key may be at", "any node" if said["placement"] == "all" else said["placement"]),
    ]
    if said["fills_from"]:
        told.append(("Filled from", ", ".join(said["fills_from"])))
    return told


def _promise(promise: Promise) -> Child:
    if promise.kept is Kept.BY_MESSAGES:
        return "no lifetime bounds it: messages do"
    parts = " + ".join(
        f"{part.layer} {'not documented' if part.ns is None else duration(part.ns)}"
        for part in promise.parts
    )
    whole = promise.adds_up_ns
    words = "not known" if whole is None else duration(whole)
    if promise.kept is Kept.EXCEEDED:
        parts += ", above the maximum"
    tones = {Kept.KEPT: "good", Kept.EXCEEDED: "bad", Kept.UNDOCUMENTED: "unknown"}
    marked = pill(words, tones[promise.kept])
    return html.Div([marked, html.Span(parts, className="under")])


def _comparisons(layer: LayerView) -> Component:
    rows = [
        _compared(kind, words, layer.compared[kind])
        for kind, words in _KINDS.items()
        if layer.compared[kind]
    ]
    return table(f"{layer.name}: documented and observed", _HEADS, rows)


_HEADS: Final = ("", "Documented", "Observed", "")


def _compared(kind: Kind, words: str, rows: Sequence[DriftRow]) -> Component:
    """The worst stands first; what holds, or is not known for one reason, is said once."""
    drifting = [row for row in rows if row.result.standing is Standing.DRIFTS]
    drifting.sort(key=lambda row: not row.result.is_proof)
    documented = list(dict.fromkeys(row.documented for row in rows))
    observed: list[Child] = [_drift(row) for row in drifting[:_DRIFTS_SHOWN]]
    more = len(drifting) - len(observed)
    observed += [html.Div(f"and {more} more", className="under")] if more > 0 else []
    observed += _calm(rows)
    return html.Tr(
        [
            cell("", html.Span(words, className="strong"), "cell-aspect"),
            cell("Documented", [html.Div(each, className="mono wrap") for each in documented]),
            cell("Observed", observed, "cell-cause cell-observed"),
            cell("Standing", _standing(rows, drifting), "cell-standing"),
        ],
        **attributes(data_compared=kind.value),
    )


def _drift(row: DriftRow) -> Component:
    where = " · ".join(part for part in (row.keyspace, row.node) if part)
    examples = ", ".join(row.result.examples)
    return html.Div(
        [
            html.Span(f"{where}: ", className="strong") if where else None,
            html.Span(row.result.said),
            html.Span(f"for example {examples}", className="under wrap") if examples else None,
        ],
        className="drift",
    )


def _calm(rows: Sequence[DriftRow]) -> list[Child]:
    """What does not drift, said once for each reason."""
    by_reason: dict[tuple[Standing, str], list[DriftRow]] = {}
    for row in rows:
        if row.result.standing is not Standing.DRIFTS:
            by_reason.setdefault((row.result.standing, row.result.reason), []).append(row)
    said: list[Child] = []
    for same in by_reason.values():
        more = f" (and {count(len(same) - 1, 'other')} alike)" if len(same) > 1 else ""
        where = " · ".join(part for part in (same[0].keyspace, same[0].node) if part)
        named = f"{where}: " if where and len(rows) > 1 else ""
        said.append(html.Div(f"{named}{same[0].result.said}{more}", className="under"))
    return said


def _standing(rows: Sequence[DriftRow], drifting: Sequence[DriftRow]) -> Component:
    if any(row.result.is_proof for row in drifting):
        return pill("drifts", "bad")
    if drifting:
        return pill("may drift", "warn")
    holds = sum(row.result.standing is Standing.HOLDS for row in rows)
    if holds == len(rows):
        return pill("holds", "good")
    return pill(f"holds at {holds} of {len(rows)}" if holds else "unknown", "unknown")


def keyspace_table(view: CatalogueView) -> Component:
    """Who owns which data, what orders it, and where a key is found on each layer."""
    if not view.keyspaces:
        return empty("Nothing is documented", f"No keyspace matches, or {_NOTHING} yet.")
    heads = ("Keyspace", "Owner", "Origin", "Version", "A key on each layer")
    return table("Keyspaces", heads, [_keyspace(row) for row in view.keyspaces])


def _keyspace(row: CatalogueRow) -> Component:
    said = row.document or {}
    version = said["version"]
    places = [
        html.Div(
            [html.Span(layer, className="beside-first"), html.Code(_addressed(one))],
            className="addressed",
        )
        for layer, one in said["addressing"].items()
    ]
    return html.Tr(
        [
            cell("Keyspace", html.Div(row.entry.name, className="strong")),
            cell("Owner", said["owner"] or "nobody is named"),
            cell("Origin", said["origin"]),
            cell("Version", f"{version['type']}, {version['order']}"),
            cell("A key on each layer", places, "cell-cause cell-wide"),
        ],
        **attributes(data_keyspace=row.entry.name),
    )


def _addressed(said: dict[str, Any]) -> str:
    """`product:{key} · version json $.version`, as far as it is short."""
    rest = [f"{name} {_flat(value)}" for name, value in said.items() if name not in ("key", "ttl")]
    return " · ".join([str(said.get("key", "")), *rest])


def _flat(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_flat(each)}" for name, each in value.items())
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value)


def history(view: CatalogueView) -> Component:
    """What changed, newest first, value by value."""
    if not view.changes:
        return html.P("Nothing was documented yet.", className="hint")
    rows = [_change(row, view.now_ns) for row in view.changes]
    return table("Changes of the catalogue", ("At", "What", "Changes"), rows)


def _change(row: CatalogueRow, now_ns: int) -> Component:
    when = [
        html.Div(instant(row.at_ns, with_date=True), className="num"),
        html.Div(ago(row.at_ns, now_ns), className="under"),
    ]
    what = [
        html.Div(row.entry.name, className="strong"),
        html.Div(row.entry.section, className="under"),
    ]
    return html.Tr(
        [
            cell("At", when),
            cell("What", what),
            cell("Changes", _changes(row), "cell-cause cell-wide"),
        ],
        **attributes(data_change=row.entry.name),
    )


def _changes(row: CatalogueRow) -> Child:
    if row.document is None:
        return html.Span("documented no more", className="hint")
    if row.before is None:
        return html.Span("documented for the first time", className="hint")
    return html.Ul([_value(change) for change in row.changes], className="reasons changes")


def _value(change: Change) -> Component:
    path = change.path.replace("_ns", "").replace("_", " ")
    return html.Li(
        [
            html.Span(path, className="mono"),
            html.Span(value_words(change.path, change.before), className="was"),
            html.Span("→", className="arrow", **attributes(aria_label="became")),
            html.Span(value_words(change.path, change.after), className="strong"),
        ]
    )


def value_words(path: str, value: Any) -> str:
    """A value of a document; durations by the unit in their name."""
    if value is None:
        return "nothing"
    is_duration = any(part.endswith("_ns") for part in path.split("."))
    if is_duration and isinstance(value, int):
        return duration(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "none"
    return str(value) or "none"


def summary(view: CatalogueView) -> str:
    """The page in a line."""
    proven, suggested = (view.count(is_proof=each) for each in (True, False))
    parts = [count(len(view.layers), "layer"), count(len(view.keyspaces), "keyspace")]
    parts.append(f"{count(proven, 'drift')} proven" if proven else "no drift proven")
    parts += [f"{suggested} suggested"] if suggested else []
    return " · ".join(parts)
