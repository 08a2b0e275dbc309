"""The section `channels`: who is told, and how."""

from collections.abc import Mapping
from functools import reduce
from operator import or_
from typing import Annotated, Any, Literal

from pydantic import Field, create_model

from alerts.base import ChannelKind
from settings import Section


class ChannelSettings(Section):
    """A way to reach somebody; each kind adds its own options."""

    kind: str
    """The kind of channel."""


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
