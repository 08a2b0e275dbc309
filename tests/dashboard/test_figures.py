"""Figures by their structure: what is stale, unknown or absent never looks fresh."""

from dataclasses import replace

import pytest

from dashboard.address import Window
from dashboard.figures.heatmap import FRESH_LEVEL, TOP_LEVEL, heatmap, level
from dashboard.figures.template import PALETTES, VERSION_HUES, Theme, template
from dashboard.figures.timeline import timeline
from dashboard.queries.faults import FindingsView
from dashboard.queries.heat import HeatView, Lane, Sight, Square
from dashboard.queries.history import Band, HistoryView, StaleStretch, Swimlane
from freshness.model import Result, Value
from store.base import ORIGIN

S = 1_000_000_000
MINUTE = 60 * S
LANES = [
    Lane("edge", "e1", "eu", "up"),
    Lane("edge", "<b>e2", "us", "unknown"),
    Lane("regional", "r1", "eu", "up"),
]


def square(lane: int, minute: int, sight: Sight, largest_ns: int = 0) -> Square:
    return Square(lane, minute * MINUTE, sight, largest_ns, 5, 1, 0, 2, 0)


HEAT = HeatView(
    Window(0, 3 * MINUTE),
    MINUTE,
    LANES,
    [
        square(0, 0, Sight.JUDGED),
        square(0, 1, Sight.JUDGED, 5 * S),
        square(1, 0, Sight.UNKNOWN),
        square(1, 1, Sight.PARTLY),
        square(2, 2, Sight.MISSES),
    ],
)


LATE = square(0, 11, Sight.JUDGED, 5 * S)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_only_judged_squares_have_a_colour(theme: Theme) -> None:
    squares, partly, unknown, misses = heatmap(HEAT, theme)["data"]
    assert squares["z"] == [
        [None, None, None],  # the heading of the layer edge
        [FRESH_LEVEL, pytest.approx(3.699, abs=0.001), None],
        [None, FRESH_LEVEL, None],
        [None, None, None],
        [None, None, None],
    ]
    assert unknown["base"] == ["1970-01-01T00:00:00.000"]
    assert unknown["marker"]["pattern"]["shape"] == "/"
    assert unknown["marker"]["color"] == PALETTES[theme].unknown
    assert partly["base"] == ["1970-01-01T00:01:00.000"]
    assert misses["y"] == [4]


def test_rows_stand_under_the_heading_of_their_layer() -> None:
    layout = heatmap(HEAT, "light")["layout"]
    assert layout["yaxis"]["tickvals"] == [1, 2, 4]
    assert [each["text"] for each in layout["annotations"]] == ["edge", "regional"]
    assert layout["yaxis"]["ticktext"][1] == "<i>unknown</i>  &lt;b&gt;e2"


def test_hovering_tells_the_counts_and_a_click_the_place() -> None:
    late = replace(HEAT, window=Window(10 * MINUTE, 13 * MINUTE), squares=[LATE])
    hover, layer, node, since, until = heatmap(late, "light")["data"][0]["customdata"][1][1]
    assert "proven stale for at least 5 s" in hover
    assert "5 fresh, 1 stale, 0 indeterminate" in hover
    assert (layer, node) == ("edge", "e1")
    assert (since, until) == ("1970-01-01T00:06:00.000", "1970-01-01T00:17:00.000")


def test_a_single_column_has_two_edges() -> None:
    squares = heatmap(replace(HEAT, window=Window(0, MINUTE)), "light")["data"][0]
    assert squares["x"] == ["1970-01-01T00:00:00.000", "1970-01-01T00:01:00.000"]
    assert {len(row) for row in squares["z"]} == {1}


def test_the_scale_grows_with_the_staleness_and_ends() -> None:
    levels = [level(ns) for ns in (0, 1, S // 100, S, 60 * S, 10**15)]
    assert levels == sorted(levels)
    assert levels[0] == FRESH_LEVEL < levels[1]
    assert levels[-1] == TOP_LEVEL


def test_a_template_is_an_object_with_ten_keys() -> None:
    assert len(template("light")["layout"]) == 10


def band(lane: int, first: int, last: int, result: Result, version: int | None = None) -> Band:
    value = None if version is None else Value(version)
    return Band(lane, first * S, last * S, result, value, version, last - first, "")


HISTORY = HistoryView(
    window=Window(0, 100 * S),
    keyspace="product",
    key="<script>",
    is_known=True,
    lanes=[
        Swimlane(ORIGIN, "db", "eu", "up"),
        Swimlane("edge", "e1", "eu", "up"),
        Swimlane("edge", "e2", "eu", "unknown"),
    ],
    bands=[
        band(0, 0, 40, Result.VALUE, 1),
        band(0, 41, 100, Result.VALUE, 2),
        band(1, 0, 80, Result.VALUE, 1),
        band(1, 81, 100, Result.MISS),
        band(2, 0, 100, Result.UNKNOWN),
    ],
    stale=[StaleStretch(1, 45 * S, 80 * S, 39 * S, 8)],
    reads=[],
    has_more_reads=False,
    opened_read=None,
    findings=FindingsView([], [], False),
)


def test_equal_versions_share_a_hue_across_lanes() -> None:
    versions = timeline(HISTORY, "light")["data"][0]
    origin_1, origin_2, copy_1 = versions["marker"]["color"]
    assert origin_1 == copy_1 == VERSION_HUES[1]
    assert origin_2 == VERSION_HUES[2]
    assert versions["text"] == ["v1", "v2", "v1"]


def test_stale_is_hatched_outlined_and_named() -> None:
    figure = timeline(HISTORY, "dark")
    stale = figure["data"][3]
    assert stale["base"] == ["1970-01-01T00:00:45.000"]
    assert stale["x"] == [35_000]
    assert stale["marker"]["pattern"]["shape"] == "x"
    assert [each.strip() for each in figure["data"][4]["text"]] == ["stale"]


def test_stale_is_named_only_where_the_word_has_room() -> None:
    stretches = [StaleStretch(1, at * S, (at + 2) * S, S, 2) for at in (10, 14, 98)]
    names = timeline(replace(HISTORY, stale=stretches), "light")["data"][4]
    assert names["x"] == ["1970-01-01T00:00:16.000"]
    assert timeline(HISTORY, "light")["layout"]["uniformtext"]["mode"] == "hide"


def test_unknown_is_hatched_and_a_miss_is_clear() -> None:
    _, unknown, misses, *_ = timeline(HISTORY, "light")["data"]
    assert unknown["text"] == ["unknown"]
    assert unknown["marker"]["pattern"]["shape"] == "/"
    assert misses["marker"]["color"] == "rgba(0,0,0,0)"


def test_a_window_without_reads_draws_nothing() -> None:
    figure = timeline(replace(HISTORY, lanes=[], bands=[], stale=[]), "light")
    assert [trace["y"] for trace in figure["data"]] == [[]] * 5


@pytest.mark.parametrize("hue", VERSION_HUES)
def test_white_text_can_be_read_on_every_hue(hue: str) -> None:
    channels = [int(hue[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    assert 1.05 / (luminance + 0.05) >= 4.5
