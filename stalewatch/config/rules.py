"""The section `rules`: what is watched for, and who is told."""

from collections.abc import Mapping
from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from settings import Duration, Percent, Section

Quantile = Annotated[float, Field(gt=0, lt=1)]


class RuleSettings(Section):
    """What all rules have; each kind adds its own options."""

    kind: str
    """The kind of rule."""
    for_: Annotated[Duration, Field(alias="for")] = Duration(0)
    """How long its condition must hold before it fires."""
    keep_firing_for: Duration = Duration(0)
    """How long its condition must be gone before it is resolved."""
    channels: tuple[str, ...] = ()
    """Which of the `channels` are told."""
    mode: Literal["observe", "notify"] = "notify"
    """Whether its alerts are told, or only shown."""

    @model_validator(mode="after")
    def _tells_somebody(self) -> Self:
        if self.mode == "notify" and not self.channels:
            raise ValueError("expected channels to notify, or mode: observe")
        return self


class PropagationLagRule(RuleSettings):
    """Fires when an invalidation takes too long to reach its nodes, by their receipts."""

    kind: Literal["propagation-lag"]
    """The kind of rule."""
    limit: Duration
    """The longest that it may take from the write to a node's receipt."""
    recovery: Duration | None = None
    """What it must be below to count as clear again; the limit where left out."""
    quantile: Quantile | None = None
    """Which share of the receipts must be in time, such as 0.99; all where left out."""
    window: Duration = Duration.parse("5m")
    """The stretch of time that is looked at."""
    layer: str | None = None
    """Of which layer; of all that take invalidations where left out."""
    node: str | None = None
    """Of which node of the layer."""
    keyspace: str | None = None
    """Of which keyspace; of all where left out."""


class SilentRule(RuleSettings):
    """Fires when a node or layer processes no messages for a while in which others do."""

    kind: Literal["silent"]
    """The kind of rule."""
    layer: str
    """Of which layer."""
    node: str | None = None
    """Of which node; of each node of the layer where left out."""
    by: Literal["node", "layer"] = "node"
    """Whether each node is an alert of its own, or the layer is one."""
    window: Duration = Duration.parse("5m")
    """The stretch of time that is looked at."""
    least: Annotated[int, Field(ge=1)] = 10
    """How many receipts another node must have sent meanwhile."""


class StalenessRule(RuleSettings):
    """Fires when a node holds a copy that is proven staler than its layer's maximum."""

    kind: Literal["staleness"]
    """The kind of rule."""
    layer: str
    """Of which layer; each of its nodes is an alert of its own."""
    node: str | None = None
    """Of which node alone."""
    keyspace: str | None = None
    """Of which keyspace; of all where left out."""
    window: Duration = Duration.parse("2m")
    """The stretch of time in which a node must have been read for an alert to move."""
    share: Percent | None = None
    """Fires too when more of the reads in the window are proven stale, healed by now or not."""


class HitRateRule(RuleSettings):
    """Fires when the hit rate is too low, or lower than before, our own reads left out."""

    kind: Literal["hit-rate"]
    """The kind of rule."""
    layer: str
    """Of which layer."""
    node: str | None = None
    """Of which node; of each node of the layer where left out."""
    by: Literal["node", "layer"] = "node"
    """Whether each node is an alert of its own, or the layer is one."""
    window: Duration = Duration.parse("10m")
    """The stretch of time over which hits and misses are counted."""
    below: Percent | None = None
    """Fires when the hit rate is certainly below this share."""
    drop: Percent | None = None
    """Fires when it certainly fell by more than this against the window before, in points."""
    least: Annotated[int, Field(ge=1)] = 100
    """How many lookups by others a window needs to say anything."""

    @model_validator(mode="after")
    def _has_a_limit(self) -> Self:
        if self.below is None and self.drop is None:
            raise ValueError("expected below or drop, such as `drop: 20%`")
        return self


class SequenceGapRule(RuleSettings):
    """Fires when a publisher's sequence proves that a node never heard a message."""

    kind: Literal["sequence-gap"]
    """The kind of rule."""
    layer: str | None = None
    """Of which layer; of all that take invalidations where left out."""
    node: str | None = None
    """Of which node of the layer."""
    keyspace: str | None = None
    """Of which keyspace; of all where left out."""
    window: Duration = Duration.parse("15m")
    """The stretch of time whose messages are looked at."""


class DriftRule(RuleSettings):
    """Fires when nodes of a layer hold different versions of a key for too long."""

    kind: Literal["drift"]
    """The kind of rule."""
    layer: str
    """Of which layer."""
    keyspace: str | None = None
    """Of which keyspace; of all where left out."""
    limit: Duration | None = None
    """For how long they may; as long as the layer's maximum staleness where left out."""
    window: Duration = Duration.parse("15m")
    """The stretch of time whose reads are looked at."""


class ConfigDriftRule(RuleSettings):
    """Fires when a layer is not what the catalogue documents."""

    kind: Literal["config-drift"]
    """The kind of rule."""
    layer: str | None = None
    """Of which layer; each layer is an alert of its own."""
    hints: bool = False
    """Whether what the evidence only suggests fires too."""
    window: Duration = Duration.parse("1h")
    """The stretch of time whose evidence is counted."""


class BurnRateRule(RuleSettings):
    """Fires when the error budget of an objective burns too fast, or is spent."""

    kind: Literal["burn-rate"]
    """The kind of rule."""
    objective: str
    """Of which objective; its `alerting` says by which windows."""
    severity: Literal["page", "ticket"] | None = None
    """Which windows alone; each severity is an alert of its own."""
    spent: bool = True
    """Whether a budget that is spent, however slowly, fires too."""


class UnreachableRule(RuleSettings):
    """Fires when a node does not answer while discovery still lists it."""

    kind: Literal["unreachable"]
    """The kind of rule."""
    for_: Annotated[Duration, Field(alias="for")] = Duration.parse("5m")
    """How long it must not have answered."""
    layer: str | None = None
    """Of which layer; of all where left out."""
    node: str | None = None
    """Of which node of the layer."""


class MeasurementLostRule(RuleSettings):
    """Fires when there is nothing to judge by: other alerts are frozen then, this one tells."""

    kind: Literal["measurement-lost"]
    """The kind of rule."""
    window: Duration = Duration.parse("15m")
    """The stretch of time in which rounds must have run, and taps been heard."""
    coverage: Percent = Percent.parse("90%")
    """The share of the stretches of the window in which there must have been a round."""
    stale_after: Duration = Duration.parse("5m")
    """For how long a keyspace may go without any read."""


class WatchdogRule(RuleSettings):
    """Fires always: for a dead-man's switch that alarms when it hears nothing."""

    kind: Literal["watchdog"]
    """The kind of rule."""


RULE_KINDS: Final[Mapping[str, type[RuleSettings]]] = {
    "propagation-lag": PropagationLagRule,
    "silent": SilentRule,
    "staleness": StalenessRule,
    "hit-rate": HitRateRule,
    "sequence-gap": SequenceGapRule,
    "drift": DriftRule,
    "config-drift": ConfigDriftRule,
    "burn-rate": BurnRateRule,
    "unreachable": UnreachableRule,
    "measurement-lost": MeasurementLostRule,
    "watchdog": WatchdogRule,
}
AnyRule = Annotated[
    PropagationLagRule
    | SilentRule
    | StalenessRule
    | HitRateRule
    | SequenceGapRule
    | DriftRule
    | ConfigDriftRule
    | BurnRateRule
    | UnreachableRule
    | MeasurementLostRule
    | WatchdogRule,
    Field(discriminator="kind"),
]
