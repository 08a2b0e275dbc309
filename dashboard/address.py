"""What an address of the UI says: the page, its key, the window of time and the filters.

Everything that a view depends on is in its URL, so a view can be shared and the back button works.
Keys may be any text: they are percent-encoded, and where a browser would fold a segment away
("." and "..") or see none (the empty key) they travel in the query instead.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final
from urllib.parse import parse_qsl, quote, unquote, urlencode

from dashboard.wording import SECOND_NS, iso

RANGES: Final[Mapping[str, int]] = {
    "15m": 900,
    "1h": 3_600,
    "6h": 21_600,
    "24h": 86_400,
    "7d": 604_800,
}
"""Windows that end now, by name, in seconds."""
DEFAULT_RANGE: Final = "1h"
_FOLDED_BY_BROWSERS = ("", ".", "..")


PLAIN: Final = (
    "invalidations", "drift", "coverage", "nodes", "objectives", "reports", "alerts", "catalogue",
)  # fmt: skip
"""Pages whose path is their name alone."""


@dataclass(frozen=True, slots=True)
class Window:
    """[since, until) in Unix nanoseconds; `name` is one of RANGES, or "custom"."""

    since_ns: int
    until_ns: int
    name: str = "custom"

    @property
    def in_words(self) -> str:
        """As it ends a sentence: "in the last hour"."""
        since, until = (iso(at)[:16].replace("T", " ") for at in (self.since_ns, self.until_ns))
        return _IN_WORDS.get(self.name, f"from {since} to {until}")


_IN_WORDS = {
    "15m": "in the last 15 minutes",
    "1h": "in the last hour",
    "6h": "in the last 6 hours",
    "24h": "in the last 24 hours",
    "7d": "in the last 7 days",
}


@dataclass(frozen=True, slots=True)
class Address:
    """A parsed address. `since_ns`/`until_ns` are set where the range is absolute."""

    page: str = "overview"
    keyspace: str | None = None
    key: str | None = None
    range: str = DEFAULT_RANGE
    since_ns: int | None = None
    until_ns: int | None = None
    layer: str | None = None
    node: str | None = None
    only_keyspace: str | None = None
    read: int | None = None
    search: str = ""
    invalidation: str | None = None
    silence: str = ""
    """Matchers, a line each, of the silence that the page of alerts is to prepare."""
    objective: str | None = None
    report: str | None = None
    week: str | None = None
    """The week of a report, `running` for the one that is not over."""

    @property
    def is_absolute(self) -> bool:
        """Whether the window stays where it is while time goes on."""
        return self.since_ns is not None and self.until_ns is not None

    def window(self, now_ns: int) -> Window:
        """The window of time at this instant; an absolute one stays where it is.

        One that ends now ends at the next step of its 3,600th part, so that charts stand still
        between two steps.
        """
        if self.since_ns is not None and self.until_ns is not None:
            return Window(self.since_ns, self.until_ns)
        width_ns = RANGES[self.range] * SECOND_NS
        step_ns = max(width_ns // 3_600, SECOND_NS)
        until_ns = -(-now_ns // step_ns) * step_ns
        return Window(until_ns - width_ns, until_ns, self.range)

    def at(self, since_ns: int, until_ns: int) -> "Address":
        """The same view of an absolute window."""
        return replace(self, since_ns=since_ns, until_ns=until_ns)

    def query(self) -> str:
        """The query string with its question mark; empty where all is as by default."""
        pairs = [*self._range_pairs()]
        named = {"keyspace": self.only_keyspace, "layer": self.layer, "node": self.node}
        pairs += [(name, value) for name, value in named.items() if value]
        if self.search:
            pairs.append(("q", self.search))
        if self.silence:
            pairs.append(("silence", self.silence))
        if self.page == "key" and self.key in _FOLDED_BY_BROWSERS:
            pairs.append(("key", self.key))
        if self.page == "invalidation" and self.invalidation in _FOLDED_BY_BROWSERS:
            pairs.append(("id", self.invalidation))
        if self.read is not None:
            pairs.append(("read", str(self.read)))
        return f"?{urlencode(pairs, quote_via=quote, errors='replace')}" if pairs else ""

    def _range_pairs(self) -> list[tuple[str, str]]:
        if self.since_ns is not None and self.until_ns is not None:
            return [("from", iso(self.since_ns)), ("to", iso(self.until_ns))]
        return [("range", self.range)] if self.range != DEFAULT_RANGE else []

    def path(self) -> str:
        """The path below the prefix, percent-encoded, without a leading slash."""
        if self.page == "overview":
            return ""
        if self.page in PLAIN:
            return self.page
        if self.page == "invalidation":
            return self._invalidation_path()
        if self.page == "objective":
            return f"objectives/{quote(self.objective or '', safe='', errors='replace')}"
        if self.page == "report":
            segments = [quote(each or "", safe="") for each in (self.report, self.week)]
            return "/".join(["reports", *segments])
        segments = [part for part in (self.keyspace, self.key) if part is not None]
        if self.key in _FOLDED_BY_BROWSERS:
            segments = segments[:1]
        return "/".join(["key", *(quote(part, safe="", errors="replace") for part in segments)])

    def _invalidation_path(self) -> str:
        id = self.invalidation or ""
        if id in _FOLDED_BY_BROWSERS:
            return "invalidation"
        return f"invalidations/{quote(id, safe='', errors='replace')}"

    def href(self, prefix: str) -> str:
        """The whole address under the path that the UI is served at."""
        return prefix + self.path() + self.query()

    def key_page(self, keyspace: str, key: str) -> "Address":
        """The page of a key in the same window, without the filters that could hide its lanes."""
        kept = replace(self, layer=None, node=None, only_keyspace=None, read=None, search="")
        return replace(kept, page="key", keyspace=keyspace, key=key, silence="")


def parse(prefix: str, path: str, search: str) -> Address | None:
    """The address of a browser's path and query; None where there is no such page.

    What cannot be understood of a query (a hand-edited range, say) falls back to the default.
    """
    inside = path.removeprefix(prefix.rstrip("/")).strip("/")
    segments = [unquote(segment) for segment in inside.split("/")] if inside else []
    query = dict(parse_qsl(search.removeprefix("?"), keep_blank_values=True))
    base = _with_query(query)
    match segments:
        case []:
            return base
        case ["key"]:
            return replace(base, page="key")
        case ["key", keyspace]:
            return replace(base, page="key", keyspace=keyspace, key=query.get("key"))
        case ["key", keyspace, key]:
            return replace(base, page="key", keyspace=keyspace, key=key)
        case [page] if page in PLAIN:
            return replace(base, page=page)
        case ["invalidation"]:
            return replace(base, page="invalidation", invalidation=query.get("id", ""))
        case ["invalidation" | "invalidations", id]:
            return replace(base, page="invalidation", invalidation=id)
        case ["objectives", name]:
            return replace(base, page="objective", objective=name)
        case ["reports", name, week]:
            return replace(base, page="report", report=name, week=week)
    return None


def _with_query(query: Mapping[str, str]) -> Address:
    since_ns, until_ns = _instant(query.get("from", "")), _instant(query.get("to", ""))
    if since_ns is None or until_ns is None or since_ns >= until_ns:
        since_ns = until_ns = None
    named = query.get("range", DEFAULT_RANGE)
    read = query.get("read", "")
    return Address(
        range=named if named in RANGES else DEFAULT_RANGE,
        since_ns=since_ns,
        until_ns=until_ns,
        layer=query.get("layer") or None,
        node=query.get("node") or None,
        only_keyspace=query.get("keyspace") or None,
        read=int(read) if read.isascii() and read.isdigit() and len(read) < 19 else None,
        search=query.get("q", ""),
        silence=query.get("silence", ""),
    )


def _instant(text: str) -> int | None:
    """An ISO 8601 instant, UTC where it names no zone, as Unix nanoseconds."""
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return None
    zoned = read if read.tzinfo else read.replace(tzinfo=UTC)
    try:
        return int(zoned.timestamp() * 1_000) * 1_000_000
    except (OverflowError, ValueError):
        return None
