"""Where the UI is served, what it is called there, and the objectives and reports it shows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reports.desk import Desk
from store.objectives import Objectives

Parts = Mapping[str, Mapping[str, Any]]
"""What fills a page: properties by the id of their component."""


@dataclass(frozen=True, slots=True)
class Site:
    """`prefix` is the path of the UI as browsers see it; it begins and ends with a slash."""

    prefix: str
    title: str
    objectives: Objectives
    desk: Desk

    def asset(self, name: str) -> str:
        """The address of one of our own static files."""
        return f"{self.prefix}assets/{name}"


def site(external_path: str, title: str, objectives: Objectives, desk: Desk) -> Site:
    """A site at this path, with or without slashes at its ends."""
    inside = external_path.strip("/")
    return Site(f"/{inside}/" if inside else "/", title, objectives, desk)
