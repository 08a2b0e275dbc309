"""What is not as documented: proven, suggested, or not to be told."""

from dataclasses import replace

import pytest

from alerts.look import Condition
from alerts.rules import ConfigDrift
from freshness.config_drift import Conformity, Kind, Standing
from store.config_drift import DriftRow
from store.sqlite import SqliteStore
from tests.store.rows import S

NOW = 1_800_000_000 * S
RULE = ConfigDrift(name="said")
TTL = Conformity(Kind.TTL, Standing.DRIFTS, "longer", "an entry had 90 s left", True, {}, ("42",))
HINT = TTL._replace(kind=Kind.MECHANISM, is_proof=False, said="copies lived until their end")
FINE = Conformity(Kind.ADDRESSING, Standing.HOLDS, "found", "9 of 9 reads found a copy")
FEW = Conformity(Kind.SUBSCRIPTION, Standing.UNKNOWN, "too-few", "too few messages")


def row(result: Conformity, layer: str = "regional") -> DriftRow:
    return DriftRow(layer, "product", "", "60 s", result)


@pytest.mark.parametrize(
    ("found", "wants", "with_hints"),
    [
        pytest.param([FINE, FEW], Condition.CLEAR, Condition.CLEAR, id="as documented"),
        pytest.param([FINE, TTL], Condition.HOLDS, Condition.HOLDS, id="proven"),
        pytest.param([FINE, HINT], Condition.UNKNOWN, Condition.HOLDS, id="suggested"),
        pytest.param([FEW], Condition.UNKNOWN, Condition.UNKNOWN, id="too little was seen"),
    ],
)
def test_a_layer(found: list[Conformity], wants: Condition, with_hints: Condition) -> None:
    rows = [row(each) for each in found]
    (look,) = RULE.judge(rows, NOW)
    assert (look.condition, look.labels) == (wants, {"layer": "regional"})
    assert replace(RULE, hints=True).judge(rows, NOW)[0].condition is with_hints


def test_each_layer_is_an_alert_of_its_own() -> None:
    rows = [row(TTL), row(FINE, "edge")]
    looks = RULE.judge(rows, NOW)
    assert [(each.labels["layer"], each.condition) for each in looks] == [
        ("edge", Condition.CLEAR),
        ("regional", Condition.HOLDS),
    ]
    (edge,) = replace(RULE, layer="edge").judge(rows, NOW)
    assert edge.labels == {"layer": "edge"}


def test_it_says_what_is_documented_and_what_was_seen() -> None:
    (look,) = RULE.judge([row(TTL)], NOW)
    assert look.summary == "regional is not as documented: ttl (an entry had 90 s left)"
    assert look.evidence == [
        "product/regional: documented is 60 s; ttl (an entry had 90 s left), such as 42"
    ]


def test_a_store_that_documents_nothing_has_nothing_to_compare() -> None:
    store = SqliteStore(":memory:")
    assert RULE.look(store, NOW) == []
    store.close()


def test_it_says_when_it_fires() -> None:
    assert RULE.in_words() == (
        "Fires when a layer is proven to be another than the catalogue documents, by the last 1 h."
    )
