"""Which alerts a silence is over, and what no matcher may be."""

import pytest

from store.matching import (
    check_matchers,
    is_matched,
    labels_of,
    parse_matcher,
    silences_over,
    standing,
    write_matcher,
)
from store.silences import Matcher, MatcherOp, SilenceRow
from tests.store.rows import alert

LABELS = {"node": "edge-eu-1", "key": "a\nb"}


@pytest.mark.parametrize(
    ("name", "op", "value", "is_over"),
    [
        pytest.param("node", "=", "edge-eu-1", True, id="equal"),
        pytest.param("node", "=", "edge-eu", False, id="a part is not equal"),
        pytest.param("node", "!=", "edge-eu-2", True, id="not equal"),
        pytest.param("node", "=~", "edge-(eu|us)-[0-9]+", True, id="an expression"),
        pytest.param("node", "=~", "edge", False, id="an expression is of the whole value"),
        pytest.param("node", "=~", "x|edge-eu-1", True, id="alternatives are anchored too"),
        pytest.param("node", "!~", "edge-us.*", True, id="not an expression"),
        pytest.param("node", "!~", "edge-eu.*", False, id="not one that matches"),
        pytest.param("key", "=~", "a.b", True, id="a line end is a character"),
        pytest.param("zone", "=", "", True, id="what is not there is empty"),
        pytest.param("zone", "!=", "a", True, id="what is not there is not a"),
        pytest.param("zone", "=~", ".+", False, id="what is not there has no character"),
    ],
)
def test_a_matcher(name: str, op: MatcherOp, value: str, is_over: bool) -> None:
    assert is_matched([Matcher(name, op, value)], LABELS) is is_over


def test_all_matchers_must_hold() -> None:
    matchers = [Matcher("node", "=", "edge-eu-1"), Matcher("key", "=", "b")]
    assert not is_matched(matchers, LABELS)


def test_a_name_that_is_no_text_is_matched_all_the_same() -> None:
    assert is_matched([Matcher("node", "=~", "a.*")], {"node": "a\ud800"})


@pytest.mark.parametrize("expression", ["(a+)+$", "(a|a)*b", "(a?){100}a{100}", ".*.*.*.*.*.*b"])
def test_an_expression_that_no_backtracking_ever_ends_is_answered(expression: str) -> None:
    assert not is_matched([Matcher("node", "=~", expression)], {"node": "a" * 5_000 + "c"})


@pytest.mark.parametrize(
    ("text", "matcher"),
    [
        ("node=n1", Matcher("node", "=", "n1")),
        (" node != n1 ", Matcher("node", "!=", "n1")),
        ("node=~a=b", Matcher("node", "=~", "a=b")),
        ("node!~a", Matcher("node", "!~", "a")),
        ("node=", Matcher("node", "=", "")),
        (r'key="a\nb "', Matcher("key", "=", "a\nb ")),
        (r'key="\"q\""', Matcher("key", "=", '"q"')),
    ],
)
def test_a_matcher_is_read_and_written(text: str, matcher: Matcher) -> None:
    assert parse_matcher(text) == matcher
    assert parse_matcher(write_matcher(matcher)) == matcher
    assert "\n" not in write_matcher(matcher)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("node", "expected name=value", id="no operator"),
        pytest.param("=x", "expected name=value", id="no name"),
        pytest.param('node="x', "quotes", id="an open quote"),
        pytest.param("node=~(", "RE2", id="an open group"),
        pytest.param(r"node=~(a)\1", "RE2", id="a reference back"),
        pytest.param("node=" + "x" * 501, "at most 500", id="too long"),
    ],
)
def test_what_is_no_matcher_is_said_to_be_none(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse_matcher(text)


@pytest.mark.parametrize(
    "matchers",
    [
        pytest.param([], id="none"),
        pytest.param([Matcher("node", "=~", ".*")], id="anything"),
        pytest.param([Matcher("node", "!=", "x"), Matcher("zone", "=", "")], id="anything but x"),
        pytest.param([Matcher("node", "=", "x")] * 21, id="too many"),
    ],
)
def test_a_silence_is_not_over_everything(matchers: list[Matcher]) -> None:
    with pytest.raises(ValueError, match="expected"):
        check_matchers(matchers)


def test_a_silence_is_over_alerts_while_it_is_active_alone() -> None:
    row = SilenceRow("s1", (Matcher("rule", "=", "regional-lag"),), "ana", "why", 100, 200, 90)
    over = {now: (standing(row, now), bool(silences_over(alert("a1"), [row], now))) for now in
            (99, 100, 199, 200)}  # fmt: skip
    assert over == {
        99: ("coming", False), 100: ("active", True), 199: ("active", True), 200: ("ended", False),
    }  # fmt: skip
    assert labels_of(alert("a1"))["rule"] == "regional-lag"
