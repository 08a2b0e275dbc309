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
    """What of it is resolved meanwhile is never told; what still fires afterwards is told anew."""
    INHIBITED = "inhibited"
    """A greater fault explains it: whatever it is by then is told once that is over."""
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
    def is_heard(self) -> bool:
        """Whether it may be told. What was resolved before its measurement was lost is resolved."""
        return self.muted is None or (self.muted is Muted.FROZEN and self.fate == "resolved")


@dataclass(frozen=True, slots=True)
class Group:
    """What was told of a group. `told` has the firings that were told, and not yet as resolved.

    It is alert → since when it fired. `began_at_ns` is when the first member fired, `told_at_ns`
    when the group was told last, None before the first time; `times` counts how often.
    """

    began_at_ns: int
    told_at_ns: int | None = None
    times: int = 0
    told: Mapping[str, int] = field(default_factory=dict)


def next_group(
    group: Group | None, members: Sequence[Member], timing: GroupTiming, now_ns: int
) -> tuple[Group | None, Occasion | None]:
    """The group after one look at its members, and why it is told now, if it is.

    None is a group of which nothing fires, and nothing is left to be told as resolved. Whoever was
    told must be among the members, one that has vanished as resolved.
    """
    before = _by_this_clock(group or Group(now_ns), now_ns)
    occasion = _occasion(before, members, timing, now_ns)
    after = replace(before, told=_told(before, members, is_told_now=occasion is not None))
    if occasion is not None:
        after = replace(after, told_at_ns=now_ns, times=before.times + 1)
    is_over = not after.told and all(each.fate == "resolved" for each in members)
    return (None if is_over else after), occasion


def told_now(group: Group | None, members: Sequence[Member]) -> Sequence[Member]:
    """The members that a notification names: what fires, and what has been resolved since.

    `group` is as it was before. A resolution is told where the firing was.
    """
    told = group.told if group is not None else {}
    return [
        each for each in members if each.is_heard and (each.fate == "firing" or each.alert in told)
    ]


def is_news(group: Group | None, member: Member) -> bool:
    """Whether a member that is told now says something that the group, as it was, did not know."""
    told = group.told if group is not None else {}
    return member.fate == "resolved" or told.get(member.alert) != member.firing_since_ns


def _occasion(
    group: Group, members: Sequence[Member], timing: GroupTiming, now_ns: int
) -> Occasion | None:
    heard = [each for each in members if each.is_heard]
    firing = [each for each in heard if each.fate == "firing"]
    if group.told_at_ns is None:
        is_due = now_ns - group.began_at_ns >= timing.wait_ns
        return Occasion.FIRST if firing and is_due else None
    if now_ns - group.told_at_ns < timing.interval_ns:
        return None
    if any(is_news(group, each) for each in firing):
        return Occasion.NEW_MEMBER
    resolved = {each.alert for each in heard if each.fate == "resolved"} & group.told.keys()
    if resolved:
        return Occasion.SOME_RESOLVED if group.told.keys() - resolved else Occasion.ALL_RESOLVED
    goes_on = any(not each.is_acknowledged for each in firing)
    is_due = now_ns - group.told_at_ns >= timing.repeat_ns
    return Occasion.REPEAT if goes_on and is_due else None


def _told(group: Group, members: Sequence[Member], *, is_told_now: bool) -> dict[str, int]:
    """Which firings have been told by now. A silence makes them untold, for better or worse."""
    told = {}
    for each in members:
        if is_told_now and each.is_heard:
            if each.fate == "firing":
                told[each.alert] = each.firing_since_ns
        elif each.alert in group.told and each.muted is not Muted.SILENCED:
            told[each.alert] = group.told[each.alert]
    return told


def _by_this_clock(group: Group, now_ns: int) -> Group:
    """A wall clock that was set back keeps nobody waiting longer than one that was not."""
    told_at_ns = None if group.told_at_ns is None else min(group.told_at_ns, now_ns)
    return replace(group, began_at_ns=min(group.began_at_ns, now_ns), told_at_ns=told_at_ns)
