"""Two themes of ten keys each, swapped as one: colours that charts take from nowhere else."""

from dataclasses import dataclass
from typing import Any, Final, Literal

Theme = Literal["light", "dark"]
FONT: Final = (
    'ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif'
)


@dataclass(frozen=True, slots=True)
class Palette:
    """What a theme draws with. `heat` runs from fresh to stale, by lightness as well as by hue."""

    text: str
    muted: str
    line: str
    surface: str
    unknown: str
    unknown_line: str
    danger: str
    heat: tuple[tuple[float, str], ...]


PALETTES: Final[dict[Theme, Palette]] = {
    "light": Palette(
        text="#1c2128",
        muted="#5c6672",
        line="#e6e9ed",
        surface="#ffffff",
        unknown="#e3e6ea",
        unknown_line="#8a94a0",
        danger="#c2271d",
        heat=(
            (0.0, "#d3ece6"),
            (0.22, "#d3ece6"),
            (0.22, "#fbe3a6"),
            (0.45, "#f5b14c"),
            (0.65, "#e2702a"),
            (0.85, "#b8342b"),
            (1.0, "#5d1029"),
        ),
    ),
    "dark": Palette(
        text="#e6e9ee",
        muted="#98a2af",
        line="#2a2f37",
        surface="#171a1f",
        unknown="#2b3038",
        unknown_line="#7b8592",
        danger="#ff7a6b",
        heat=(
            (0.0, "#17403b"),
            (0.22, "#17403b"),
            (0.22, "#7a5a1c"),
            (0.45, "#c2801f"),
            (0.65, "#ea7a35"),
            (0.85, "#ff8f78"),
            (1.0, "#ffe0dc"),
        ),
    ),
}

VERSION_HUES: Final = (
    "#2f6fc4", "#0e7f6d", "#8556c9", "#a85a12", "#b03a76", "#4d6a1f", "#9c3d54", "#0f7496",
)  # fmt: skip
"""White text on each has a contrast of at least 4.5 : 1; neighbours differ in lightness or hue."""


def template(theme: Theme) -> dict[str, Any]:
    """The `layout.template` of a theme, as an object (a name would need the full bundle)."""
    palette = PALETTES[theme]
    axis = {
        "gridcolor": palette.line,
        "linecolor": palette.line,
        "tickcolor": palette.line,
        "zeroline": False,
        "tickfont": {"color": palette.muted, "size": 11},
    }
    return {
        "layout": {
            "font": {"family": FONT, "size": 12, "color": palette.text},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
            "hoverlabel": {
                "bgcolor": palette.surface,
                "bordercolor": palette.line,
                "align": "left",
                "font": {"family": FONT, "size": 12, "color": palette.text},
            },
            "xaxis": axis,
            "yaxis": axis,
            "showlegend": False,
            "hovermode": "closest",
            "dragmode": False,
        }
    }
