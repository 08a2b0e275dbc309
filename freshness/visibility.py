"""Visibility delay: from the write of a version to the first probe of a node that sees it."""

from typing import NamedTuple


class Delay(NamedTuple):
    """Bounds of a delay in the unit of the stamps; `upper` None is unbounded.

    A censored delay (the node was never seen with the version) only has a lower bound; it is
    counted, never dropped.
    """

    lower: int
    upper: int | None
    is_censored: bool = False


def visibility_delay(
    last_without_start: int | None,
    first_with_end: int | None,
    committed_after: int | None,
    committed_before: int | None,
) -> Delay:
    """D in [qs_last - U(v), qe_first - L(v)], clamped at 0.

    `last_without_start` is the start of the last probe that saw less than v, `first_with_end` the
    end of the first that saw v or more; `committed_after` is L(v), `committed_before` U(v); None is
    unknown each time. By Golab, Li and Shah (PODC 2011) and PBS (VLDB 2012), for one node.
    """
    lower = 0
    if last_without_start is not None and committed_before is not None:
        lower = max(0, last_without_start - committed_before)
    if first_with_end is None:
        return Delay(lower, None, is_censored=True)
    if committed_after is None:
        return Delay(lower, None)
    return Delay(lower, max(0, first_with_end - committed_after))
