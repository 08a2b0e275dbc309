"""The section of taps: what is listened to; each kind adds its own options."""

from collections.abc import Iterator, Mapping
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, create_model

from collectors.taps.base import TapKind
from settings import Section
from stalewatch.config.problem import Loc
from stalewatch.config.wording import did_you_mean

if TYPE_CHECKING:
    from stalewatch.config.model import Config


class TapSettings(Section):
    """A source of invalidations; each kind adds its own options."""

    kind: str
    """The kind of tap."""


def tap_model(kinds: Mapping[str, TapKind]) -> Any:
    """The type of one tap: a `TapSettings` and its kind's options at once."""
    models = [
        create_model(
            f"{name.title().replace('-', '')}Tap",
            __base__=(TapSettings, kind.options),
            __doc__=kind.options.__doc__,
            kind=(Literal[name], ...),  # type: ignore[arg-type]  # known at run time alone
        )
        for name, kind in kinds.items()
    ]
    return Annotated[reduce(or_, models), Field(discriminator="kind")]


def tap_faults(config: "Config") -> Iterator[tuple[Loc, str]]:
    """Keyspaces that taps name and the file has not."""
    for name, tap in config.taps.items():
        for loc, keyspace in _keyspaces(tap):
            if keyspace not in config.keyspaces and not keyspace.startswith("$"):
                why = f"no such entry in keyspaces{did_you_mean(keyspace, config.keyspaces)}"
                yield ("taps", name, *loc), why


def _keyspaces(tap: Any) -> Iterator[tuple[Loc, str]]:
    if hasattr(tap, "keyspace"):
        yield ("keyspace",), tap.keyspace
    message = getattr(tap, "message", None)
    if message is not None:
        yield ("message", "keyspace"), message.keyspace
    for table, use in getattr(tap, "tables", {}).items():
        yield ("tables", table, "keyspace"), use.keyspace
