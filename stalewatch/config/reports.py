"""The section `reports`: who is told each week how the objectives stood."""

from datetime import time
from typing import Annotated, Self

from pydantic import AfterValidator, PlainSerializer, PlainValidator, model_validator

from alerts.mail import Mailbox
from settings import Section
from stalewatch.config.names import Name
from stalewatch.config.objectives import as_zone

DEFAULT = "weekly"
"""The report that is made, and sent to nobody, where none is declared."""


def _as_time(given: object) -> time:
    if isinstance(given, time):
        return given
    if isinstance(given, str) and len(given) == len("08:00"):
        try:
            return time.fromisoformat(given)
        except ValueError:
            pass
    raise ValueError('expected a time of day in quotes, such as "08:00"')


def _write_time(at: time) -> str:
    return f"{at:%H:%M}"


class ReportSettings(Section):
    """A report of each week, from Monday to Monday, made on the Monday after."""

    channel: Name | None = None
    """The channel of kind `mail` that sends it; left out, it is made and shown, and not sent."""
    to: tuple[Mailbox, ...] = ()
    """Who gets it, in place of all whom the channel tells."""
    owner: str = ""
    """Of the objectives of which owner it tells; of all where left out."""
    time_zone: Annotated[str, AfterValidator(as_zone)] = "UTC"
    """Whose weeks, and whose times: `Europe/Berlin`."""
    at: Annotated[time, PlainValidator(_as_time), PlainSerializer(_write_time)] = time(8)
    """From when on it is made on Monday, local time: late evidence of the week is in it by then."""

    @model_validator(mode="after")
    def _goes_somewhere(self) -> Self:
        if self.to and self.channel is None:
            raise ValueError("expected channel beside `to`: the channel has the mail server")
        return self
