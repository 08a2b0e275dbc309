"""What a rule saw of one thing at one instant: the condition as a third-valued word, and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Condition(StrEnum):
    """Whether what a rule is about holds. Unknown is a word of its own, and so is gone."""

    HOLDS = "holds"
    EASED = "eased"
    """Not over the limit any more, and not below the recovery threshold either."""
    CLEAR = "clear"
    UNKNOWN = "unknown"
    """Too little was seen to say: the measurement is lost."""
    GONE = "gone"
    """What the rule looked at is no longer watched, or the rule no longer looks at it."""


@dataclass(frozen=True, slots=True)
class Look:
    """One look of a rule at what `labels` name.

    `value` is in the unit of the rule's limit, None where there is none. `summary` is a sentence,
    `evidence` a line each. `link` is the exact view below the external address, with an absolute
    range of time. `is_inhibited` says that what `labels` name does not answer, which explains this:
    it is not told.
    """

    labels: Mapping[str, str]
    condition: Condition
    summary: str
    value: float | None = None
    evidence: Sequence[str] = field(default=())
    link: str = ""
    is_inhibited: bool = False
    figures: Mapping[str, str] = field(default_factory=dict)
    """Name to value with its unit, for whoever is told."""
    cause: str = ""
    finding: str = ""
    """Id of the finding whose evidence reproduces the verdict, where it rests on one."""
