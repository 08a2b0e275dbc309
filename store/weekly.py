"""What only reports ask of a store: firings, deliveries and what findings cost, over a week.

Instants are wall time, Unix nanoseconds; a window is [since, until).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from store.alert_book import DeliveryState


@dataclass(frozen=True, slots=True)
class FiringRow:
    """One firing of an alert. `resolved_at_ns` is None where it still fired as the window ended.

    Labels and summary are of its last look; none where the alert is no longer kept.
    """

    alert: str
    rule: str
    labels: Mapping[str, str]
    summary: str
    fired_at_ns: int
    resolved_at_ns: int | None
    acked_at_ns: int | None
    acked_by: str


class ProofRow(NamedTuple):
    """What the kept reads of a finding prove.

    `superseded_at_ns` is when its value was no longer current, at the latest; `reads` are those of
    the window that were proven stale.
    """

    finding: str
    superseded_at_ns: int
    reads: int


class Weekly(Protocol):
    """What reports read beside what everybody does."""

    def firings(self, since_ns: int, until_ns: int) -> Sequence[FiringRow]:
        """Those that fired at some instant of a window, as they stood at its end; oldest first."""
        ...

    def deliveries(self, since_ns: int, until_ns: int) -> Mapping[tuple[str, DeliveryState], int]:
        """Notifications of alerts that were created in a window, by channel and present state."""
        ...

    def proofs(
        self, since_ns: int, until_ns: int, stratum: str, limit_ns: int | None
    ) -> Sequence[ProofRow]:
        """Of each finding that was open in a window and has reads.

        Reads are counted of one stratum and beyond `limit_ns`, or as judged where it is None.
        """
        ...
