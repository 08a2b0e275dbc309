"""How long to leave a server alone after connecting to it failed."""

import random
from typing import Final

FIRST_NS: Final = 100_000_000
LONGEST_NS: Final = 5_000_000_000


class Pause:
    """Back-off between attempts to connect: from 0.1 s, doubling, to 5 s, each cut at random.

    Meanwhile every read fails at once, for the reason that the last attempt failed.
    """

    def __init__(self) -> None:
        self._failures = 0
        self._not_before_ns = 0
        self._why = ""

    def why_not_now(self, now_ns: int) -> str:
        """Why not to connect yet; empty where it may be tried."""
        return self._why if now_ns < self._not_before_ns else ""

    def fail(self, now_ns: int, why: str) -> str:
        """An attempt failed; gives `why` back."""
        pause_ns = min(FIRST_NS << min(self._failures, 10), LONGEST_NS)
        self._failures += 1
        self._not_before_ns = now_ns + int(pause_ns * random.uniform(0.5, 1.0))
        self._why = why
        return why

    def succeed(self) -> None:
        """An attempt succeeded."""
        self._failures, self._not_before_ns, self._why = 0, 0, ""
