"""Diagnoses of findings on all that the store knows: the row, and the protocol of who keeps it.

A finding's own row is rewritten by the collector that watches the copy, which knows its probes
alone. What all evidence together decides is kept beside it, and readers of findings get that.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:  # `store.base` is made of this
    from store.base import FindingRow


@dataclass(frozen=True, slots=True)
class DiagnosisRow:
    """The cause class of one finding, what decided it, and why which others are ruled out.

    `at_ns` is when it was made. One that `is_settled` is made no more: the finding is over, and
    late evidence has had its time.
    """

    finding: str
    cause: str
    because: str
    at_ns: int
    ruled_out: Mapping[str, str] = field(default_factory=dict)
    is_settled: bool = False


class Diagnoses(Protocol):
    """What all stored evidence says of findings."""

    def write_diagnoses(self, diagnoses: Sequence[DiagnosisRow]) -> None:
        """Make them durable in one transaction; one a finding, the last one stands."""
        ...

    def diagnosis(self, finding: str) -> DiagnosisRow | None:
        """That of one finding, or None."""
        ...

    def unsettled(
        self, since_ns: int, limit: int = 100
    ) -> Sequence[tuple["FindingRow", DiagnosisRow | None]]:
        """Findings that are open, or over at `since_ns` or later, and not settled yet.

        Each as its collector wrote it, with the diagnosis so far: those without one first, then
        those whose diagnosis is the oldest.
        """
        ...
