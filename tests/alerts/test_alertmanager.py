"""A real Alertmanager is told of states, groups them, resolves them, and posts what we post too."""

import json
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from alerts.alertmanager import (
    RESOLVED_FOR_NS,
    Accepted,
    AlertmanagerChannel,
    AlertmanagerOptions,
    accepted_of,
    due,
    is_told,
    postable,
)
from alerts.base import ChannelError
from alerts.webhook import payload
from settings import WebUrl
from stalewatch.clock import wall_ns
from store.alert_book import AlertRow
from tests.alerts.hooks import R1, R2, UI, S, group, owed
from tests.collectors.web import Web, saying, serving
from tests.servers import AlertmanagerServer, eventually, free_port
from tests.store import rows

CONFIG = """\
route: {{receiver: hook, group_by: [alertname, layer], group_wait: 100ms, group_interval: 1s}}
receivers:
- name: hook
  webhook_configs: [{{url: "http://127.0.0.1:{port}/", send_resolved: true}}]
"""
RESEND_NS = 60 * S


@pytest.fixture(scope="module")
def hook() -> Iterator[Web]:
    with serving(lambda _: (200, {}, b"")) as web:
        yield web


@pytest.fixture(scope="module")
def server(hook: Web) -> Iterator[AlertmanagerServer]:
    with AlertmanagerServer(CONFIG.format(port=hook.port)) as running:
        yield running


def channel(*urls: str, **more: Any) -> AlertmanagerChannel:
    return AlertmanagerChannel(AlertmanagerOptions.model_validate({"urls": urls, **more}), UI)


def firing(node: str, rule: str = "lag", **changes: Any) -> AlertRow:
    since_ns = wall_ns() - 60 * S
    labels = {"layer": "edge", "node": node}
    given: dict[str, Any] = {"firing_since_ns": since_ns, "rule": rule, "labels": labels}
    return rows.alert(f"{rule}-{node}", **{**given, **changes})


def resolved(row: AlertRow) -> AlertRow:
    return replace(row, state="resolved", resolved_at_ns=wall_ns() - S)


def seen(server: AlertmanagerServer, rule: str) -> list[dict[str, Any]]:
    """The alerts of a rule, as the server lists them."""
    asked = urllib.parse.urlencode({"filter": f'alertname="{rule}"'})
    with urllib.request.urlopen(f"{server.url}/api/v2/alerts?{asked}") as answer:
        return list(json.load(answer))


def posted(hook: Web, rule: str) -> list[dict[str, Any]]:
    """What the server has posted of a rule."""
    told = [json.loads(asked.body) for asked in hook.asked]
    return [each for each in told if each["groupLabels"].get("alertname") == rule]


async def test_it_takes_an_alert_and_keeps_its_identity(server: AlertmanagerServer) -> None:
    told, url = channel(server.url), WebUrl(server.url)
    row = firing("r1", "identity")
    await told.post(url, [row], wall_ns())
    await told.post(url, [replace(row, summary="r1 lags by 9 s", value=9.0)], wall_ns())
    (alert,) = seen(server, "identity")
    assert alert["labels"] == {"alertname": "identity", "layer": "edge", "node": "r1"}
    assert alert["annotations"]["summary"] == "r1 lags by 9 s"
    assert alert["startsAt"] < alert["updatedAt"] < alert["endsAt"]
    assert alert["generatorURL"] == f"{UI}alerts/a"


async def test_it_groups_and_resolves(server: AlertmanagerServer, hook: Web) -> None:
    told, url = channel(server.url), WebUrl(server.url)
    one, two = firing("r1"), firing("r2")
    await told.post(url, [one, two], wall_ns())
    await eventually(lambda: posted(hook, "lag"), "a group is posted")
    assert len(posted(hook, "lag")[0]["alerts"]) == 2
    await told.post(url, [resolved(one), resolved(two)], wall_ns())
    await eventually(lambda: posted(hook, "lag")[-1]["status"] == "resolved", "it is resolved")


async def test_our_webhook_posts_what_it_posts(server: AlertmanagerServer, hook: Web) -> None:
    one, two = firing("r1", "edge-stale"), firing("r2", "edge-stale")
    told, url = channel(server.url), WebUrl(server.url)
    await told.post(url, [one, two], wall_ns())
    await told.post(url, [resolved(two)], wall_ns())
    await eventually(
        lambda: [each for each in posted(hook, "edge-stale") if _fates(each) == FATES], "both fates"
    )
    theirs = next(each for each in posted(hook, "edge-stale") if _fates(each) == FATES)
    alerts = [
        replace(R1, labels=one.labels, since_ns=one.firing_since_ns or 0),
        replace(R2, labels=two.labels, since_ns=two.firing_since_ns or 0),
    ]
    ours = json.loads(json.dumps(payload(group(*alerts), "hook", UI, 10)))
    assert _shape(ours) == _shape(theirs)
    for name in ("version", "receiver", "status", "groupLabels", "groupKey", "commonLabels"):
        assert ours[name] == theirs[name], name
    for name in ("labels", "fingerprint", "status", "startsAt"):
        mine = [_moment(each[name]) for each in ours["alerts"]]
        assert mine == [_moment(each[name]) for each in theirs["alerts"]], name
    assert ours["alerts"][0]["endsAt"] == theirs["alerts"][0]["endsAt"] == "0001-01-01T00:00:00Z"


