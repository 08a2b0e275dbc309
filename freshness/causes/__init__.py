"""Why a copy is stale: which fault class the evidence decides, and which it rules out.

One file a group of clues. `decide` has the table of all classes and their order.
"""

from freshness.causes.cause import Cause, Diagnosis, Sign
from freshness.causes.clues import (
    Absence,
    Clues,
    Heard,
    Life,
    Neighbours,
    Reports,
    Ring,
    Source,
    Standing,
)
from freshness.causes.decide import diagnose, reconcile

__all__ = [
    "Absence",
    "Cause",
    "Clues",
    "Diagnosis",
    "Heard",
    "Life",
    "Neighbours",
    "Reports",
    "Ring",
    "Sign",
    "Source",
    "Standing",
    "diagnose",
    "reconcile",
]
