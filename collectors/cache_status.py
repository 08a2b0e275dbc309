"""What a cache says of its copy: whether it was a hit, how old it is, how long it will be kept.

`Cache-Status` (RFC 9211) where there is one, else the headers in common use.
"""

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

import http_sf

HITS: Final = frozenset({"hit", "stale", "updating"})
"""Words of X-Cache and CF-Cache-Status for a copy that was there before we asked."""
PASSES: Final = frozenset({"bypass", "dynamic", "none", "unknown", "pass"})
"""Words for an answer that came past the cache."""
_SECONDS = re.compile(r"\d{1,10}", re.ASCII)


class CacheSaid(NamedTuple):
    """`is_hit` is None where nothing tells. Seconds are whole, as the headers are."""

    is_hit: bool | None
    is_passed: bool = False
    age_s: float | None = None
    ttl_s: float | None = None


def cache_said(headers: Mapping[str, str]) -> CacheSaid:
    """Read the headers of one answer; nonsense in them says nothing."""
    age_s = _seconds(headers.get("age", ""))
    ttl_s = _time_to_live(headers.get("cache-control", ""), age_s)
    status = _cache_status(headers.get("cache-status", ""))
    if status is not None:
        return CacheSaid(
            status.is_hit, False, age_s, ttl_s if status.ttl_s is None else status.ttl_s
        )
    word = _word(headers)
    if word:
        return CacheSaid(word in HITS, word in PASSES, age_s, ttl_s)
    if varnish := headers.get("x-varnish"):  # two ids: of this request, and of the one that filled
        return CacheSaid(len(varnish.split()) > 1, False, age_s, ttl_s)
    return CacheSaid(True if age_s else None, False, age_s, ttl_s)


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
    ttl_s = max(0.0, float(ttl)) if type(ttl) is int else None
    return CacheSaid(parameters.get("hit") is True, ttl_s=ttl_s)


def _word(headers: Mapping[str, str]) -> str:
    """`HIT`, `Hit from cloudfront`, `MISS, HIT` (the nearest is last) → `hit`."""
    for name in ("cf-cache-status", "x-cache-status", "x-cache"):
        words = headers.get(name, "").rpartition(",")[2].replace("_", " ").split()
        if words:
            return words[1 if words[0].lower() == "tcp" and len(words) > 1 else 0].lower()
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
