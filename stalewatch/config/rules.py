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


RULE_KINDS: Final[Mapping[str, type[RuleSettings]]] = {
    "propagation-lag": PropagationLagRule,
    "silent": SilentRule,
    "staleness": StalenessRule,
}
AnyRule = Annotated[
    PropagationLagRule | SilentRule | StalenessRule,
    Field(discriminator="kind"),
]
