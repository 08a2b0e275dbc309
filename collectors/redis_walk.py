"""Every key of a keyspace that a Redis holds, by SCAN, page by page."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from collectors.base import KeyPage, SourceError
from collectors.options import keys_in
from collectors.redis_link import RedisLink, error_word
from collectors.redis_server import key_pattern

COUNT: Final = 1000
"""How many slots one SCAN looks at: a millisecond or so of the server's time."""
FEWEST_KEYS: Final = 100
"""A page with fewer goes on, up to `MOST_SCANS`: other keyspaces may be most of the node."""
MOST_SCANS: Final = 20
ADVICE: Final[Mapping[str, str]] = {
    "NOPERM": "NOPERM: the user may not SCAN; listing keys needs +scan",
}


class _Scan(NamedTuple):
    """One SCAN: where to go on ("0" is the end), whose place that is, and names of keys."""

    after: str
    server: str
    names: list[bytes]


async def walk(link: RedisLink, template: str, cursor: str) -> KeyPage:
    """The page after a cursor: that of SCAN, and which run of the server gave it.

    A key that is there throughout comes once at least, by the word of SCAN, and may come twice.
    After a restart the walk begins anew: the place of another process's hash table is no place.
    Raises SourceError.
    """
    server, _, at = cursor.rpartition(".")
    pattern = key_pattern(template).encode("utf-8", "surrogatepass")
    keys: list[str] = []
    for _ in range(MOST_SCANS):
        found = await _scan(link, at or "0", pattern)
        if at and found.server != server:
            found = await _scan(link, "0", pattern)
        keys += keys_in(template, found.names)
        at, server = found.after, found.server
        if at == "0" or len(keys) >= FEWEST_KEYS:
            break
    return KeyPage(keys, "" if at == "0" else f"{server}.{at}")


async def _scan(link: RedisLink, cursor: str, pattern: bytes) -> _Scan:
    done = await link.exchange([("SCAN", cursor, "MATCH", pattern, "COUNT", str(COUNT))])
    reply = None if done.why else done.replies[0]
    if why := done.why or error_word(reply):
        raise SourceError(f"cannot list keys: {ADVICE.get(why, why)}")
    match reply:
        case [bytes() as after, [*names]] if after.isdigit():
            if all(isinstance(name, bytes) for name in names):
                return _Scan(after.decode(), done.identity, names)
    raise SourceError("cannot list keys: not the answer to SCAN")
