"""The section `objectives`: what is promised of how fresh copies are."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Annotated, Final, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, PlainSerializer, PlainValidator, model_validator

from freshness.objective import (
    OCCURRENCES,
    Budgeting,
    Calendar,
    Measure,
    RatioTimeslices,
    Timeslices,
)
from settings import Duration, Percent, Section

_BUDGETING: Final = "expected occurrences, {timeslices: 99%} or ratio-timeslices"


def fraction_of(share: Percent) -> Fraction:
    """A share, exactly."""
    return Fraction(share.percent) / 100


def _as_window(given: object) -> Duration | Calendar:
    if isinstance(given, Duration | Calendar):
        return given
    if isinstance(given, str) and given in list(Calendar):
        return Calendar(given)
    if isinstance(given, str):
        try:
            return Duration.parse(given)
        except ValueError:
            pass
    raise ValueError("expected a duration such as 28d, or day, week or month")


def _as_budgeting(given: object) -> Budgeting:
    if isinstance(given, Timeslices | RatioTimeslices | type(OCCURRENCES)):
        return given
    if given == "occurrences":
        return OCCURRENCES
    if given == "ratio-timeslices":
        return RatioTimeslices()
    if isinstance(given, Mapping) and list(given) == ["timeslices"]:
        return Timeslices(fraction_of(_as_part(Percent.parse(str(given["timeslices"])))))
    raise ValueError(_BUDGETING)


def _write_budgeting(budgeting: Budgeting) -> str | dict[str, str]:
    """As the file has it."""
    match budgeting:
        case Timeslices():
            return {"timeslices": f"{float(100 * budgeting.goal):.10g}%"}
        case RatioTimeslices():
            return "ratio-timeslices"
        case _:
            return "occurrences"


def _as_part(share: Percent) -> Percent:
    if not 0 < share.percent < 100:
        raise ValueError("expected a share above 0% and below 100%: 100% leaves no error budget")
    return share


def as_zone(name: str) -> str:
    """The name of a time zone. A ValueError where there is no such."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("expected a time zone such as Europe/Berlin or UTC") from None
    return name


Part = Annotated[Percent, AfterValidator(_as_part)]
"""A share that is neither nothing nor all."""


class BurnWindows(Section):
    """A long and a short window of an objective with the burn rate that both must exceed."""

    long: Duration
    """The window over which a burn matters."""
    short: Duration
    """The window that says whether it still goes on."""
    burn: Annotated[float, Field(gt=0)]
    """The burn rate above which it speaks."""
    severity: Literal["page", "ticket"] = "page"
    """Whom it concerns: somebody now, or in working hours."""


class Alerting(Section):
    """By what a fast burn is told, and what its figures are believed on."""

    windows: Annotated[tuple[BurnWindows, ...] | None, Field(min_length=1)] = None
    """Pairs of windows in place of the standard ones of docs/slo.md."""
    least_bad: Annotated[int, Field(ge=1)] = 3
    """Fewer bad events than this in the long window are told as insufficient samples."""
    correlation: Annotated[float, Field(ge=0, le=1)] | None = None
    """How alike reads of one node in one slice are (ρ); as one read together where left out."""
    spent: Percent = Percent.parse("75%")
    """The share of the whole window's budget from which its slow failure is told."""


class ObjectiveSettings(Section):
    """A promise: a share of what an indicator counts is good over a window."""

    keyspace: str | None = None
    """Of which keyspace; of all where left out."""
    layer: str | None = None
    """Of which layer; of all where left out."""
    region: str | None = None
    """Of the nodes of which region; of all where left out."""
    owner: str | None = None
    """Of the keyspaces of which owner; of all where left out."""
    description: str = ""
    """What it is for, as the pages show it."""
    runbook: str = ""
    """The address of what to do when it burns."""
    indicator: Measure = Measure.READS
    """What is counted, as in docs/objectives.md."""
    max_staleness: Duration | None = None
    """What still counts as good; where left out, what each layer promises."""
    target: Part
    """The share that is to be good, such as 99.9%."""
    window: Annotated[Duration | Calendar, PlainValidator(_as_window)]
    """Over what: a duration such as `28d`, which rolls, or a calendar `day`, `week` or `month`."""
    time_zone: Annotated[str, AfterValidator(as_zone)] = "UTC"
    """Whose midnights a calendar window begins and ends at: `Europe/Berlin`."""
    budgeting: Annotated[
        Budgeting, PlainValidator(_as_budgeting), PlainSerializer(_write_budgeting)
    ] = OCCURRENCES
    """`occurrences` where left out, `{timeslices: 99%}` or `ratio-timeslices`."""
    slice: Duration | None = None
    """The grid on which data are expected; where left out, as docs/objectives.md says."""
    alerting: Alerting = Alerting()
    """By what a burn is told."""

    @model_validator(mode="after")
    def _has_use_of_its_zone(self) -> Self:
        if "time_zone" in self.model_fields_set and not isinstance(self.window, Calendar):
            raise ValueError("expected time_zone beside a window of day, week or month alone")
        return self
