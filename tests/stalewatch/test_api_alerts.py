"""Alerts over a real server and store: what is kept is what is answered, and it is documented."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from store.sqlite import SqliteStore
from tests.stalewatch.serving import Visitor, make_app, served
from tests.store.rows import alert, notification, transition

API = "/api/v1/alerts"
PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text()


@pytest.fixture
def visitor() -> Iterator[Visitor]:
    """A server with two alerts, a transition of each, and what they owe."""
    store = SqliteStore()
    store.write_alerts(
        [alert("a1"), alert("a2", state="resolved", resolved_at_ns=200, value=None)],
        [transition("a1", 100), transition("a2", 200, before="firing", after="resolved")],
        [notification("n1"), notification("n2", alerts=("a2",), kind="all-resolved")],
    )
    with served(make_app(store)) as port:
        yield Visitor(port)
    store.close()


def test_alerts_are_listed_with_their_clocks(visitor: Visitor) -> None:
    answer = visitor.json(API)
    firing, resolved = answer["items"]
    assert answer["next"] is None
    assert (firing["id"], firing["state"], firing["reason"]) == ("a1", "firing", "over-limit")
    assert firing["labels"] == {"layer": "regional", "node": "r1"}
    assert firing["firing_since"] == "1970-01-01T00:00:00.000000100Z"
    assert (firing["firing_since_ns"], firing["resolved_at"]) == (100, None)
    assert (resolved["value"], resolved["resolved_at_ns"]) == (None, 200)


def test_transitions_newest_first_of_one_alert_or_of_all(visitor: Visitor) -> None:
    everything = visitor.json(f"{API}/transitions")["items"]
    assert [(step["alert"], step["after"]) for step in everything] == [
        ("a2", "resolved"),
        ("a1", "firing"),
    ]
    assert visitor.json(f"{API}/transitions?alert=a1")["items"] == everything[1:]
    assert visitor.json(f"{API}/transitions?limit=1")["items"] == everything[:1]


def test_notifications_by_alert_and_state(visitor: Visitor) -> None:
    (one,) = visitor.json(f"{API}/notifications?alert=a2")["items"]
    assert (one["id"], one["kind"], one["state"]) == ("n2", "all-resolved", "owed")
    assert visitor.json(f"{API}/notifications?state=dead")["items"] == []


@pytest.mark.parametrize("bad", ["transitions?limit=501", "notifications?state=lost", "?x=1"])
def test_what_cannot_be_asked_is_refused(visitor: Visitor, bad: str) -> None:
    assert visitor.get(f"{API}/{bad}".replace("/?", "?")).status_code == 400


def test_every_field_is_documented(visitor: Visitor) -> None:
    documented = set(re.findall(r"`([a-z_]+)`", PAGE))
    lists = (API, f"{API}/transitions", f"{API}/notifications")
    fields = {name for path in lists for item in visitor.json(path)["items"] for name in item}
    assert fields - documented == set()
