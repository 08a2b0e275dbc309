"""The waterfall by its structure: what is missing stays open, only what is proven bad is red."""

import time
from collections.abc import Iterator
from dataclasses import replace
from math import log10
from typing import Any

import pytest

from dashboard.address import Address
from dashboard.figures.template import PALETTES, Theme
from dashboard.figures.waterfall import Bar, bars_of, waterfall
from dashboard.queries.spread import SpreadView, invalidation
from store.sqlite import SqliteStore
from tests.dashboard.seed import seed
from tests.dashboard.seed_traces import SPREAD, seed_traces

THEMES: tuple[Theme, ...] = ("light", "dark")


@pytest.fixture(scope="module")
def view() -> Iterator[SpreadView]:
    store, now_ns = SqliteStore(":memory:"), time.time_ns()
    seed(store, now_ns)
    seed_traces(store, now_ns)
    yield invalidation(store, Address(page="invalidation", invalidation=SPREAD), now_ns)
    store.close()


def bar(view: SpreadView, node: str, side: str) -> Bar:
    return next(b for b in bars_of(view) if view.nodes[b.node].node == node and b.side == side)


def trace(view: SpreadView, name: str, theme: Theme = "light") -> dict[str, Any]:
    found: dict[str, Any] = next(
        each for each in waterfall(view, theme)["data"] if each["name"] == name
    )
    return found


def test_a_claim_runs_to_its_receipt_and_an_observation_between_its_bounds(
    view: SpreadView,
) -> None:
    claimed, observed = bar(view, "redis-eu", "claimed"), bar(view, "redis-eu", "observed")
    assert (claimed.from_ns, claimed.until_ns) == (0, 24_000_000)
    assert observed.until_ns is not None
    assert 0 < observed.from_ns < observed.until_ns < 10**9


def test_what_is_missing_is_open_and_ends_at_now(view: SpreadView) -> None:
    found = trace(view, "open")
    assert len(found["x"]) == 3
    ends = [base + x for base, x in zip(found["base"], found["x"], strict=True)]
    # The observed one began just before now: it is as wide as can be seen.
    assert sorted(ends) == pytest.approx([119.996, 119.996, 122.51], rel=1e-3)
    assert all(text.startswith("▸ ") for text in found["text"])
    assert bar(view, "redis-us", "claimed").until_ns is None
    assert bar(view, "redis-us-2", "claimed").until_ns is None


@pytest.mark.parametrize("theme", THEMES)
def test_only_what_is_proven_bad_is_red(view: SpreadView, theme: Theme) -> None:
    danger = PALETTES[theme].danger
    inks = dict(
        zip(
            trace(view, "open", theme)["text"],
            trace(view, "open", theme)["marker"]["pattern"]["fgcolor"],
            strict=True,
        )
    )
    assert inks.pop("▸ no word") != danger
    assert set(inks.values()) == {danger}
    claimed = trace(view, "claimed", theme)
    red = {
        text
        for text, colour in zip(claimed["text"], claimed["marker"]["color"], strict=True)
        if colour == danger
    }
    assert red == {"failed, 450 ms", "late, 6.3 s"}


def test_a_lag_of_two_clocks_is_hatched_and_says_so(view: SpreadView) -> None:
    assert bar(view, "redis-eu", "claimed").is_doubtful
    assert "two clocks" in bar(view, "redis-eu", "claimed").hover
    assert set(trace(view, "claimed")["marker"]["pattern"]["shape"]) == {"/"}


def test_each_layer_has_its_own_line_at_its_maximum_staleness(view: SpreadView) -> None:
    layout = waterfall(view, "light")["layout"]
    assert [shape["x0"] for shape in layout["shapes"]] == [5.0, 10.0, 2.0]
    names = {each["text"]: each["x"] for each in layout["annotations"]}
    assert names["max 2 s"] == pytest.approx(log10(2))
    assert layout["shapes"][0]["y1"] < layout["shapes"][1]["y0"]


def test_names_cannot_be_markup(view: SpreadView) -> None:
    layout = waterfall(view, "light")["layout"]
    assert "<i>not known</i>  &lt;u&gt;ghost" in layout["yaxis"]["ticktext"]
    assert "<u>" not in bar(view, "<u>ghost", "claimed").hover


def test_a_clock_that_was_set_back_closes_nothing(view: SpreadView) -> None:
    found = trace(replace(view, now_ns=0), "open")
    assert all(x > 0 for x in found["x"])


@pytest.mark.parametrize("theme", THEMES)
def test_without_nodes_the_figure_is_empty(view: SpreadView, theme: Theme) -> None:
    figure = waterfall(replace(view, nodes=[]), theme)
    assert all(each["x"] == [] for each in figure["data"])
    assert waterfall(SpreadView("x", None, [], 0), theme)["layout"]["shapes"] == []
