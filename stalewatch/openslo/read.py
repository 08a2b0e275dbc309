"""From OpenSLO v1 documents to a section `objectives`, and what of them it cannot say.

Stalewatch measures freshness itself: an SLI is taken by its annotations (`stalewatch/indicator` and
its like), and its queries are not read. One without them measures something else: not carried.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final, NamedTuple

from pydantic import ValidationError

from freshness.objective import Measure
from settings import Duration, Percent
from stalewatch.config.names import NAME
from stalewatch.config.objectives import ObjectiveSettings
from stalewatch.config.problem import Loc, written
from stalewatch.config.wording import told
from stalewatch.openslo.carried import NotCarried
from stalewatch.openslo.documents import Documents, Read
from stalewatch.openslo.leftovers import leftovers
from stalewatch.openslo.names import (
    Note,
    duration_text,
    length_of,
    number_of,
    share_of,
    share_text,
)
from stalewatch.openslo.parts import Calendar, Goal, Inline, TimeWindow
from stalewatch.openslo.read_alerting import read_alerting
from stalewatch.openslo.schema import Sli, Slo

_CALENDAR: Final = {"1d": "day", "1w": "week", "7d": "week", "1M": "month"}
_SLI_NOTES: Final = {
    Note.INDICATOR: "indicator",
    Note.KEYSPACE: "keyspace",
    Note.LAYER: "layer",
    Note.REGION: "region",
    Note.OWNER: "owner",
    Note.MAX_STALENESS: "max_staleness",
}
NOT_OURS: Final = (
    "measured by queries of its own, and Stalewatch measures freshness itself: an SLI with the"
    f" annotation {Note.INDICATOR} says what to measure instead"
)


class Imported(NamedTuple):
    """Objectives by name, in the order of the file, and what could not be carried.

    `missing` are SLOs of which nothing is.
    """

    objectives: dict[str, ObjectiveSettings]
    lost: list[NotCarried]
    missing: int = 0


class UnsayableError(Exception):
    """Why an objective cannot be carried at all, and what of its SLO, or of its SLI, says so."""

    def __init__(self, loc: Loc, why: str, of: Read | None = None) -> None:
        self.loc, self.why, self.of = loc, why, of
        super().__init__(why)


def import_objectives(documents: Documents) -> Imported:
    """Every SLO that can be said, under its name; each document is carried or told of."""
    objectives: dict[str, ObjectiveSettings] = {}
    lost: list[NotCarried] = []
    used: list[Read] = []
    missing = 0
    for read in documents.of("SLO"):
        try:
            made = dict(_Slo(documents, read).objectives(lost, used))
        except UnsayableError as error:
            missing += 1
            whose = error.of or read
            lost.append(whose.lose(error.loc, f"{read.object.called} is not carried: {error.why}"))
            continue
        for name, asked in made.items():
            if name in objectives:
                lost.append(read.lose(("metadata", "name"), f"there is an objective {name} before"))
            objectives.setdefault(name, asked)
        used.append(read)
    lost += leftovers(documents, used)
    lost.sort(key=lambda each: (each.line, each.column))
    return Imported(objectives, lost, missing)


class _Slo:
    """One SLO with its SLI."""

    def __init__(self, documents: Documents, read: Read) -> None:
        assert isinstance(read.object, Slo)
        self.documents, self.read, self.spec = documents, read, read.object.spec
        self.notes = read.object.metadata.annotations

    def objectives(
        self, lost: list[NotCarried], used: list[Read]
    ) -> Iterator[tuple[str, ObjectiveSettings]]:
        """Each of its goals, by name. Raises UnsayableError."""
        if any(goal.is_composite for goal in self.spec.objectives):
            raise UnsayableError(("spec", "objectives"), "composite objectives are not supported")
        indicator, sli = self._indicator()
        alerts = read_alerting(self.documents, self.read, self.spec, self.notes)
        base = self._common(indicator) | self._window()
        name = self.notes.get(Note.OBJECTIVE, self.read.object.metadata.name)
        if NAME.fullmatch(name) is None:
            raise UnsayableError(
                ("metadata", "annotations", Note.OBJECTIVE), "no name of an objective"
            )
        usual = "1d" if base["indicator"] == Measure.RESIDENT else "1h"
        is_one = len(self.spec.objectives) == 1
        made = []
        for at, goal in enumerate(self.spec.objectives):
            values = base | self._goal(at, goal, usual) | alerts.settings
            made.append((name if is_one else f"{name}-{at + 1}", self._settings(values, sli)))
        lost += alerts.lost
        used += [*alerts.used, *([] if sli is None else [sli])]
        yield from made

    def _indicator(self) -> tuple[Inline | Sli, Read | None]:
        inline = self.spec.indicator
        found = self.documents.find("SLI", self.spec.indicator_ref)
        if inline is None and found is None:
            why = f"the file has no SLI {self.spec.indicator_ref}"
            raise UnsayableError(("spec", "indicatorRef"), why)
        indicator = inline if found is None else found.object
        assert isinstance(indicator, Inline | Sli)
        if Note.INDICATOR not in indicator.metadata.annotations:
            option = "indicator" if found is None else "indicatorRef"
            raise UnsayableError(("spec", option), NOT_OURS)
        return indicator, found

    def _common(self, indicator: Inline | Sli) -> dict[str, Any]:
        notes = indicator.metadata.annotations
        values = {option: notes[note] for note, option in _SLI_NOTES.items() if note in notes}
        said = {
            "description": self._description(),
            "runbook": self.notes.get(Note.RUNBOOK, ""),
        }
        return values | {option: text for option, text in said.items() if text}

    def _description(self) -> str:
        whole = self.notes.get(Note.DESCRIPTION, "")
        is_cut = bool(whole) and whole.startswith(self.spec.description)
        return whole if is_cut else self.spec.description

    def _window(self) -> dict[str, Any]:
        if self.spec.time_window is None:
            raise UnsayableError(("spec",), "expected a timeWindow: an objective has one")
        (window,) = self.spec.time_window
        if window.calendar is not None:
            return self._period(window, window.calendar)
        noted = _duration_in(self.notes, Note.WINDOW)
        if noted is not None and duration_text(noted) == window.duration:
            return {"window": str(noted)}
        length = length_of(window.duration)
        if length is None:
            loc = ("spec", "timeWindow", 0, "duration")
            raise UnsayableError(loc, "months, quarters and years have no one length; take days")
        return {"window": str(length)}

    def _period(self, window: TimeWindow, calendar: Calendar) -> dict[str, Any]:
        loc = ("spec", "timeWindow", 0)
        period = _CALENDAR.get(window.duration)
        if period is None:
            raise UnsayableError(
                (*loc, "duration"), "calendar windows are a day, a week or a month"
            )
        begins = calendar.begins
        is_midnight = (begins.hour, begins.minute, begins.second) == (0, 0, 0)
        is_usual = {"day": True, "week": begins.weekday() == 0, "month": begins.day == 1}[period]
        if not is_midnight or not is_usual:
            why = "periods begin at midnight, weeks on a Monday and months on the first"
            raise UnsayableError((*loc, "calendar", "startTime"), why)
        return {"window": period, "time_zone": calendar.time_zone}

    def _goal(self, at: int, goal: Goal, usual: str) -> dict[str, Any]:
        loc: Loc = ("spec", "objectives", at)
        whole, number = (100, goal.target_percent) if goal.target is None else (1, goal.target)
        assert number is not None
        values: dict[str, Any] = {"target": self._share(Note.TARGET, number, whole)}
        if goal.op is not None or goal.value is not None:
            why = "a threshold of a metric is not measured here; max_staleness is one of its own"
            raise UnsayableError((*loc, "op" if goal.op is not None else "value"), why)
        return values | self._budgeting(goal, loc, usual)

    def _budgeting(self, goal: Goal, loc: Loc, usual: str) -> dict[str, Any]:
        noted = self.notes.get(Note.SLICE)
        if self.spec.budgeting_method == "Occurrences":
            return {} if noted is None else {"slice": noted}
        values: dict[str, Any] = {"budgeting": "ratio-timeslices"}
        if self.spec.budgeting_method == "Timeslices":
            assert goal.time_slice_target is not None
            share = self._share(Note.SLICE_GOAL, goal.time_slice_target, 1)
            if Percent.parse(share).percent == Decimal(100):
                why = "slices of which all is to be good leave no error budget: below 1"
                raise UnsayableError((*loc, "timeSliceTarget"), why)
            values["budgeting"] = {"timeslices": share}
        return values | self._slice(goal, loc, usual)

    def _slice(self, goal: Goal, loc: Loc, usual: str) -> dict[str, Any]:
        """As noted where that is what stands there; what is usual is left out."""
        assert goal.time_slice_window is not None
        noted = _duration_in(self.notes, Note.SLICE)
        if noted is not None and duration_text(noted) == goal.time_slice_window:
            return {"slice": str(noted)}
        if noted is None and goal.time_slice_window == usual:
            return {}
        length = length_of(goal.time_slice_window)
        if length is None:
            why = "months, quarters and years have no one length; take days"
            raise UnsayableError((*loc, "timeSliceWindow"), why)
        return {"slice": str(length)}

    def _share(self, note: str, number: float, whole: int) -> str:
        noted = self.notes.get(note)
        if noted is not None:
            try:
                share = Percent.parse(noted)
            except ValueError as error:
                raise UnsayableError(("metadata", "annotations", note), str(error)) from None
            if number_of(share, whole) == number:
                return noted
        return share_text(share_of(number, whole))

    def _settings(self, values: dict[str, Any], sli: Read | None) -> ObjectiveSettings:
        try:
            return ObjectiveSettings.model_validate(values)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            path = written(first["loc"])
            said = told(first, ObjectiveSettings, first["loc"], first.get("input"))
            why = f"{path}: {said}"
            notes = {option: note for note, option in _SLI_NOTES.items()}
            if path in notes and sli is not None:
                raise UnsayableError(("metadata", "annotations", notes[path]), why, sli) from None
            raise UnsayableError(("spec",), why) from None


def _duration_in(notes: dict[str, str], note: str) -> Duration | None:
    if note not in notes:
        return None
    try:
        return Duration.parse(notes[note])
    except ValueError as error:
        raise UnsayableError(("metadata", "annotations", note), str(error)) from None
