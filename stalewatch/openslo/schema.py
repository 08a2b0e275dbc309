"""OpenSLO v1 documents as models: what a valid one may hold.

A field that is not in the specification is kept (`model_extra`), to be told and not to be refused.
Source: OpenSLO v1, README; the validation of OpenSLO's go-sdk, `pkg/openslo/v1`.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, model_validator

from stalewatch.openslo.fields import (
    Name,
    Text,
)
from stalewatch.openslo.parts import (
    ConditionSpec,
    Goal,
    Inline,
    Metadata,
    Part,
    PolicySpec,
    PolicyUse,
    SliSpec,
    TargetSpec,
    TimeWindow,
)


class SloSpec(Part):
    """What an SLO is."""

    description: Text = ""
    service: Annotated[str, Field(min_length=1)]
    indicator: Inline | None = None
    indicator_ref: Name | None = None
    budgeting_method: Literal["Occurrences", "Timeslices", "RatioTimeslices"]
    time_window: Annotated[list[TimeWindow], Field(min_length=1, max_length=1)] | None = None
    objectives: Annotated[list[Goal], Field(min_length=1)]
    alert_policies: list[PolicyUse] = Field(default=[])

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if not any(goal.is_composite for goal in self.objectives):
            self.one_of("indicator", "indicator_ref")
        elif self.indicator is not None or self.indicator_ref is not None:
            raise ValueError("expected indicators of the SLO or of its objectives, not both")
        for goal in self.objectives:
            if self.budgeting_method == "Timeslices" and goal.time_slice_target is None:
                raise ValueError("expected timeSliceTarget in each objective for Timeslices")
            if self.budgeting_method != "Occurrences" and goal.time_slice_window is None:
                raise ValueError("expected timeSliceWindow in each objective for slices")
        return self


class DataSourceSpec(Part):
    """What a DataSource is."""

    description: Text = ""
    type: Annotated[str, Field(min_length=1)]
    connection_details: Any

    @model_validator(mode="after")
    def _connects(self) -> Self:
        if self.connection_details is None:
            raise ValueError("expected connectionDetails")
        return self


class ServiceSpec(Part):
    """What a Service is."""

    description: Text = ""


class Object(Part):
    """What every document is."""

    api_version: Literal["openslo/v1"]
    kind: str
    metadata: Metadata

    @property
    def called(self) -> str:
        """As people call it: its kind and its name."""
        return f"{self.kind} {self.metadata.name}"


class DataSource(Object):
    """A document of the kind DataSource."""

    spec: DataSourceSpec


class Service(Object):
    """A document of the kind Service."""

    spec: ServiceSpec = ServiceSpec()


class Sli(Object):
    """A document of the kind SLI."""

    spec: SliSpec


class Slo(Object):
    """A document of the kind SLO."""

    spec: SloSpec


class AlertPolicy(Object):
    """A document of the kind AlertPolicy."""

    spec: PolicySpec


class AlertCondition(Object):
    """A document of the kind AlertCondition."""

    spec: ConditionSpec


class AlertNotificationTarget(Object):
    """A document of the kind AlertNotificationTarget."""

    spec: TargetSpec


KINDS: Final[Mapping[str, type[Object]]] = {
    "DataSource": DataSource,
    "Service": Service,
    "SLI": Sli,
    "SLO": Slo,
    "AlertPolicy": AlertPolicy,
    "AlertCondition": AlertCondition,
    "AlertNotificationTarget": AlertNotificationTarget,
}
"""The kinds of OpenSLO v1."""