FATES = ["firing", "resolved"]


def _fates(told: dict[str, Any]) -> list[str]:
    return sorted(each["status"] for each in told["alerts"])


def _shape(value: Any) -> Any:
    """Keys and types; which labels and annotations there are is not part of it."""
    if isinstance(value, dict):
        free = {"labels", "annotations", "groupLabels", "commonLabels", "commonAnnotations"}
        return {key: dict if key in free else _shape(each) for key, each in value.items()}
    return _shape(value[0]) if isinstance(value, list) else type(value)


def _moment(text: object) -> object:
    """Without trailing zeros, which Go leaves out."""
    return text.rstrip("0Z").rstrip(".") if isinstance(text, str) and "T" in text else text


async def test_names_that_are_hostile_are_taken(server: AlertmanagerServer) -> None:
    keys = ["a\nb", "\ud800", "x" * 100_000, '"{}\\', "<!channel>", "\x00", "日本"]
    told = [
        firing(f"r{n}", "hostile", labels={"key": key, "node": f"r{n}", "1 b-c": "x"})
        for n, key in enumerate(keys)
    ]
    await channel(server.url).post(WebUrl(server.url), told, wall_ns())
    assert len(seen(server, "hostile")) == len(keys)


async def test_check_greets_every_replica(server: AlertmanagerServer) -> None:
    assert (await channel(server.url, f"{server.url}/").greet()).startswith("alertmanager 0.")
    gone = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(ChannelError, match=f"{gone}: connection refused"):
        await channel(server.url, gone).greet()
    with (
        saying(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}") as port,
        pytest.raises(ChannelError, match="no Alertmanager"),
    ):
        await channel(f"http://127.0.0.1:{port}").greet()


async def test_it_takes_no_notification() -> None:
    outcome = await channel("http://a.test").deliver(owed(group(), ["mail@example.com"]))
    assert [refusal.is_final for refusal in outcome.refused] == [True]


AT = 1_800_000_000 * S


@pytest.mark.parametrize(
    ("changes", "is_it"),
    [
        pytest.param({}, True, id="it fires"),
        pytest.param({"is_frozen": True}, True, id="frozen, it fires as before"),
        pytest.param({"state": "pending"}, False, id="it waits"),
        pytest.param({"state": "inactive"}, False, id="nothing is wrong"),
        pytest.param({"state": "resolved", "resolved_at_ns": AT}, True, id="just resolved"),
        pytest.param(
            {"state": "resolved", "resolved_at_ns": AT - RESOLVED_FOR_NS}, False, id="long resolved"
        ),
    ],
)
def test_which_alerts_are_told(changes: dict[str, Any], is_it: bool) -> None:
    assert is_told(rows.alert("a1", **changes), AT) == is_it


def test_a_timeline_of_one_alert_and_one_replica() -> None:
    """Told at once, again each interval, on a change at once, and never twice in between."""
    row = rows.alert("a1", firing_since_ns=AT)
    accepted: dict[str, Accepted] = {}
    told: list[tuple[int, str]] = []
    for second in range(0, 700, 5):
        now_ns = AT + second * S
        if second == 200:
            row = replace(row, state="resolved", resolved_at_ns=now_ns)
        for each in due([row], accepted, now_ns, RESEND_NS):
            told.append((second, each.state))
            accepted[each.id] = accepted_of(each, now_ns)
    assert [second for second, state in told if state == "firing"] == [0, 60, 120, 180]
    assert [second for second, state in told if state == "resolved"] == [200, 260, 320, 380, 440]


def test_a_new_firing_is_told_at_once() -> None:
    row = rows.alert("a1", firing_since_ns=AT)
    accepted = {"a1": accepted_of(row, AT)}
    assert due([replace(row, firing_since_ns=AT + S)], accepted, AT + S, RESEND_NS)


def test_a_clock_that_was_set_back_silences_nothing() -> None:
    row = rows.alert("a1", firing_since_ns=AT)
    accepted = {"a1": accepted_of(row, AT)}
    assert due([row], accepted, AT - 3600 * S, RESEND_NS)


def test_the_end_of_what_fires_lies_ahead() -> None:
    row = rows.alert("a1", firing_since_ns=AT)
    told = postable(row, AT + S, RESEND_NS, UI)
    assert told["endsAt"] == "2027-01-15T08:03:01.000000000Z"
    over = replace(row, state="resolved", resolved_at_ns=AT + S)
    assert postable(over, AT + 9 * S, RESEND_NS, UI)["endsAt"] == "2027-01-15T08:00:01.000000000Z"
