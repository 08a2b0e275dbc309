"""The section `traces.poll`: tracing back ends that are asked for spans."""

from collections.abc import Mapping
from functools import reduce
from operator import or_
from typing import Annotated, Any, Literal

from pydantic import Field, create_model

from collectors.traces import TraceKind
from settings import Section


class PollSettings(Section):
    """A tracing back end that is polled; each kind adds its own options."""

    kind: str
    """The kind of back end."""


def poll_model(kinds: Mapping[str, TraceKind]) -> Any:
    """The type of one entry: a `PollSettings` and its kind's options at once."""
    models = [
        create_model(
            f"{name.capitalize()}Poll",
            __base__=(PollSettings, kind.options),
            __doc__=kind.options.__doc__,
            kind=(Literal[name], ...),  # type: ignore[arg-type]  # known at run time alone
        )
        for name, kind in kinds.items()
    ]
    return Annotated[reduce(or_, models), Field(discriminator="kind")]
