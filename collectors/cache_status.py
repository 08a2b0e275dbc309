"""What a cache says of its copy: whether it was a hit, how old it is, how long it will be kept.

Read by the table of its dialect; `Cache-Status` is RFC 9211.
"""

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

import http_sf

from collectors.http_dialects import GENERIC, Dialect, Standing

_SECONDS: Final = re.compile(r"\d{1,10}", re.ASCII)
_IS_HIT: Final = {Standing.HIT: True, Standing.STALE: True, Standing.UNTOLD: None}


class CacheSaid(NamedTuple):
    """Seconds are whole, as the headers are; None where nothing tells."""

    standing: Standing
    age_s: float | None = None
    ttl_s: float | None = None

    @property
    def is_hit(self) -> bool | None:
        """Whether the copy was there before we asked, whole and unasked for."""
        return _IS_HIT.get(self.standing, False)


def cache_said(
    headers: Mapping[str, str], dialect: Dialect = GENERIC, *, is_age_trusted: bool = True
) -> CacheSaid:
    """Read the headers of one answer; nonsense in them says nothing.

    An Age that is not trusted (it stands still) is left out, with what is derived from it.
    """
    age_s = age_said(headers, dialect) if is_age_trusted else None
    is_kept_by_it = dialect.is_kept_by_cache_control
    ttl_s = _time_to_live(headers.get("cache-control", ""), age_s) if is_kept_by_it else None
    told = _cache_status(headers.get("cache-status", "")) if dialect.has_cache_status else None
    if told is not None:
        return CacheSaid(told.standing, age_s, ttl_s if told.ttl_s is None else told.ttl_s)
    return CacheSaid(_standing(headers, dialect, age_s), age_s, ttl_s)


def age_said(headers: Mapping[str, str], dialect: Dialect = GENERIC) -> float | None:
    """Age in seconds, where the dialect counts it."""
    return _seconds(headers.get("age", "")) if dialect.counts_age else None


def node_said(headers: Mapping[str, str], dialect: Dialect, served_by: str | None) -> str:
    """Which node answered; empty where it did not say. `served_by` is the config's own header."""
    if served_by:
        return headers.get(served_by, "")
    found = dialect.served_by_part.match(headers.get(dialect.served_by, ""))
    return found[1] if found else ""


def _standing(headers: Mapping[str, str], dialect: Dialect, age_s: float | None) -> Standing:
    if word := _word(headers, dialect):
        return dialect.words.get(word, Standing.FETCHED)
    if dialect.has_varnish_ids and (ids := headers.get("x-varnish")):
        # Two ids: of this request, and of the one that filled.
        return Standing.HIT if len(ids.split()) > 1 else Standing.FETCHED
    return Standing.HIT if age_s and not dialect.always_tells else Standing.UNTOLD


def _cache_status(header: str) -> CacheSaid | None:
    """The last member: the cache nearest to us, which is the node we asked."""
    try:
        members = http_sf.parse(header.encode(), tltype="list") if header else []
    except (ValueError, UnicodeEncodeError):
        return None
    nearest: object = members[-1] if isinstance(members, list) and members else None
    parameters = nearest[1] if isinstance(nearest, tuple) and len(nearest) == 2 else None
    if not isinstance(parameters, dict) or not {"hit", "fwd"} & parameters.keys():
        return None
    ttl = parameters.get("ttl")
    ttl_s = float(ttl) if type(ttl) is int else None
    if parameters.get("hit") is not True:
        is_passed = str(parameters.get("fwd")) == "bypass"
        return CacheSaid(Standing.PASSED if is_passed else Standing.FETCHED)
    is_past = ttl_s is not None and ttl_s < 0
    standing = Standing.STALE if is_past else Standing.HIT
    return CacheSaid(standing, ttl_s=None if ttl_s is None else max(0.0, ttl_s))


def _word(headers: Mapping[str, str], dialect: Dialect) -> str:
    """`HIT`, `Hit from cloudfront`, `MISS, HIT` (the nearest is last) → `hit`."""
    for name in dialect.said_in:
        words = headers.get(name, "").rpartition(",")[2].split()
        if words:
            return words[0].lower()
    return ""


def _time_to_live(cache_control: str, age_s: float | None) -> float | None:
    """What is left of s-maxage or max-age; nothing is honest without an Age to subtract."""
    if age_s is None:
        return None
    directives = dict(_directive(part) for part in cache_control.split(","))
    for name in ("s-maxage", "max-age"):
        lifetime_s = _seconds(directives.get(name, ""))
        if lifetime_s is not None:
            return max(0.0, lifetime_s - age_s)
    return None


def _directive(part: str) -> tuple[str, str]:
    name, _, value = part.partition("=")
    return name.strip().lower(), value.strip().strip('"')


def _seconds(text: str) -> float | None:
    return float(text) if _SECONDS.fullmatch(text.strip()) else None
