"""What a channel is told of alerts that belong together, and when: pure.

Alerts of one channel that share the labels it groups by are one group. A group waits a little for
company before it is told the first time, and says no more often than its interval that a member is
new or resolved; what goes on is repeated. Whether an alert is silenced, inhibited or acknowledged
is a flag on what is told of it, never a state of it.
Source: Alertmanager, dispatch/dispatch.go and notify/notify.go (DedupStage), for the three clocks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final, Literal

NS_PER_S: Final = 1_000_000_000
Fate = Literal["firing", "resolved"]


@dataclass(frozen=True, slots=True)
class GroupTiming:
    """How long a group waits for company, how often it says what is new, and says it again."""

    wait_ns: int = 30 * NS_PER_S
    interval_ns: int = 300 * NS_PER_S
    repeat_ns: int = 4 * 3_600 * NS_PER_S


class Occasion(StrEnum):
    """Why a group is told."""

    FIRST = "first"
    NEW_MEMBER = "new-member"
    SOME_RESOLVED = "some-resolved"
    ALL_RESOLVED = "all-resolved"
    REPEAT = "repeat"


class Muted(StrEnum):
    """Why an alert is not told."""

    SILENCED = "silenced"
    INHIBITED = "inhibited"
    FROZEN = "frozen"
    """The measurement is lost: it is not told for the first time, and not repeated."""


@dataclass(frozen=True, slots=True)
class Member:
    """One alert as a group sees it. `firing_since_ns` tells one firing of it from the next."""

    alert: str
    fate: Fate
    firing_since_ns: int
    muted: Muted | None = None
    is_acknowledged: bool = False

    @property
    def firing(self) -> tuple[str, int]:
        """Which firing of which alert."""
        return self.alert, self.firing_since_ns


@dataclass(frozen=True, slots=True)
class Group:
    """What was told of a group. `told` has the firings that were told, and how they stood then.

    `began_at_ns` is when its first member fired, `told_at_ns` when it was told last, None before
    the first time; `times` counts how often.
    """

    began_at_ns: int
    told_at_ns: int | None = None
    times: int = 0
    told: Mapping[tuple[str, int], Fate] = field(default_factory=dict)


def next_group(
    group: Group | None, members: Sequence[Member], timing: GroupTiming, now_ns: int
) -> tuple[Group | None, Occasion | None]:
    """The group after one look at its members, and why it is told now, if it is.

    None is a group that has nothing to say and is over. A silenced resolution is never told.
    """
    audible = [each for each in members if each.muted is None]
    if group is None or group.told_at_ns is None:
        return _before_first(group, audible, timing, now_ns)
    occasion = _occasion(group, members, timing, now_ns)
    if occasion is None:
        return _without_gone(group, members), None
    told = {each.firing: each.fate for each in audible}
    kept = {firing: fate for firing, fate in group.told.items() if _is_muted(firing, members)}
    after = replace(group, told_at_ns=now_ns, times=group.times + 1, told={**kept, **told})
    is_over = "firing" not in after.told.values()
    return (None if is_over else after), occasion


def told_now(group: Group | None, members: Sequence[Member]) -> Sequence[Member]:
    """The members that a notification names: what fires, and what has been resolved since.

    `group` is as it was before. A resolution is told where the firing was.
    """
    told = group.told if group is not None else {}
    return [
        each
        for each in members
        if each.muted is None and (each.fate == "firing" or told.get(each.firing) == "firing")
    ]


def _before_first(
    group: Group | None, audible: Sequence[Member], timing: GroupTiming, now_ns: int
) -> tuple[Group | None, Occasion | None]:
    firing = [each for each in audible if each.fate == "firing"]
    if not firing:
        return None, None
    began = group or Group(now_ns)
    if now_ns - began.began_at_ns < timing.wait_ns:
        return began, None
    told: dict[tuple[str, int], Fate] = {each.firing: "firing" for each in firing}
    return replace(began, told_at_ns=now_ns, times=1, told=told), Occasion.FIRST


def _occasion(
    group: Group, members: Sequence[Member], timing: GroupTiming, now_ns: int
) -> Occasion | None:
    since_ns = now_ns - (group.told_at_ns or now_ns)
    if since_ns < timing.interval_ns:
        return None
    audible = {each.firing: each for each in members if each.muted is None}
    if any(each.fate == "firing" and each.firing not in group.told for each in audible.values()):
        return Occasion.NEW_MEMBER
    was_firing = {firing for firing, fate in group.told.items() if fate == "firing"}
    resolved = {each.firing for each in audible.values() if each.fate == "resolved"} & was_firing
    if resolved:
        is_left = was_firing - resolved - _gone(group, members)
        return Occasion.SOME_RESOLVED if is_left else Occasion.ALL_RESOLVED
    goes_on = [
        each for each in audible.values() if each.fate == "firing" and not each.is_acknowledged
    ]
    return Occasion.REPEAT if goes_on and since_ns >= timing.repeat_ns else None


def _gone(group: Group, members: Sequence[Member]) -> set[tuple[str, int]]:
    """Firings that were told and are no member now: their alert fired anew, or is forgotten."""
    return set(group.told) - {each.firing for each in members}


def _without_gone(group: Group, members: Sequence[Member]) -> Group | None:
    """What can never be told as resolved any more goes; so does a resolution under a silence."""
    over = _gone(group, members)
    over |= {each.firing for each in members if each.fate == "resolved" and each.muted is not None}
    told = {firing: fate for firing, fate in group.told.items() if firing not in over}
    if "firing" not in told.values():
        return None
    return replace(group, told=told)


def _is_muted(firing: tuple[str, int], members: Sequence[Member]) -> bool:
    return any(each.firing == firing and each.muted is not None for each in members)
