"""An alert that always fires: whoever no longer hears of it knows that nobody tells any more.

For a dead-man's switch at the other end of a channel.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from alerts.link import overview_link
from alerts.look import Condition, Look
from alerts.rules.base import Common
from store.base import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Watchdog(Common):
    """The rule."""

    kind: ClassVar[str] = "watchdog"

    def look(self, store: Store, now_ns: int) -> Sequence[Look]:  # noqa: ARG002
        """One look, which always holds."""
        return [self.judge(now_ns)]

    def judge(self, now_ns: int) -> Look:
        """Rules are looked at, and that is all there is to see."""
        summary = "rules are looked at; this alert fires for as long as they are"
        return Look({}, Condition.HOLDS, summary, link=overview_link({}, now_ns))

    def in_words(self) -> str:
        """When it fires, in a sentence."""
        return "Fires always, so that its absence tells that nobody watches or nobody tells."
