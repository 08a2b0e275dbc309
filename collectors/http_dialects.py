"""Dialects: in which headers an HTTP cache tells what it did, how old its copy is, and who it is.

A dialect is a table and nothing else; `collectors.cache_status` reads it. Documented in
docs/collectors/{http,varnish,nginx,cdn}.md, the words of the CDNs with their sources.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from types import MappingProxyType
from typing import Final


class Standing(Enum):
    """What a cache did to answer us."""

    HIT = auto()
    """Its copy was there before we asked."""
    STALE = auto()
    """So it was, and past its time to live, which the cache was permitted to serve."""
    REVALIDATED = auto()
    """Its copy was there, and our read made it ask the origin whether it still holds."""
    FETCHED = auto()
    """Our read made it fetch the answer."""
    PASSED = auto()
    """The answer came past the cache: no copy was seen."""
    UNTOLD = auto()
    """Nothing tells."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one kind of HTTP cache talks. Names of headers are in lower case."""

    name: str
    said_in: tuple[str, ...]
    """Headers with a word of `words`; the first that is there counts, of its members the last."""
    words: Mapping[str, Standing]
    """What the words mean, in lower case; any other word means FETCHED."""
    has_cache_status: bool = False
    """Whether `Cache-Status` (RFC 9211), where it is there, goes before `said_in`."""
    has_varnish_ids: bool = False
    """Whether two ids in `X-Varnish` are a hit, and one is none."""
    counts_age: bool = False
    """Whether `Age` is counted up by the cache; one that is kept with the copy dates nothing."""
    is_kept_by_cache_control: bool = False
    """Whether s-maxage or max-age is how long a copy is kept, so that Age tells what is left."""
    always_tells: bool = True
    """Whether an answer that tells nothing must be taken as fetched for us."""
    served_by: str = ""
    """Header in which the node names itself, unless the config says another."""
    served_by_part: re.Pattern[str] = re.compile(r"(\S.*)")
    """What of that header is the name: its first group."""
    not_cached_status: int = 504
    """How "I hold no copy, and was not to fetch one" looks."""
    asks: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Headers that make the cache tell more."""


_COMMON_WORDS: Final[Mapping[str, Standing]] = MappingProxyType(
    {
        "hit": Standing.HIT,
        "stale": Standing.STALE,
        "updating": Standing.STALE,
        "revalidated": Standing.REVALIDATED,
        **dict.fromkeys(("bypass", "dynamic", "none", "unknown", "pass"), Standing.PASSED),
    }
)

GENERIC: Final = Dialect(
    "generic",
    said_in=("cf-cache-status", "x-cache-status", "x-cache"),
    words={**_COMMON_WORDS, "tcp_hit": Standing.HIT, "tcp_mem_hit": Standing.HIT},
    has_cache_status=True,
    has_varnish_ids=True,
    counts_age=True,
    is_kept_by_cache_control=True,
    always_tells=False,
)

VARNISH: Final = Dialect(
    "varnish",
    said_in=(),
    words={},
    has_cache_status=True,
    has_varnish_ids=True,
    counts_age=True,
    is_kept_by_cache_control=True,
    served_by="x-stalewatch-node",
)

NGINX: Final = Dialect(
    "nginx",
    said_in=("x-cache-status", "x-cache"),
    words=_COMMON_WORDS,
    served_by="x-stalewatch-node",
    not_cached_status=412,
)

FASTLY: Final = Dialect(
    "fastly",
    said_in=("x-cache",),
    words={"hit": Standing.HIT},
    counts_age=True,
    served_by="x-served-by",
    served_by_part=re.compile(r"(?:.*,)?\s*([^,\s]+)\s*$"),
)

CLOUDFLARE: Final = Dialect(
    "cloudflare",
    said_in=("cf-cache-status",),
    words=_COMMON_WORDS,
    counts_age=True,
    served_by="cf-ray",
    served_by_part=re.compile(r"[^-]*-(\w+)\s*$"),
)

CLOUDFRONT: Final = Dialect(
    "cloudfront",
    said_in=("x-cache",),
    words={
        "hit": Standing.HIT,
        "refreshhit": Standing.REVALIDATED,
        **dict.fromkeys(
            ("error", "redirect", "lambdageneratedresponse", "functiongeneratedresponse"),
            Standing.PASSED,
        ),
    },
    counts_age=True,
    served_by="x-amz-cf-pop",
)

AKAMAI: Final = Dialect(
    "akamai",
    said_in=("x-cache",),
    words={
        **dict.fromkeys(
            ("tcp_hit", "tcp_mem_hit", "tcp_ims_hit", "tcp_negative_hit"), Standing.HIT
        ),
        "tcp_refresh_fail_hit": Standing.STALE,
        "tcp_refresh_hit": Standing.REVALIDATED,
        **dict.fromkeys(("tcp_denied", "tcp_cookie_deny"), Standing.PASSED),
    },
    served_by="x-cache",
    served_by_part=re.compile(r".*\bfrom ([\w.-]+)", re.IGNORECASE),
    asks={"Pragma": "akamai-x-cache-on, akamai-x-check-cacheable"},
)

CDNS: Final[Mapping[str, Dialect]] = MappingProxyType(
    {each.name: each for each in (FASTLY, CLOUDFLARE, CLOUDFRONT, AKAMAI, GENERIC)}
)
"""The dialects of `kind: cdn`."""
