"""The section `channels`: who is told, and how."""

from collections.abc import Mapping
from functools import reduce
from operator import or_
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, Field, create_model, model_validator

from alerts.base import ChannelKind
from settings import Duration, Section

LEAST_AFTER_NS: Final = 60 * 10**9


def _late_enough(after: Duration) -> Duration:
    if after.ns < LEAST_AFTER_NS:
        raise ValueError("expected at least 1m: a server that is restarted takes what it is owed")
    return after


class FallbackSettings(Section):
    """Another channel that is told what this one has owed for too long, or was refused."""

    channel: str
    """Which of the `channels`."""
    after: Annotated[Duration, AfterValidator(_late_enough)] = Duration.parse("10m")
    """How long a notification is owed before it is told there as well; a minute at least."""


SHORTEST_REPEAT: Final = Duration.parse("1m")


class GroupSettings(Section):
    """Which alerts are told together, and how often."""

    by: tuple[str, ...] = ("rule",)
    """Labels that alerts of a group share (`rule`, `layer`, `node` ...); `[]` makes one of all."""
    wait: Duration = Duration.parse("30s")
    """How long the first alert of a group waits for company."""
    interval: Duration = Duration.parse("5m")
    """How long after a message the next one may come that says what is new or resolved."""
    repeat: Duration = Duration.parse("4h")
    """How long after a message what goes on is told again; at least `interval`, and a minute."""

    @model_validator(mode="after")
    def _repeats_no_more_than_it_tells(self) -> Self:
        if self.repeat < max(self.interval, SHORTEST_REPEAT):
            raise ValueError(f"expected repeat to be at least {SHORTEST_REPEAT}, and interval")
        return self


class ChannelSettings(Section):
    """A way to reach somebody; each kind adds its own options."""

    kind: str
    """The kind of channel."""
    fallback: FallbackSettings | None = None
    """Where else its notifications are told while nobody takes them."""
    group: GroupSettings = GroupSettings()
    """Which alerts are told together, and how often."""


def channel_model(kinds: Mapping[str, ChannelKind]) -> Any:
    """The type of one channel: a `ChannelSettings` and its kind's options at once."""
    models = [
        create_model(
            f"{name.capitalize()}Channel",
            __base__=(ChannelSettings, kind.options),
            __doc__=kind.options.__doc__,
            kind=(Literal[name], ...),  # type: ignore[arg-type]  # known at run time alone
        )
        for name, kind in kinds.items()
    ]
    either = reduce(or_, models)
    return Annotated[either, Field(discriminator="kind")] if len(models) > 1 else either
