"""The parts of OpenSLO v1 documents as models: what each may hold.

A field that is not in the specification is kept (`model_extra`), to be told and not to be refused.
Source: OpenSLO v1, README; the validation of OpenSLO's go-sdk, `pkg/openslo/v1`.
"""

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from stalewatch.openslo.fields import (
    Annotations,
    Labels,
    Name,
    Number,
    Operator,
    Shorthand,
    Start,
    Text,
    Title,
    Zone,
)


class Part(BaseModel):
    """A mapping of a document."""

    model_config = ConfigDict(
        extra="allow", alias_generator=to_camel, frozen=True, hide_input_in_errors=True
    )

    def one_of(self, *names: str) -> None:
        """A ValueError unless exactly one of these fields is there."""
        if sum(getattr(self, name) is not None for name in names) != 1:
            raise ValueError(f"expected one of {' and '.join(map(to_camel, names))}, and one alone")


class Metadata(Part):
    """How a document is called."""

    name: Name
    display_name: Title = ""
    labels: Labels = Field(default={})
    annotations: Annotations = Field(default={})


class MetricSource(Part):
    """What is asked for a metric."""

    metric_source_ref: Name | None = None
    type: str = ""
    spec: Annotated[dict[str, Any], Field(min_length=1)]


class Metric(Part):
    """A metric by its source."""

    metric_source: MetricSource


class RatioMetric(Part):
    """Good or bad of a total, or a ratio that is stored."""

    counter: bool = False
    good: Metric | None = None
    bad: Metric | None = None
    total: Metric | None = None
    raw: Metric | None = None
    raw_type: Literal["success", "failure"] | None = None

    @model_validator(mode="after")
    def _is_a_ratio(self) -> Self:
        self.one_of("total", "raw")
        if self.total is not None:
            self.one_of("good", "bad")
        elif self.good is not None or self.bad is not None:
            raise ValueError("expected neither good nor bad beside raw")
        elif self.raw_type is None:
            raise ValueError("expected rawType beside raw: success or failure")
        return self


class SliSpec(Part):
    """What an indicator is."""

    description: Text = ""
    threshold_metric: Metric | None = None
    ratio_metric: RatioMetric | None = None

    @model_validator(mode="after")
    def _has_one_metric(self) -> Self:
        self.one_of("threshold_metric", "ratio_metric")
        return self


class Inline(Part):
    """An SLI in the place where it is used."""

    metadata: Metadata
    spec: SliSpec


class Calendar(Part):
    """From when on periods are counted, and where."""

    start_time: Start
    time_zone: Zone

    @property
    def begins(self) -> datetime:
        """Its start, by the clock of its zone."""
        return datetime.fromisoformat(self.start_time)


class TimeWindow(Part):
    """Over what an SLO is: it rolls, or it follows a calendar."""

    duration: Shorthand
    is_rolling: bool = False
    calendar: Calendar | None = None

    @model_validator(mode="after")
    def _rolls_or_has_a_calendar(self) -> Self:
        if self.is_rolling is (self.calendar is not None):
            raise ValueError("expected isRolling: true or a calendar, and one alone")
        return self


class Goal(Part):
    """One of the objectives of an SLO."""

    display_name: str = ""
    op: Operator | None = None
    value: Number | None = None
    target: Annotated[Number, Field(ge=0, lt=1)] | None = None
    target_percent: Annotated[Number, Field(ge=0, lt=100)] | None = None
    time_slice_target: Annotated[Number, Field(gt=0, le=1)] | None = None
    time_slice_window: Shorthand | None = None
    indicator: Inline | None = None
    indicator_ref: Name | None = None
    composite_weight: Annotated[Number, Field(gt=0)] | None = None

    @model_validator(mode="after")
    def _has_one_target(self) -> Self:
        self.one_of("target", "target_percent")
        return self

    @property
    def is_composite(self) -> bool:
        """Whether it brings an indicator of its own."""
        return self.indicator is not None or self.indicator_ref is not None


class ConditionType(Part):
    """The burn rate of which an alert is."""

    kind: Literal["burnrate"]
    op: Operator
    threshold: Number
    lookback_window: Shorthand
    alert_after: Shorthand | None = None


class ConditionSpec(Part):
    """What an AlertCondition is."""

    description: Text = ""
    severity: Annotated[str, Field(min_length=1)]
    condition: ConditionType


class TargetSpec(Part):
    """What an AlertNotificationTarget is."""

    description: Text = ""
    target: Annotated[str, Field(min_length=1)]


class ConditionUse(Part):
    """A condition of a policy, by name or in place."""

    condition_ref: Name | None = None
    kind: Literal["AlertCondition"] | None = None
    metadata: Metadata | None = None
    spec: ConditionSpec | None = None

    @model_validator(mode="after")
    def _refers_or_holds(self) -> Self:
        self.one_of("condition_ref", "spec")
        return self


class TargetUse(Part):
    """Whom a policy tells, by name or in place."""

    target_ref: Name | None = None
    kind: Literal["AlertNotificationTarget"] | None = None
    metadata: Metadata | None = None
    spec: TargetSpec | None = None

    @model_validator(mode="after")
    def _refers_or_holds(self) -> Self:
        self.one_of("target_ref", "spec")
        return self


class PolicySpec(Part):
    """What an AlertPolicy is."""

    description: Text = ""
    alert_when_no_data: bool = False
    alert_when_breaching: bool = False
    alert_when_resolved: bool = False
    conditions: Annotated[list[ConditionUse], Field(min_length=1, max_length=1)]
    notification_targets: Annotated[list[TargetUse], Field(min_length=1)]


class PolicyUse(Part):
    """A policy of an SLO, by name or in place."""

    alert_policy_ref: Name | None = None
    kind: Literal["AlertPolicy"] | None = None
    metadata: Metadata | None = None
    spec: PolicySpec | None = None

    @model_validator(mode="after")
    def _refers_or_holds(self) -> Self:
        self.one_of("alert_policy_ref", "spec")
        return self
