"""What every engine does with groups, silences and acknowledgements."""

from dataclasses import replace

import pytest

from store.alert_book import GroupRow, ToldRow
from store.base import Store, StoreError
from store.silences import AckRow, Matcher, SilenceRow
from tests.store.rows import alert, notification

GROUP = GroupRow(
    '["sre",{"rule":"lag"}]', "sre", {"rule": "lag"}, 10, 40, 1, "n1", {"a1": ToldRow(5, "{}")}
)
SILENCE = SilenceRow(
    "s1", (Matcher("node", "=~", "é.*"), Matcher("rule", "!=", "")), "ana", "a deploy", 100, 200, 90
)


def test_a_group_comes_back_as_it_was_and_is_replaced(store: Store) -> None:
    fresh = replace(GROUP, id="b", told_at_ns=None, times=0, thread="", told={})
    store.write_alerts([], [], [], [fresh, GROUP])
    assert store.groups() == [GROUP, fresh]
    store.write_alerts([], [], [], [replace(GROUP, times=2)], over=["b"])
    assert store.groups() == [replace(GROUP, times=2)]


def test_a_group_and_what_it_owes_are_one_write(store: Store) -> None:
    with pytest.raises(StoreError, match="64 bits"):
        store.write_alerts([], [], [notification("n1", next_at_ns=2**63)], [GROUP])
    assert (store.groups(), store.notifications()) == ([], [])


def test_a_silence_comes_back_as_it_was(store: Store) -> None:
    store.write_silence(SILENCE)
    assert store.silences() == [SILENCE]


def test_silences_are_those_that_end_after_an_instant_the_last_first(store: Store) -> None:
    for id, ends in (("a", 200), ("b", 300), ("c", 250)):
        store.write_silence(replace(SILENCE, id=id, ends_at_ns=ends))
    assert [each.id for each in store.silences()] == ["b", "c", "a"]
    assert [each.id for each in store.silences(200)] == ["b", "c"]


@pytest.mark.parametrize(
    ("at_ns", "ended"),
    [
        pytest.param(150, replace(SILENCE, ends_at_ns=150), id="while it is active"),
        pytest.param(95, replace(SILENCE, starts_at_ns=95, ends_at_ns=95), id="before it begins"),
        pytest.param(500, SILENCE, id="after its end"),
    ],
)
def test_a_silence_is_ended(store: Store, at_ns: int, ended: SilenceRow) -> None:
    store.write_silence(SILENCE)
    assert store.end_silence("s1", at_ns) == ended
    assert store.silences() == [ended]


def test_nobody_ends_what_is_not_there(store: Store) -> None:
    assert store.end_silence("s1", 100) is None


def test_an_acknowledgement_is_of_one_firing_and_stays(store: Store) -> None:
    store.write_alerts([alert("a1", firing_since_ns=100)], [], [])
    first = AckRow("a1", 100, "ana", "on it", 120)
    store.acknowledge(AckRow("a1", 50, "bob", "", 60))
    store.acknowledge(first)
    store.acknowledge(replace(first, by="bob"))
    assert store.acks() == [first]
    store.write_alerts([alert("a1", state="resolved", resolved_at_ns=130)], [], [])
    assert store.acks() == [first]
    store.write_alerts([alert("a1", firing_since_ns=140)], [], [])
    assert store.acks() == []
