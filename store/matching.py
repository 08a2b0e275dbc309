"""Which alerts a silence is over: pure, and read by the engine, the pages and the API alike.

Regular expressions are RE2's, which take time in proportion to the text whoever wrote them, and
must match a whole value.
Source: Alertmanager, pkg/labels/matcher.go, for the operators and for labels that are not there.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, Literal

import re2

from store.alert_book import AlertRow
from store.silences import AckRow, Matcher, MatcherOp, SilenceRow

RULE: Final = "rule"
"""The label by which the name of an alert's rule is matched."""
MOST_MATCHERS: Final = 20
LONGEST: Final = 500
"""Characters of a name, a value or an expression."""
_MATCHER: Final = re.compile(r"\s*([^\s=!~]+)\s*(=~|!~|!=|=)\s*(.*?)\s*", re.DOTALL)
_OP_OF: Final[Mapping[str, MatcherOp]] = {"=": "=", "!=": "!=", "=~": "=~", "!~": "!~"}
_MOST_MEMORY: Final = 1 << 20
Standing = Literal["active", "coming", "ended"]


def parse_matcher(text: str) -> Matcher:
    """Read `name=value`, with `!=`, `=~` or `!~` too; a value may stand in quotes, as JSON text.

    Raises ValueError, and says what was expected.
    """
    read = _MATCHER.fullmatch(text)
    if read is None:
        raise ValueError(f"{text[:80]!r}: expected name=value, name!=value, name=~regex or !~")
    name, op, value = read.groups()
    if value.startswith('"'):
        try:
            value = json.loads(value)
        except ValueError:
            raise ValueError(f"{text[:80]!r}: the quotes around the value do not close") from None
    matcher = Matcher(name, _OP_OF[op], value)
    check_matchers([matcher], is_whole=False)
    return matcher


def write_matcher(matcher: Matcher) -> str:
    """As `parse_matcher` reads it: on one line, whatever the value is."""
    value = matcher.value
    is_plain = value == value.strip() and value.isprintable() and not value.startswith('"')
    return f"{matcher.name}{matcher.op}{value if is_plain else json.dumps(value)}"


def check_matchers(matchers: Sequence[Matcher], *, is_whole: bool = True) -> None:
    """Raise ValueError for what cannot be meant: nothing to match by, or an expression that fails.

    A whole silence needs a matcher that the empty text fails, or it would be over everything.
    """
    for each in matchers:
        if not each.name or max(len(each.name), len(each.value)) > LONGEST:
            raise ValueError(f"expected a name and a value of at most {LONGEST} characters")
        if each.op in ("=~", "!~"):
            _check_expression(each.value)
    if is_whole and not 0 < len(matchers) <= MOST_MATCHERS:
        raise ValueError(f"expected 1 to {MOST_MATCHERS} matchers")
    if is_whole and all(_holds(each, "") for each in matchers):
        raise ValueError("expected a matcher that does not match everything, such as node=n1")


def labels_of(alert: AlertRow) -> Mapping[str, str]:
    """What matchers look at: the labels, and the rule."""
    return {**alert.labels, RULE: alert.rule}


def is_matched(matchers: Iterable[Matcher], labels: Mapping[str, str]) -> bool:
    """Whether all hold."""
    return all(_holds(each, labels.get(each.name, "")) for each in matchers)


def standing(silence: SilenceRow, now_ns: int) -> Standing:
    """How a silence stands to time."""
    if now_ns >= silence.ends_at_ns:
        return "ended"
    return "active" if now_ns >= silence.starts_at_ns else "coming"


def silences_over(
    alert: AlertRow, silences: Iterable[SilenceRow], now_ns: int
) -> Sequence[SilenceRow]:
    """The silences that keep an alert from being told."""
    labels = labels_of(alert)
    return [
        each
        for each in silences
        if standing(each, now_ns) == "active" and is_matched(each.matchers, labels)
    ]


def ack_of(alert: AlertRow, acks: Iterable[AckRow]) -> AckRow | None:
    """Who has acknowledged this firing; an earlier one does not count."""
    firing = (alert.id, alert.firing_since_ns)
    return next((each for each in acks if (each.alert, each.firing_since_ns) == firing), None)


def _holds(matcher: Matcher, value: str) -> bool:
    match matcher.op:
        case "=":
            return value == matcher.value
        case "!=":
            return value != matcher.value
        case "=~":
            return _is_full_match(matcher.value, value)
        case "!~":
            return not _is_full_match(matcher.value, value)


def _is_full_match(expression: str, value: str) -> bool:
    # A lone surrogate has no UTF-8.
    text = value.encode("utf-8", "replace").decode()
    return _compiled(expression).fullmatch(text) is not None


def _check_expression(expression: str) -> None:
    try:
        _compiled(expression)
    except (re2.error, UnicodeError) as error:
        why = error.args[0] if error.args else "cannot be read"
        why = why.decode(errors="replace") if isinstance(why, bytes) else why
        raise ValueError(f"{expression[:80]!r} is no regular expression of RE2: {why}") from None


@lru_cache(maxsize=256)
def _compiled(expression: str) -> Any:
    options = re2.Options()
    options.dot_nl = True
    options.log_errors = False
    options.max_mem = _MOST_MEMORY
    return re2.compile(expression, options=options)
