"""Config drift, gathered from what a store holds. Engines are in `conftest.py`."""

from typing import Any

import pytest

from freshness.check import CheckCell, CheckKey, Seen
from freshness.config_drift import Kind, Standing
from freshness.model import Result, Value, Verdict
from freshness.rollup import SAMPLED, Reads, Rollup, RollupKey
from freshness.ttl_sample import TtlCell, TtlKey
from store.base import Batch, Store
from store.catalogue_history import Document, Entry
from store.config_drift import DriftRow, read_config_drift
from tests.store.rows import S, finding, invalidation, node, origin_run, read, receipt, run

T0 = 1_800_000_000 * S
NOW = T0 + 3_600 * S
OFFSET = 1_000
"""Of the clock of `rows`: what is stamped at s - OFFSET is of the instant s."""


def layer(**changes: Any) -> Document:
    said: Document = {
        "kind": "redis",
        "owner": "",
        "mechanism": "versioned",
        "max_staleness_ns": 2 * S,
        "accepts_ns": {},
        "documented_ttl_ns": 600 * S,
        "ttl_jitter_ns": 0,
        "placement": "all",
        "regions": [],
        "fills_from": [],
        "replica": False,
    }
    return {**said, **changes}


KEYSPACE: Document = {
    "owner": "",
    "origin": "db",
    "version": {"type": "integer", "order": "counter"},
    "addressing": {"regional": {"key": "product:{key}"}},
}


def document(store: Store, at_ns: int = T0 - 9_999 * S, **changes: Any) -> None:
    store.write_catalogue(
        {Entry("layer", "regional"): layer(**changes), Entry("keyspace", "product"): KEYSPACE},
        at_ns,
    )
    nodes = [node(name, since_at_ns=T0 - S, answered_at_ns=NOW) for name in ("r1", "r2")]
    store.write(Batch(nodes=nodes))


def told(store: Store, kind: Kind, name: str = "") -> DriftRow:
    rows = [r for r in read_config_drift(store, NOW) if r.result.kind is kind and r.node == name]
    [row] = rows
    return row


