"""Addresses of exact views, below the address of the UI: a range that ends now would move on."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote, urlencode, urlsplit

NS_PER_S: Final = 1_000_000_000
AROUND_NS: Final = 15 * 60 * NS_PER_S
"""How much of the time before a look its view shows."""
LONGEST: Final = 4_096
"""Characters of a path; what is longer would be cut on its way, and lead elsewhere."""
_URL_SAFE: Final = "/?&=%:,;+-._~#"
_FOLDED_BY_BROWSERS: Final = ("", ".", "..")


def overview_link(labels: Mapping[str, str], now_ns: int) -> str:
    """The overview of what labels name, as it was at an instant."""
    named = [(name, labels[name]) for name in ("keyspace", "layer", "node") if name in labels]
    return _with_range("", now_ns, named)


def key_link(keyspace: str, key: str, now_ns: int) -> str:
    """The page of one key."""
    if key in _FOLDED_BY_BROWSERS:
        return _with_range(f"key/{_segment(keyspace)}", now_ns, [("key", key)])
    return _with_range(f"key/{_segment(keyspace)}/{_segment(key)}", now_ns, [])


def invalidation_link(id: str, now_ns: int) -> str:
    """The page of one invalidation."""
    if id in _FOLDED_BY_BROWSERS:
        return _with_range("invalidation", now_ns, [("id", id)])
    return _with_range(f"invalidations/{_segment(id)}", now_ns, [])


def view_url(link: str, base_url: str) -> str:
    """The absolute address of a view; empty where `link` would lead anywhere but to the UI.

    `base_url` is the address of the UI, which ends with a slash.
    """
    if not link or not base_url:
        return ""
    # Control characters and backslashes go before it is taken apart: parsers differ on them.
    path = quote(link.lstrip("/"), safe=_URL_SAFE, errors="replace")
    parts = urlsplit(path)
    if len(path) > LONGEST or parts.scheme or parts.netloc or ".." in parts.path.split("/"):
        return ""
    return base_url + path


def alerts_link(matchers: Sequence[str]) -> str:
    """The page of alerts, a silence with these matchers prepared, as `store.matching` writes them.

    It has no range: who silences looks at what fires now.
    """
    asked = [("silence", "\n".join(matchers))] if matchers else []
    query = urlencode(asked, quote_via=quote, errors="replace")
    return f"alerts?{query}" if query else "alerts"


def _with_range(path: str, now_ns: int, named: list[tuple[str, str]]) -> str:
    pairs = [("from", _iso(now_ns - AROUND_NS)), ("to", _iso(now_ns)), *named]
    return f"{path}?{urlencode(pairs, quote_via=quote, errors='replace')}"


def _segment(text: str) -> str:
    return quote(text, safe="", errors="replace")


def _iso(at_ns: int) -> str:
    seconds, rest = divmod(at_ns, NS_PER_S)
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{rest // 1_000_000:03d}"
