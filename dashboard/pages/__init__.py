"""The pages, a line each: what an address shows, as a frame and the parts that fill it."""

from collections.abc import Callable
from typing import Final, NamedTuple

from dash.development.base_component import Component

from dashboard.address import Address
from dashboard.figures.template import Theme
from dashboard.pages import (
    alerts,
    catalogue,
    coverage,
    drift,
    invalidation,
    invalidations,
    key,
    nodes,
    objective,
    objectives,
    overview,
    report,
    reports,
)
from dashboard.site import Parts, Site
from store.base import Store

Fill = Callable[[Store, Address, Site, Theme, int], Parts]
Frame = Callable[[Address, Site, Parts], Component]


class Page(NamedTuple):
    """`fill` reads the store (off the event loop); `frame` lays the parts out; it is pure."""

    fill: Fill
    frame: Frame


PAGES: Final = {
    "overview": Page(overview.fill, overview.frame),
    "picker": Page(key.fill_picker, key.picker_frame),
    "key": Page(key.fill, key.frame),
    "invalidations": Page(invalidations.fill, invalidations.frame),
    "invalidation": Page(invalidation.fill, invalidation.frame),
    "drift": Page(drift.fill, drift.frame),
    "coverage": Page(coverage.fill, coverage.frame),
    "nodes": Page(nodes.fill, nodes.frame),
    "objectives": Page(objectives.fill, objectives.frame),
    "objective": Page(objective.fill, objective.frame),
    "reports": Page(reports.fill, reports.frame),
    "report": Page(report.fill, report.frame),
    "alerts": Page(alerts.fill, alerts.frame),
    "catalogue": Page(catalogue.fill, catalogue.frame),
}


def page_of(address: Address) -> Page:
    """The page of an address; `/key` without a key is the picker."""
    if address.page == "key" and address.key is None:
        return PAGES["picker"]
    return PAGES[address.page]
