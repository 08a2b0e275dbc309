"""A torn value: the copy has the version of the origin, and not the origin's value of it.

Meta's bug of 2022 ("Cache made consistent") left such copies: the version came from one write, the
body from another. Nothing is stale by its version, so only a declared projection shows it.
"""

from freshness.model import Value


def is_torn(copy: Value | None, origin: Value | None) -> bool | None:
    """Whether both have one version and differ in what it stands for.

    None where either is unknown, without a version, or without a projection to hold against the
    other's; False where versions differ (stale or ahead, not torn) or both agree.
    """
    if copy is None or origin is None or copy.version is None or origin.version is None:
        return None
    if copy.version != origin.version:
        return False
    if copy.absent != origin.absent:
        return True
    if copy.projection is None or origin.projection is None:
        return None
    return copy.projection != origin.projection
