"""What a chat is told, and what hostile names cannot make it do."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from alerts.base import ToldAlert
from alerts.slack import MOST_ALERTS, chat_message, inert
from tests.alerts.hooks import R1, R2, UI, group, owed

HOSTILE = [
    pytest.param("<!channel> <!here> <@U012AB3CD> <#C1> <!subteam^S1>", id="mentions of Slack"),
    pytest.param("@channel @all @here @sre", id="mentions of Mattermost"),
    pytest.param("<https://evil.test|click>", id="a link of Slack"),
    pytest.param("[click](https://evil.test) ![x](//evil.test/x.png)", id="a link of Markdown"),
    pytest.param("[click](/logout)", id="a link to the chat itself"),
    pytest.param("https://evil.test/login www.evil.test", id="addresses"),
    pytest.param("```\n*bold* _it_ ~no~ `code`\n> quote\n# head", id="markup"),
    pytest.param("&lt;!channel&gt; &amp;", id="escaped already"),
    pytest.param("\u202egnp\u2066\u200b\x00\x1b[31m\u2028\ud800", id="control characters"),
    pytest.param("x" * 100_000, id="very long"),
]


def said(*alerts: ToldAlert, occasion: str = "first") -> dict[str, Any]:
    return chat_message(owed(group(*alerts, occasion=occasion), ["chat"], "n7"), UI)


def texts(value: object) -> list[str]:
    """Every text in it but links of ours."""
    if isinstance(value, dict):
        return [text for key, each in value.items() if key != "title_link" for text in texts(each)]
    if isinstance(value, list):
        return [text for each in value for text in texts(each)]
    return [value] if isinstance(value, str) else []


def test_it_says_what_broke_with_figures_cause_and_evidence() -> None:
    message = said(R1)
    assert message["text"] == "*Firing*: edge-stale, edge"
    (one,) = message["attachments"]
    assert one["color"] == "danger"
    assert one["title"] == f"Firing: {R1.summary}"
    assert one["fallback"] == f"FIRING: {R1.summary}"
    assert one["title_link"] == UI + R1.link
    assert "Cause: lost invalidation" in one["text"]
    assert {"title": "node", "value": "r1", "short": True} in one["fields"]
    assert {"title": "maximum", "value": "2 s", "short": True} in one["fields"]
    assert one["footer"] == "Stalewatch · edge-stale · n7"


def test_what_fires_comes_first_and_what_is_new_before_that() -> None:
    known = replace(R1, is_news=False, summary="known")
    message = said(R2, known, R1, occasion="new-member")
    assert message["text"].startswith("*More firing*")
    assert [one["title"] for one in message["attachments"]] == [
        f"Firing: {R1.summary}",
        "Firing: known",
        f"Resolved: {R2.summary}",
    ]


def test_a_big_group_is_cut_and_says_so() -> None:
    message = said(*[replace(R1, id=str(n)) for n in range(50)])
    assert len(message["attachments"]) == MOST_ALERTS
    assert message["text"].endswith(f"(the first {MOST_ALERTS} of 50)")


@pytest.mark.parametrize("text", HOSTILE)
def test_a_name_pings_nobody_and_links_nowhere(text: str) -> None:
    hostile = replace(
        R1, rule=text, summary=text, reason=text, cause=text, evidence=[text] * 100,
        labels={text: text}, figures={text: text}, link=text, finding=text,
    )  # fmt: skip
    message = replace(group(hostile), group={"rule": text, "node": text})
    made = chat_message(owed(message, ["chat"], "n7"), UI)
    for shown in texts(made):
        assert not re.search(r"[<>]|&(?!amp;|lt;|gt;)|@(?!\])|\]\(|://|www\.", shown), shown
        assert not re.search("[\u200b-\u200f\u2028-\u202e\u2066-\u2069\x00-\x09\x0b-\x1f]", shown)
    for one in made["attachments"]:
        assert one.get("title_link", UI).startswith(UI)
        assert one["text"].count("```") == 2
    assert len(json.dumps(made)) < 20_000


def test_inert_text_is_one_line() -> None:
    assert inert("a\nb") == "a\\x0ab"
