"""How invalidations spread, over a real server and store: claimed beside observed, and unknown."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from freshness.check import CheckCell, CheckKey, Seen
from freshness.model import Value, Verdict
from freshness.rollup import Reads, Rollup, RollupKey
from stalewatch.api.asked import parse_moment
from store.base import Batch, Clock
from store.sqlite import SqliteStore
from tests.stalewatch.serving import Visitor, make_app, served
from tests.store.rows import S, invalidation, node, origin_run, receipt, run

API = "/api/v1"
PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
NOW = 10_000 * S
WALL = Clock(id="w1", wall_offset_ns=0, opened_at_ns=0)
ODD = "evt/7 ☕?#%2F"


def spanning(make: Any, id: int, first: int, last: int, version: int, **changes: Any) -> Any:
    """A run of readings a millisecond long from `first` to `last`, in seconds of wall time."""
    ms = S // 1_000
    stamps = {"first_start_ns": first * S, "first_end_ns": first * S + ms,
              "last_start_ns": last * S, "last_end_ns": last * S + ms}  # fmt: skip
    return make(id, clock="w1", value=Value(version=version), **{**stamps, **changes})


def message(n: int, at_s: int, **changes: Any) -> Any:
    """Sequence n of the shop, written at `at_s` and known to the observer 100 ms later."""
    return invalidation(n, written_at_ns=at_s * S, received_at_ns=at_s * S + S // 10, **changes)


def word(n: int, name: str, at_s: float, **changes: Any) -> Any:
    """A receipt at `at_s`, which reached the observer a second later."""
    at_ns = round(at_s * S)
    span = f"{n:08x}{sum(name.encode()):08x}"
    row = {"at_ns": at_ns, "received_at_ns": at_ns + S, "span_id": span}
    return receipt(n, name, **{**row, **changes})


@pytest.fixture
def store() -> Iterator[SqliteStore]:
    """Two nodes that were probed, and a message of version 5 of product/42 at 9000 s."""
    store = SqliteStore()
    runs = [
        spanning(origin_run, 1, 8_000, 8_999, 4),
        spanning(origin_run, 2, 9_001, 9_900, 5),
        spanning(run, 3, 8_000, 9_000, 4),
        spanning(run, 4, 9_002, 9_900, 5),
        spanning(run, 5, 8_000, 9_900, 4, node="r2"),
    ]
    nodes = [
        node("r1", max_staleness_ns=5 * S),
        node("r2", max_staleness_ns=5 * S),
        node("r3", max_staleness_ns=5 * S, state="gone", since_at_ns=9_500 * S),
        node("e1", "edge", mechanism="ttl", max_staleness_ns=60 * S),
        node("db", layer=""),
    ]
    store.write(Batch(clocks=[WALL], runs=runs, nodes=nodes))
    store.write_messages(
        [message(5, 9_000, id=ODD)],
        [
            word(5, "r1", 9_000.25, invalidation=ODD, host="app-1"),
            word(5, "r1", 9_003, invalidation=ODD, outcome="duplicate", span_id="ab" * 8),
            word(5, "x9", 8_999, invalidation=ODD, layer="moon", is_known=False),
        ],
    )
    yield store
    store.close()


@pytest.fixture
def visitor(store: SqliteStore) -> Iterator[Visitor]:
    with served(make_app(store, now_ns=lambda: NOW)) as port:
        yield Visitor(port)


def at_nodes(visitor: Visitor, id: str = ODD) -> dict[str, Any]:
    found = visitor.json(f"{API}/invalidations/{quote(id, safe='')}")
    return {each["node"]: each for each in found["nodes"]}


def test_one_invalidation_at_each_node(visitor: Visitor) -> None:
    nodes = at_nodes(visitor)
    assert list(nodes) == ["x9", "r1", "r2", "r3"]
    claimed, observed = nodes["r1"]["claimed"], nodes["r1"]["observed"]
    assert (claimed["status"], claimed["reason"], claimed["caveat"]) == (
        "in-time", "within-limit", None,
    )  # fmt: skip
    assert (claimed["lag_ns"], claimed["at_most_ns"]) == (S // 4, None)
    assert (observed["status"], observed["delay_ns"]) == ("in-time", [0, 3 * S + S // 1_000])
    assert [each["outcome"] for each in nodes["r1"]["receipts"]] == ["applied", "duplicate"]


def test_a_probe_proves_what_a_missing_span_does_not(visitor: Visitor) -> None:
    behind = at_nodes(visitor)["r2"]
    assert (behind["observed"]["status"], behind["observed"]["reason"]) == (
        "missing", "probe-still-behind",
    )  # fmt: skip
    assert behind["observed"]["delay_ns"] == [899 * S - S // 1_000, None]
    assert (behind["claimed"]["status"], behind["claimed"]["lag_ns"]) == ("missing", None)


def test_a_node_that_is_gone_and_one_that_nobody_knows(visitor: Visitor) -> None:
    nodes = at_nodes(visitor)
    assert {nodes["r3"][side]["status"] for side in ("claimed", "observed")} == {"gone"}
    stranger = nodes["x9"]
    assert (stranger["is_known"], stranger["is_listed"], stranger["limit_ns"]) == (
        False, False, None,
    )  # fmt: skip
    assert stranger["claimed"]["caveat"] == "clocks-disagree"
    assert stranger["claimed"]["lag_ns"] == -S
    assert stranger["claimed"]["counted_ns"] == [0, 0]


def test_a_layer_without_invalidations_owes_no_receipt(
    store: SqliteStore, visitor: Visitor
) -> None:
    store.write_messages([], [word(5, "e1", 9_001, invalidation=ODD, layer="edge")])
    store.write_messages([message(6, 9_100, keys=("43",))], [])
    assert at_nodes(visitor)["e1"]["claimed"]["status"] == "in-time"
    assert at_nodes(visitor, "i6")["e1"]["claimed"] is None


def test_a_message_without_a_word_is_unknown(store: SqliteStore, visitor: Visitor) -> None:
    probed = Rollup()
    probed.add(Reads(Verdict.FRESH, 0, S))
    cell = RollupKey(9_960, "product", "regional", "r1", "walk", 5 * S, "d1")
    store.write(Batch(rollups={cell: probed}))
    store.write_messages([message(6, 9_100, keys=("43",)), message(7, 9_998, keys=("43",))], [])
    nodes, young = at_nodes(visitor, "i6"), at_nodes(visitor, "i7")
    assert {each["claimed"]["reason"] for each in nodes.values() if each["claimed"]} == {
        "no-word", "not-listed",
    }  # fmt: skip
    assert nodes["r1"]["observed"]["reason"] == "not-probed"
    assert young["r1"]["claimed"]["reason"] == "limit-not-reached"
    assert "r3" not in young  # it was gone before


@pytest.mark.parametrize("change", [{"scope": "tag"}, {"version": None}])
def test_what_has_no_order_is_not_held_against_probes(
    store: SqliteStore, visitor: Visitor, change: dict[str, Any]
) -> None:
    store.write_messages([message(6, 9_100, **change)], [word(6, "r1", 9_101)])
    observed = at_nodes(visitor, "i6")["r1"]["observed"]
    assert (observed["status"], observed["reason"]) == ("unknown", "no-order")


def tell(store: SqliteStore, *, unheard: range | tuple[int, ...], count: int = 60) -> None:
    """A message a second from 9100 s on, each heard by r1, and by r2 unless it is `unheard`."""
    numbers = range(100, 100 + count)
    messages = [message(n, 9_000 + n, keys=("43",)) for n in numbers]
    words = [word(n, "r1", 9_000 + n + 0.1) for n in numbers]
    words += [word(n, "r2", 9_000 + n + 0.2) for n in numbers if n not in unheard]
    store.write_messages(messages, words)


def test_a_gap_in_a_sequence_is_proof(store: SqliteStore, visitor: Visitor) -> None:
    tell(store, unheard=(120, 121))
    lost = at_nodes(visitor, "i120")["r2"]["claimed"]
    assert (lost["status"], lost["reason"]) == ("missing", "sequence-passed")
    age_ns = NOW - (9_120 * S + S // 10)
    assert lost["counted_ns"] == [age_ns, None]
    found = visitor.json(f"{API}/lag?by=node&layer=regional&node=r2")
    [gap] = found["gaps"]
    assert (gap["node"], gap["first"], gap["last"], gap["is_proof"]) == ("r2", 120, 121, True)
    [item] = found["items"]
    assert item["claimed"]["statuses"]["missing"] == 3  # and the one that a probe proves
    assert item["claimed"]["lag_ns"]["p50"] == [S // 5, S // 5]
    assert item["claimed"]["lag_ns"]["max"][1] is None


def test_sampled_spans_prove_nothing(store: SqliteStore, visitor: Visitor) -> None:
    tell(store, unheard=range(100, 160, 3))
    claimed = at_nodes(visitor, "i121")["r2"]["claimed"]
    assert (claimed["status"], claimed["reason"]) == ("unknown", "no-word")
    assert not any(gap["is_proof"] for gap in visitor.json(f"{API}/lag")["gaps"])


def test_a_deaf_node_is_told_from_one_that_never_spoke(
    store: SqliteStore, visitor: Visitor
) -> None:
    tell(store, unheard=range(140, 300), count=120)
    store.write(Batch(nodes=[node("r4")]))
    silent = {each["node"]: each for each in visitor.json(f"{API}/lag")["silent"]}
    assert set(silent) == {"r2", "r4"}
    assert (silent["r2"]["sequence"], silent["r2"]["is_deaf"], silent["r2"]["missed"]) == (
        139, True, 80,
    )  # fmt: skip
    assert silent["r4"]["is_deaf"] is False


def test_messages_come_newest_first_page_by_page(store: SqliteStore, visitor: Visitor) -> None:
    tell(store, unheard=())
    whole = visitor.json(f"{API}/invalidations?limit=500")
    assert whole["next"] is None
    page = visitor.json(f"{API}/invalidations?limit=40")
    rest = visitor.json(f"{API}/invalidations?limit=40&cursor={quote(page['next'])}")
    assert page["items"] + rest["items"] == whole["items"]
    assert len(visitor.json(f"{API}/invalidations?keyspace=product&key=42")["items"]) == 1
    first = whole["items"][0]
    assert parse_moment(first["written_at"]) == first["written_at_ns"]
    [layer] = first["layers"]
    assert (layer["layer"], layer["claimed"]["statuses"]["in_time"]) == ("regional", 2)


def test_lag_by_layer_keeps_the_two_sides_apart(store: SqliteStore, visitor: Visitor) -> None:
    tell(store, unheard=(159,))
    found = visitor.json(f"{API}/lag")
    assert (found["invalidations"], found["is_all"]) == (61, True)
    assert found["read_from_ns"] == 9_000 * S + S // 10
    regional = next(each for each in found["items"] if each["layer"] == "regional")
    assert regional["claimed"]["ranked"] == 121 - 1 + 1
    assert regional["claimed"]["statuses"]["unknown"] == 1
    assert regional["claimed"]["caveats"] == {"two_clocks": 119, "clocks_disagree": 0}
    assert regional["observed"]["ranked"] == 2
    assert regional["observed"]["statuses"]["missing"] == 1


def test_receipts_without_a_message_are_counted(store: SqliteStore, visitor: Visitor) -> None:
    store.write_messages([], [word(77, "r1", 9_800)])
    assert visitor.json(f"{API}/lag")["orphan_receipts"] == {"count": 1, "is_all": True}


def test_late_and_out_of_order_words_give_the_same_account(visitor: Visitor) -> None:
    messages = [message(n, 9_000 + n) for n in range(100, 112)]
    words = [word(n, name, 9_000 + n + 1) for n in range(100, 112) for name in ("r1", "r2")]
    answers = []
    for order in (1, -1):
        store = SqliteStore()
        store.write(Batch(nodes=[node("r1"), node("r2")]))
        for each in words[::order]:
            store.write_messages([], [each])
        for each in messages[::order]:
            store.write_messages([each], [])
        with served(make_app(store, now_ns=lambda: NOW)) as port:
            answers.append(Visitor(port).json(f"{API}/lag?by=node"))
    assert answers[0] == answers[1]
    assert answers[0]["orphan_receipts"]["count"] == 0


def test_made_up_nodes_cost_little_and_hide_none_that_exist(
    store: SqliteStore, visitor: Visitor
) -> None:
    forged = [
        word(5, f"a{n}", 9_001, invalidation=ODD, layer="a", span_id=f"{n:016x}", is_known=False)
        for n in range(1, 301)
    ]
    store.write_messages([], forged)
    found = visitor.json(f"{API}/invalidations/{quote(ODD, safe='')}")
    assert found["left_out"] == 201  # with the one on the moon
    assert {"r1", "r2", "r3"} < {each["node"] for each in found["nodes"]}
    lag = visitor.json(f"{API}/lag?by=node")
    assert [each["node"] for each in lag["items"] if each["is_known"]] == ["r1", "r2", "r3"]
    assert len(lag["items"]) == 103


def test_an_empty_store_claims_nothing(visitor: Visitor) -> None:
    with served(make_app(SqliteStore(), now_ns=lambda: NOW)) as port:
        lag = Visitor(port).json(f"{API}/lag")
        assert (lag["items"], lag["gaps"], lag["silent"]) == ([], [], [])
        assert Visitor(port).json(f"{API}/invalidations") == {"items": [], "next": None}
    assert visitor.get(f"{API}/invalidations/none").status_code == 404


def test_the_page_names_every_field(store: SqliteStore, visitor: Visitor) -> None:
    tell(store, unheard=(120, *range(140, 300)), count=120)
    told = set(re.findall(r"`(\w+)`", PAGE))
    one = quote(ODD, safe="")
    for path in ("invalidations", f"invalidations/{one}", "lag"):
        found = set(_fields(visitor.json(f"{API}/{path}")))
        assert found - told == set(), path


def _fields(found: Any) -> Iterator[str]:
    if isinstance(found, dict):
        yield from found
    for each in found.values() if isinstance(found, dict) else found:
        if isinstance(each, dict | list):
            yield from _fields(each)


def test_checks_are_told_by_layer_and_by_node(store: SqliteStore, visitor: Visitor) -> None:
    cells = {}
    for name, seen in (("r1", Seen.VISIBLE), ("r2", Seen.BEHIND)):
        cell = cells[CheckKey(9_000, "product", "regional", name, 10 * S)] = CheckCell()
        cell.add(seen, 2.0, 10_000_000)
    store.write(Batch(checks=cells))
    [layer] = visitor.json(f"{API}/lag?window=1h")["checks"]
    nodes = visitor.json(f"{API}/lag?window=1h&by=node&node=r2")["checks"]
    assert (layer["layer"], layer["node"], layer["horizon_ns"]) == ("regional", None, 10 * S)
    assert layer["outcomes"]["visible"] == layer["outcomes"]["behind"] == 1
    assert layer["shares"] == {"visible": 0.5, "gone": 0.0, "behind": 0.5}
    assert layer["late_ns"]["p99"] >= 10_000_000
    assert [(each["node"], each["shares"]["behind"]) for each in nodes] == [("r2", 1.0)]
