"""What a webhook is posted: the labels and words of alerts, and what stands in neither."""

import json
from dataclasses import replace

import pytest

from alerts.base import Message
from alerts.labelled import LONGEST_LABEL, fingerprint, instant, labels_of, written
from alerts.webhook import payload
from tests.alerts.hooks import R1, R2, START, UI, S, group

LINK = UI + R1.link


def test_an_alert_is_its_labels_and_tells_its_words() -> None:
    assert written(R1, UI) == {
        "status": "firing",
        "labels": {"alertname": "edge-stale", "key": "42", "layer": "edge", "node": "r1"},
        "annotations": {
            "summary": R1.summary,
            "reason": R1.reason,
            "cause": R1.cause,
            "figures": "staleness: 4.1 – 4.3 s; maximum: 2 s",
            "evidence": '{"type":"write","version":7}\n{"type":"cache_read","version":6}',
            "finding": "f-12ab",
        },
        "startsAt": instant(R1.since_ns),
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": LINK,
        "fingerprint": fingerprint(labels_of(R1.rule, R1.labels)),
    }
    assert written(R2, UI)["endsAt"] == "2027-01-15T08:00:00.000000000Z"


def test_an_identity_holds_no_value() -> None:
    other = replace(
        R1, summary="edge holds it for 9 s", figures={"staleness": "9 s"}, at_ns=START + S,
        evidence=["another"], reason="another", cause="another", finding="f-2", link="x?to=2",
    )  # fmt: skip
    one, two = written(R1, UI), written(other, UI)
    assert (one["labels"], one["fingerprint"]) == (two["labels"], two["fingerprint"])
    assert one["annotations"] != two["annotations"]


@pytest.mark.parametrize(
    ("one", "two"),
    [
        pytest.param({"key": "a" * 5000}, {"key": "a" * 4999 + "b"}, id="differ at the end"),
        pytest.param({"key": "\ud800"}, {"key": "\ud801"}, id="not text"),
        pytest.param({"key": "a\n"}, {"key": "a"}, id="a line end"),
        pytest.param({"key": "node"}, {"node": "key"}, id="names and values"),
    ],
)
def test_two_alerts_stay_two(one: dict[str, str], two: dict[str, str]) -> None:
    pair = [labels_of("r", each) for each in (one, two)]
    assert fingerprint(pair[0]) != fingerprint(pair[1])
    for labels in pair:
        assert all(len(value) <= LONGEST_LABEL for value in labels.values())
        json.dumps(labels, ensure_ascii=False).encode()


def test_a_group_is_firing_while_one_of_it_is() -> None:
    told = payload(group(R2, R1), "sre", UI, 10)
    assert (told["version"], told["receiver"], told["status"]) == ("4", "sre", "firing")
    assert [one["status"] for one in told["alerts"]] == ["firing", "resolved"]
    assert told["groupLabels"] == {"alertname": "edge-stale", "layer": "edge"}
    assert told["groupKey"] == '{}:{alertname="edge-stale", layer="edge"}'
    assert told["commonLabels"] == {"alertname": "edge-stale", "layer": "edge"}
    assert "summary" in told["commonAnnotations"]
    assert "reason" not in told["commonAnnotations"]
    assert told["externalURL"] == UI.rstrip("/")
    assert payload(group(R2), "sre", UI, 10)["status"] == "resolved"


def test_what_is_left_out_is_counted_and_resolved_first() -> None:
    many = [replace(R2, labels={"node": f"r{n}"}) for n in range(5)]
    told = payload(group(*many, R1), "sre", UI, 3)
    assert (len(told["alerts"]), told["truncatedAlerts"]) == (3, 3)
    assert told["alerts"][0]["status"] == "firing"


def test_hostile_text_is_shown_and_does_nothing() -> None:
    hostile = replace(R1, summary="a\u202eb\x1b[31m https://evil.test", link="//evil.test/x")
    told = written(hostile, UI)
    assert told["annotations"]["summary"] == "a\\u202eb\\x1b[31m https[:]//evil[.]test"
    assert told["generatorURL"].startswith(UI)


def test_what_was_written_before_there_were_groups_is_a_group_of_one() -> None:
    old = {
        "rule": "edge-stale", "summary": "stale", "reason": "clear for its time", "at_ns": START,
        "since_ns": START - S, "labels": {"node": "r1"}, "figures": {}, "evidence": [],
        "cause": "", "link": "", "finding": "",
    }  # fmt: skip
    message = Message.from_payload(json.dumps(old))
    (told,) = message.alerts
    assert (told.status, told.ends_at_ns, message.occasion) == ("resolved", START, "all-resolved")
    firing = {**old, "reason": "the condition held for its time"}
    assert Message.from_payload(json.dumps(firing)).alerts[0].status == "firing"


def test_a_message_comes_back_as_it_was() -> None:
    message = group(R1, R2)
    again = Message.from_payload(message.to_payload())
    assert again == replace(message, alerts=[R1, R2])
