"""A weekly report as it is kept: the frozen numbers of one week, from which all its forms are made.

Mail, page, CSV and JSON tell these numbers and no others. Instants are wall time, Unix nanoseconds
or seconds, as their names say; shares are fractions of one; None is not known, and never nothing.
Names of keys, nodes and publishers are as they came: whoever shows them takes them for hostile.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from pydantic import TypeAdapter, ValidationError

FORM: Final = 1
"""The form of the document, for whoever reads the JSON."""
Level = Literal["kept", "at-risk", "missed", "no-data"]
Spender = Literal["key", "node", "layer", "publisher"]


@dataclass(frozen=True, slots=True)
class ReportVerdict:
    """The week in a line, and the decision that it suggests."""

    level: Level
    line: str
    decision: str


@dataclass(frozen=True, slots=True)
class ObjectiveLine:
    """One objective at the end of the week.

    `week_*` are of the week alone, with the Wilson interval of the sample; `good`, `spent` and
    `remaining` of its whole window, signed. `spent_week` and `spent_before` are what the week, and
    the week before, took of that window's budget, and `days` what each local day did. `gap` and
    `week_gap` say why there is no figure.
    """

    name: str
    owner: str
    description: str
    indicator: str
    target: float
    window: str
    level: Level
    week_good: float | None
    week_low: float | None
    week_high: float | None
    week_gap: str
    good: float | None
    spent: float | None
    remaining: float | None
    gap: str
    is_whole: bool
    spent_week: float | None
    spent_before: float | None
    change: float | None
    days: tuple[float | None, ...]
    outlook: str
    exhausted_at_s: int | None
    coverage: float | None
    supported_nines: int | None


@dataclass(frozen=True, slots=True)
class WorstLine:
    """Who spent the budget of an objective in the week.

    `share` is of all that was bad of it, `spent` of its budget.
    """

    objective: str
    kind: Spender
    name: str
    share: float
    spent: float


@dataclass(frozen=True, slots=True)
class FindingLine:
    """One fault. `broke_at_ns` is when its copy was too old at the latest, None where not kept.

    `cost` is the share of the budget of `cost_of` that its reads took in the week: of the
    objective that it cost most.
    """

    id: str
    keyspace: str
    key: str
    layer: str
    node: str
    cause: str
    broke_at_ns: int | None
    detected_at_ns: int
    healed_at_ns: int | None
    stale_ns: int
    cost: float | None
    cost_of: str


@dataclass(frozen=True, slots=True)
class FindingSummary:
    """All faults that were open in the week; the `worst` of them are told one by one."""

    total: int
    open: int
    causes: Mapping[str, int]
    mttd_s: float | None
    mttr_s: float | None
    worst: tuple[FindingLine, ...]
    is_all: bool


@dataclass(frozen=True, slots=True)
class AlertLine:
    """One firing of an alert. `was_silenced` is whether a silence was over it as it fired."""

    rule: str
    labels: Mapping[str, str]
    summary: str
    fired_at_ns: int
    acked_at_ns: int | None
    acked_by: str
    resolved_at_ns: int | None
    was_silenced: bool


@dataclass(frozen=True, slots=True)
class AlertSummary:
    """All firings of the week; the longest of them are told one by one."""

    total: int
    firing: int
    acknowledged: int
    mtta_s: float | None
    mttr_s: float | None
    longest: tuple[AlertLine, ...]


@dataclass(frozen=True, slots=True)
class AlertQuality:
    """Whether alerts are worth waking up for.

    `told` are notifications, by channel; `short` firings ended within five minutes; `flapping`
    alerts fired three times or more.
    """

    told: Mapping[str, int]
    short: int
    flapping: int
    silenced: int
    failed: int
    owed: int


@dataclass(frozen=True, slots=True)
class GapLine:
    """A stretch in which something was not measured, within the week."""

    about: str
    since_s: int
    until_s: int
    why: str


@dataclass(frozen=True, slots=True)
class LagFigure:
    """A quantile of a lag, as bounds; without an upper one where what is missing is among it."""

    lower_ns: int
    upper_ns: int | None


@dataclass(frozen=True, slots=True)
class LagLine:
    """How long invalidations took to a layer, by what nodes claim or by what probes observed."""

    layer: str
    side: Literal["claimed", "observed"]
    pairs: int
    p50: LagFigure | None
    p95: LagFigure | None
    p99: LagFigure | None
    longest: LagFigure | None
    limit_ns: int | None


@dataclass(frozen=True, slots=True)
class ActionLine:
    """Something to do, by whom, and why; `owner` is empty where nobody is named."""

    owner: str
    what: str
    why: str


@dataclass(frozen=True, slots=True)
class ChangeLine:
    """A definition that changed in the week; values are JSON, empty where there is none."""

    at_ns: int
    about: str
    path: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class ReportDocument:
    """The report of a half-open local week [since, until): 167 to 169 hours where clocks change."""

    form: int
    report: str
    week: str
    time_zone: str
    owner: str
    since_s: int
    until_s: int
    is_over: bool
    verdict: ReportVerdict
    objectives: tuple[ObjectiveLine, ...]
    worst: tuple[WorstLine, ...]
    findings: FindingSummary
    alerts: AlertSummary
    quality: AlertQuality
    gaps: tuple[GapLine, ...]
    lags: tuple[LagLine, ...]
    lags_are_all: bool
    actions: tuple[ActionLine, ...]
    changes: tuple[ChangeLine, ...]

    @property
    def hours(self) -> int:
        """How long the week is."""
        return (self.until_s - self.since_s) // 3_600

    def to_json(self) -> str:
        """As it is kept: the same numbers give the same bytes."""
        return _ADAPTER.dump_json(self, indent=1).decode()

    @classmethod
    def from_json(cls, text: str) -> "ReportDocument":
        """Read one that was kept. Raises ValueError where it is none."""
        try:
            return _ADAPTER.validate_json(text)
        except ValidationError as error:
            raise ValueError(f"not a report of form {FORM}: {error.error_count()} faults") from None


_ADAPTER: Final = TypeAdapter(ReportDocument)
