"""When one tap could hear, and when it could not: pure, `at_ns` is wall time."""

from dataclasses import dataclass, field, replace

from store.gaps import GapRow

NOT_RUNNING = "Stalewatch was not running"


@dataclass(slots=True)
class Coverage:
    """Gaps of one tap, as they open and close.

    `resumes` says whether a new session hears what was said while there was none: then a gap that
    ends without a loss is taken back. What is to be written gathers in `written` and `withdrawn`.
    """

    source: str
    resumes: bool
    sure_until_ns: int
    """All that was said before has been heard."""
    open: GapRow | None = None
    written: list[GapRow] = field(default_factory=list)
    withdrawn: list[GapRow] = field(default_factory=list)

    def lost(self, at_ns: int, why: str) -> None:
        """Nothing more is heard; a gap that is open goes on, for the newest reason."""
        if self.open is None:
            self.open = GapRow(self.source, min(self.sure_until_ns, at_ns), None, why)
        elif self.open.why == why:
            return
        else:
            self.open = replace(self.open, why=why)
        self.written.append(self.open)

    def hears_from(self, at_ns: int, missed: str = "", *, has_place: bool = True) -> int:
        """All that is said from now on is heard; how many nanoseconds were lost.

        Without a place to go on from, what was said before is lost to a tap that resumes, too.
        """
        gap, self.open = self.open, None
        if gap is None and missed:
            gap = GapRow(self.source, min(self.sure_until_ns, at_ns), None, missed)
        self.sure_until_ns = max(self.sure_until_ns, at_ns)
        if gap is None:
            return 0
        if self.resumes and has_place and not missed:
            self.withdrawn.append(gap)
            return 0
        until_ns = max(at_ns, gap.since_ns)
        self.written.append(replace(gap, until_ns=until_ns, why=missed or gap.why))
        return until_ns - gap.since_ns

    def sure(self, at_ns: int) -> None:
        """All that was said before this instant has been heard."""
        if self.open is None:
            self.sure_until_ns = max(self.sure_until_ns, at_ns)

    def take(self) -> tuple[list[GapRow], list[GapRow]]:
        """What is to be written and withdrawn, once."""
        taken = self.written, self.withdrawn
        self.written, self.withdrawn = [], []
        return taken
