"""A group over time: `at(65).fires("a")` moves a member, `.wants(...)` says what was told then.

`between(65, 300).wants_nothing()` looks every five seconds, as the engine does.
"""

from dataclasses import replace
from typing import Self

from alerts.groups import (
    Fate,
    Group,
    GroupTiming,
    Member,
    Muted,
    Occasion,
    is_news,
    next_group,
    told_now,
)

S = 1_000_000_000
START_NS = 1_800_000_000 * S
LOOK_S = 5
Told = tuple[Occasion, set[str]]
"""Why, and the members: `+a` fires newly, `a` goes on, `-a` is resolved."""


class GroupTimeline:
    """One group, looked at in the seconds that a test names."""

    def __init__(self, wait_s: float = 30, interval_s: float = 300, repeat_s: float = 14_400):
        self.timing = GroupTiming(
            *(round(seconds * S) for seconds in (wait_s, interval_s, repeat_s))
        )
        self.group: Group | None = None
        self.members: dict[str, Member] = {}
        self.told: Told | None = None
        self._now_s = 0.0

    @property
    def now_ns(self) -> int:
        return START_NS + round(self._now_s * S)

    def at(self, second: float) -> Self:
        """Look at an instant, at members as they are left; a change looks again."""
        self._now_s = second
        return self._look()

    def fires(self, *alerts: str) -> Self:
        """They fire from now on, anew where they did before."""
        return self._all(alerts, "firing")

    def resolves(self, *alerts: str) -> Self:
        for alert in alerts:
            self._change(alert, fate="resolved")
        return self._look()

    def mutes(self, alert: str, muted: Muted | None) -> Self:
        self._change(alert, muted=muted)
        return self._look()

    def acknowledges(self, alert: str) -> Self:
        self._change(alert, is_acknowledged=True)
        return self._look()

    def wants(self, occasion: Occasion, *members: str) -> Self:
        """What was told in the last look."""
        assert self.told == (occasion, set(members))
        return self

    def wants_nothing(self) -> Self:
        assert self.told is None
        return self

    def until(self, second: float) -> Self:
        """Look every five seconds up to an instant, and find that nothing is told."""
        while self._now_s + LOOK_S <= second:
            self.at(self._now_s + LOOK_S).wants_nothing()
        return self

    @property
    def is_over(self) -> bool:
        return self.group is None

    def _all(self, alerts: tuple[str, ...], fate: Fate) -> Self:
        for alert in alerts:
            self.members[alert] = Member(alert, fate, self.now_ns)
        return self._look()

    def _change(self, alert: str, **changes: object) -> None:
        self.members[alert] = replace(self.members[alert], **changes)  # type: ignore[arg-type]

    def _look(self) -> Self:
        before, members = self.group, list(self.members.values())
        self.group, occasion = next_group(before, members, self.timing, self.now_ns)
        self.told = None
        if occasion is not None:
            named = told_now(before, members)
            self.told = (occasion, {_mark(before, each) + each.alert for each in named})
        return self


def _mark(group: Group | None, member: Member) -> str:
    if member.fate == "resolved":
        return "-"
    return "+" if is_news(group, member) else ""