def ttls(*pairs: tuple[float, int]) -> Batch:
    """(seconds left, instant) of entries of regional/r1."""
    cells: dict[TtlKey, TtlCell] = {}
    for ttl_s, at_ns in pairs:
        key = TtlKey(at_ns // S // 600 * 600, "product", "regional", "r1")
        cells.setdefault(key, TtlCell()).add("42", ttl_s, at_ns)
    return Batch(ttls=cells)


def test_nothing_documented_is_nothing_compared(store: Store) -> None:
    assert read_config_drift(store, NOW) == []


def test_a_store_without_facts_knows_nothing(store: Store) -> None:
    document(store)
    rows = read_config_drift(store, NOW)
    assert {row.result.standing for row in rows} == {Standing.UNKNOWN}
    assert {row.result.kind for row in rows} == set(Kind)


def test_a_lifetime_beyond_the_documented_one_is_proof(store: Store) -> None:
    document(store)
    store.write(ttls((500.0, T0 + 900 * S), (601.0, T0 + 1_000 * S)))
    row = told(store, Kind.TTL, "r1")
    assert (row.keyspace, row.documented, row.result.reason) == ("product", "600 s", "longer")
    assert row.result.is_proof


def test_entries_of_before_a_change_of_the_documents_have_time_to_end(store: Store) -> None:
    document(store, documented_ttl_ns=1_800 * S)
    document(store, at_ns=T0 + 600 * S)
    store.write(ttls((1_700.0, T0 + 700 * S)))
    assert told(store, Kind.TTL).result.reason == "not-seen"
    store.write(ttls((1_700.0, T0 + 2_460 * S)))  # filled long after the change
    assert told(store, Kind.TTL, "r1").result.reason == "longer"


def test_a_change_of_something_else_leaves_times_to_live_alone(store: Store) -> None:
    document(store)
    store.write(ttls((700.0, T0 + 1_000 * S)))
    document(store, at_ns=T0 + 2_000 * S, owner="team")
    assert told(store, Kind.TTL, "r1").result.reason == "longer"


def stale_copies(store: Store, n: int, ttl_s: float | None) -> None:
    """Copies that had so long left when found, were stale 40 s later and gone 4 s after that."""
    for at in range(1, n + 1):
        opened = T0 + at * 60 * S
        proofs = [
            read(
                100 * at + after, key=f"{at}", finding=f"f{at}", verdict=Verdict.STALE,
                start_ns=opened + after * S - OFFSET, end_ns=opened + after * S - OFFSET + 1,
                ttl_s=None if ttl_s is None else max(0.0, ttl_s - after),
            )
            for after in (0, 40)
        ]  # fmt: skip
        row = finding(
            f"f{at}", key=f"{at}", state="healed", opened_at_ns=opened,
            healed_at_ns=opened + 44 * S,
        )  # fmt: skip
        store.write(Batch(reads=proofs, findings=[row]))


@pytest.mark.parametrize(
    ("ttl_s", "reason"),
    [
        pytest.param(42.0, "heals-by-expiry", id="their time ended"),
        pytest.param(300.0, "too-few", id="they had time left"),
        pytest.param(7.0, "too-few", id="they had little left all along"),
        pytest.param(None, "too-few", id="nobody told"),
    ],
)
def test_stale_copies_of_a_layer_that_takes_messages(
    store: Store, ttl_s: float | None, reason: str
) -> None:
    document(store)
    stale_copies(store, 6, ttl_s)
    result = told(store, Kind.MECHANISM).result
    assert (result.reason, result.is_proof) == (reason, False)


def test_a_message_that_was_applied_just_then_healed_the_copy(store: Store) -> None:
    document(store)
    stale_copies(store, 6, 42.0)
    healed = T0 + 103 * S
    sent = invalidation(1, keys=("1",), written_at_ns=T0 + 70 * S, received_at_ns=T0 + 71 * S)
    store.write_messages([sent], [receipt(1, at_ns=healed, received_at_ns=healed)])
    result = told(store, Kind.MECHANISM).result
    assert (result.standing, result.figures["healed_by_message"]) == (Standing.HOLDS, 1)


def acknowledged(store: Store, name: str, n: int) -> None:
    store.write_messages(
        (), [receipt(at, name, at_ns=T0 + at, received_at_ns=T0 + at) for at in range(1, n + 1)]
    )


def test_receipts_of_a_layer_that_goes_by_time_are_proof(store: Store) -> None:
    document(store, mechanism="ttl")
    acknowledged(store, "r2", 3)
    row = told(store, Kind.MECHANISM)
    assert (row.documented, row.result.reason, row.result.is_proof) == (
        "ttl",
        "takes-messages",
        True,
    )
    assert row.result.examples == ("r2",)
    kinds = {each.result.kind for each in read_config_drift(store, NOW)}
    assert Kind.SUBSCRIPTION not in kinds


def checks(name: str, seen: Seen, horizon_s: int, n: int = 9) -> Batch:
    cell = CheckCell()
    for _ in range(n):
        cell.add(seen)
    key = CheckKey((T0 + 600 * S) // S, "product", "regional", name, horizon_s * S)
    return Batch(checks={key: cell})


def test_a_node_without_receipts_beside_one_with_them(store: Store) -> None:
    document(store)
    acknowledged(store, "r1", 20)
    assert told(store, Kind.SUBSCRIPTION, "r1").result.standing is Standing.HOLDS
    assert told(store, Kind.SUBSCRIPTION, "r2").result.reason == "no-receipts"
    store.write(checks("r2", Seen.BEHIND, 1))  # within the maximum staleness: that is allowed
    assert told(store, Kind.SUBSCRIPTION, "r2").result.figures["checks_behind"] == 0
    store.write(checks("r2", Seen.BEHIND, 10))
    assert "each of 9 checks" in told(store, Kind.SUBSCRIPTION, "r2").result.said
    store.write(checks("r2", Seen.VISIBLE, 1, n=20))
    assert told(store, Kind.SUBSCRIPTION, "r2").result.reason == "follows-unheard"


def test_a_node_that_came_later_is_not_blamed(store: Store) -> None:
    document(store)
    acknowledged(store, "r1", 20)
    store.write(Batch(nodes=[node("r2", since_at_ns=T0 + S, answered_at_ns=NOW)]))
    assert told(store, Kind.SUBSCRIPTION, "r2").result.reason == "not-there"


def reads(n: int, stratum: str = SAMPLED, **changes: Any) -> Batch:
    cell = Rollup()
    cell.add(Reads(**{"verdict": Verdict.UNKNOWN, "n": n, **changes}))
    start_s = T0 // S // 60 * 60 + 600
    key = RollupKey(start_s, "product", "regional", "r1", stratum, 2 * S, "1")
    return Batch(rollups={key: cell})


def test_a_keyspace_that_is_nowhere_on_a_layer(store: Store) -> None:
    document(store)
    store.write(reads(300, result=Result.MISS))
    assert told(store, Kind.ADDRESSING).result.reason == "no-origin"
    gone = origin_run(1, key="1", value=Value(absent=True))
    store.write(Batch(runs=[gone, origin_run(2, key="2"), origin_run(3, key="3")]))
    row = told(store, Kind.ADDRESSING)
    assert (row.documented, row.result.reason) == ("product:{key}", "all-missing")
    assert row.result.examples == ("2", "3")
    store.write(reads(9, "recheck", verdict=Verdict.FRESH))  # not of the walk
    assert told(store, Kind.ADDRESSING).result.reason == "all-missing"
    store.write(reads(1, verdict=Verdict.FRESH))
    assert told(store, Kind.ADDRESSING).result.standing is Standing.HOLDS


def test_copies_that_cannot_be_read_are_proof(store: Store) -> None:
    document(store)
    store.write(reads(60, result=Result.UNREADABLE))
    result = told(store, Kind.ADDRESSING).result
    assert (result.reason, result.is_proof) == ("unreadable", True)


def test_a_ring_that_is_handed_in_tells_who_owns_a_key(store: Store) -> None:
    document(store, placement="ring")
    sent = [invalidation(n, keys=(f"{n}",), received_at_ns=T0 + n) for n in (1, 2)]
    words = [receipt(n, "r1", at_ns=T0 + n, received_at_ns=T0 + n) for n in (1, 2)]
    store.write_messages(sent, words)
    at = T0 + 5 * S - OFFSET
    stamps = dict.fromkeys(("first_start_ns", "first_end_ns", "last_start_ns", "last_end_ns"), at)
    store.write(Batch(runs=[run(7, key="1", node="r2", **stamps)]))
    owners = {"regional": lambda _, key: {"r1"} if key == "1" else {"r2"} if key == "2" else None}
    rows = read_config_drift(store, NOW, owners=owners)
    [row] = [each for each in rows if each.result.kind is Kind.OWNERSHIP]
    assert (row.documented, row.result.reason) == ("ring", "astray")
    assert row.result.figures == {"met": 3, "receipts": 1, "copies": 1}
    assert row.result.examples == ("1 at r2", "2 at r1")
    assert told(store, Kind.OWNERSHIP).result.reason == "everywhere"
