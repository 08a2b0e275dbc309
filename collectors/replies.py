"""Several replies as one."""

from collections.abc import Sequence

from collectors.base import Reply


def joined(replies: Sequence[Reply]) -> Reply:
    """Replies to parts of one batch as one: the outer stamps, which are sound and wider.

    It failed as a whole only where every part did. An identity that changed midway is none.
    """
    if len(replies) == 1:
        return replies[0]
    whys = [reply.why for reply in replies]
    said = {reply.identity for reply in replies if not reply.why}
    return Reply(
        min(reply.start_ns for reply in replies),
        max(reply.end_ns for reply in replies),
        [reading for reply in replies for reading in reply.readings],
        said.pop() if len(said) == 1 else "",
        whys[0] if all(whys) else "",
        sum(reply.size_bytes for reply in replies),
    )
