"""What every engine does with invalidations and receipts. Engines are in `conftest.py`."""

from itertools import permutations
from typing import Any

import pytest

from store.base import CursorError, Store, StoreError
from store.messages import InvalidationRow, ReceiptRow, Told
from tests.store.rows import invalidation, receipt

LATE = 10**18


def told(store: Store, **asked: Any) -> list[Told]:
    return list(store.invalidations(0, LATE, **asked).items)


def ids(store: Store, **asked: Any) -> list[str]:
    return [each.invalidation.id for each in told(store, **asked)]


def by_parent(n: int, node: str, **changes: Any) -> ReceiptRow:
    """A receipt that names no id, below the span of the invalidation n."""
    parent: dict[str, Any] = {"invalidation": "", "parent_span_id": f"{n:016x}"}
    return receipt(n, node, **{**parent, **changes})


def by_links(node: str, *numbers: int, **changes: Any) -> ReceiptRow:
    """A receipt that names no id, in a trace of its own, linked to the spans of invalidations."""
    links = tuple((f"{n:032x}", f"{n:016x}") for n in numbers)
    row: dict[str, Any] = {"invalidation": "", "trace_id": "f" * 32, "links": links}
    return receipt(1, node, **{**row, **changes})


def test_an_empty_store_has_no_messages(store: Store) -> None:
    page = store.invalidations(0, LATE)
    assert (page.items, page.next) == ([], None)
    assert store.invalidation("i1") is None
    assert store.sequences(0) == []
    assert store.orphan_receipts(0) == []


def test_messages_come_back_as_they_were(store: Store) -> None:
    full = invalidation(
        1, scope="tag", keys=("b", "a", "a", ""), version=None, version_text="1f3a", sequence=None
    )
    bare = invalidation(2, keys=(), host="", trace_id="", span_id="")
    one = receipt(1, "r1", parent_span_id="ab" * 8, links=(("cd" * 16, "ef" * 8), ("", "12" * 8)))
    two = receipt(1, "r2", outcome="failed", at_ns=12, is_known=False, sequence=None)
    store.write_messages([full, bare], [two, one])
    assert store.invalidation("i1") == Told(full, [one, two])
    assert store.invalidation("i2") == Told(bare, [])
    assert told(store) == [Told(bare, []), Told(full, [one, two])]


@pytest.mark.parametrize(
    "again",
    [
        pytest.param(invalidation(1), id="the same"),
        pytest.param(invalidation(1, version=9, keys=("43",), span_id="9" * 16), id="the id"),
        pytest.param(invalidation(1, id="i9", keys=("43",)), id="the span"),
    ],
)
def test_the_first_word_of_an_invalidation_stands(store: Store, again: InvalidationRow) -> None:
    for batch in ([invalidation(1), again], [again]):
        store.write_messages(batch, [])
    assert told(store) == [Told(invalidation(1), [])]
    assert ids(store, keyspace="product", key="42") == ["i1"]
    assert ids(store, keyspace="product", key="43") == []


@pytest.mark.parametrize(
    ("first", "again"),
    [
        pytest.param(receipt(1), receipt(1), id="the same"),
        pytest.param(receipt(1), receipt(1, outcome="failed", at_ns=99), id="the span"),
        pytest.param(
            receipt(1, span_id="", trace_id=""),
            receipt(1, span_id="", trace_id="", received_at_ns=99),
            id="no span, and the same word",
        ),
        pytest.param(by_links("r1", 1), by_links("r1", 2), id="the span with other links"),
    ],
)
def test_the_first_word_of_a_receipt_stands(
    store: Store, first: ReceiptRow, again: ReceiptRow
) -> None:
    store.write_messages([invalidation(1), invalidation(2)], [first, again])
    store.write_messages([], [again])
    assert [each.receipts for each in told(store)] == [[], [first]]


def test_one_span_may_speak_of_several_invalidations(store: Store) -> None:
    store.write_messages(
        [invalidation(1), invalidation(2)], [receipt(1), receipt(1, invalidation="i2")] * 2
    )
    assert [len(each.receipts) for each in told(store)] == [1, 1]


def test_words_that_no_span_carried_are_told_apart(store: Store) -> None:
    said = [receipt(1, node, span_id="", at_ns=at) for node in ("r1", "r2") for at in (11, 12)]
    store.write_messages([invalidation(1)], said)
    assert len(told(store)[0].receipts) == 4


JOINED = (
    [invalidation(1), invalidation(2)],
    [receipt(1, "r1"), by_parent(1, "r2"), by_parent(2, "r3")],
    [by_links("r4", 1), by_links("r5", 2, 1), by_links("r6", 1, parent_span_id=f"{1:016x}")],
)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_receipts_join_in_whatever_order_they_come(store: Store, order: tuple[int, ...]) -> None:
    for part in order:
        rows: list[Any] = list(JOINED[part])
        store.write_messages(*((rows, []) if part == 0 else ([], rows)))
    assert {each.node for each in one(store, "i1").receipts} == {"r1", "r2", "r4", "r5", "r6"}
    assert {each.node for each in one(store, "i2").receipts} == {"r3", "r5"}
    assert store.orphan_receipts(0) == []


def one(store: Store, id: str) -> Told:
    found = store.invalidation(id)
    assert found
    return found


def test_a_parent_and_a_link_to_the_same_join_once(store: Store) -> None:
    both = by_parent(1, "r1", links=((f"{1:032x}", f"{1:016x}"),) * 2)
    store.write_messages([invalidation(1)], [both])
    assert one(store, "i1").receipts == [both]


def test_a_receipt_that_names_an_id_joins_by_nothing_else(store: Store) -> None:
    other = by_links("r1", 1, invalidation="i2", parent_span_id=f"{1:016x}", trace_id=f"{1:032x}")
    store.write_messages([invalidation(1), invalidation(2)], [other])
    assert one(store, "i1").receipts == []
    assert one(store, "i2").receipts == [other]


def test_an_invalidation_without_a_span_joins_by_id_alone(store: Store) -> None:
    bare = invalidation(1, trace_id="", span_id="")
    stray = receipt(1, "r2", invalidation="", trace_id="", parent_span_id="")
    store.write_messages([bare], [receipt(1), stray])
    assert one(store, "i1").receipts == [receipt(1)]
    assert store.orphan_receipts(0) == [stray]


def test_orphans_are_those_whose_invalidation_never_came(store: Store) -> None:
    lost = [receipt(2), by_parent(3, "r3"), by_links("r4", 4, 5, received_at_ns=99)]
    store.write_messages([invalidation(1)], [receipt(1), by_parent(1, "r2"), *lost])
    assert store.orphan_receipts(0) == lost[::-1]
    assert store.orphan_receipts(0, limit=1) == lost[-1:]
    assert store.orphan_receipts(99) == lost[-1:]
    store.write_messages([invalidation(2), invalidation(5)], [])
    assert store.orphan_receipts(0) == [lost[1]]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        pytest.param({}, ["i5", "i4", "i3", "i2", "i1"], id="all, newest first"),
        pytest.param({"keyspace": "product"}, ["i5", "i3", "i2", "i1"], id="a keyspace"),
        pytest.param({"keyspace": "product", "key": "a"}, ["i5", "i2"], id="a key of a keyspace"),
        pytest.param({"key": "a"}, ["i5", "i4", "i2"], id="a key of any keyspace"),
        pytest.param({"key": "b"}, ["i3", "i2"], id="one of several keys"),
        pytest.param({"limit": 2}, ["i5", "i4"], id="a limit"),
        pytest.param({"limit": 0}, [], id="none"),
    ],
)
def test_invalidations_are_filtered(
    store: Store, asked: dict[str, Any], expected: list[str]
) -> None:
    rows = [
        invalidation(1),
        invalidation(2, keys=("a", "b")),
        invalidation(3, keys=("b",)),
        invalidation(4, keyspace="basket", keys=("a",)),
        invalidation(5, keys=("a",)),
    ]
    store.write_messages(rows, [])
    assert ids(store, **asked) == expected
    window = [each.invalidation.id for each in store.invalidations(20, 50, **asked).items]
    assert (
        window
        == [id_ for id_ in ["i4", "i3", "i2"] if id_ in _unlimited(store, asked)][
            : asked.get("limit", 100)
        ]
    )


def _unlimited(store: Store, asked: dict[str, Any]) -> list[str]:
    return ids(store, **{**asked, "limit": 100})


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param({}, id="all"),
        pytest.param({"keyspace": "product"}, id="a keyspace"),
        pytest.param({"keyspace": "product", "key": "42"}, id="a key"),
    ],
)
def test_invalidations_page_without_gap_or_repetition(store: Store, asked: dict[str, Any]) -> None:
    rows = [invalidation(n, received_at_ns=n // 3) for n in range(25)]
    store.write_messages(rows, [receipt(n) for n in range(25)])
    seen: list[InvalidationRow] = []
    cursor = None
    while True:
        page = store.invalidations(0, LATE, limit=4, cursor=cursor, **asked)
        seen += [each.invalidation for each in page.items]
        assert all(len(each.receipts) == 1 for each in page.items)
        cursor = page.next
        if cursor is None:
            break
        store.write_messages([invalidation(100 + len(seen), received_at_ns=1_000)], [])
    assert seen == rows[::-1]


@pytest.mark.parametrize("cursor", ["", "x", "WzFd", "bnVsbA", "é", "WzEsICJmMSJd"])
def test_a_cursor_of_nobody_is_refused(store: Store, cursor: str) -> None:
    with pytest.raises(CursorError, match="not a cursor"):
        store.invalidations(0, LATE, cursor=cursor)


def test_sequences_are_those_that_were_said(store: Store) -> None:
    said = [receipt(1), receipt(2, "r2"), receipt(3, sequence=None), receipt(4, sequence=2**70)]
    store.write_messages([], said)
    assert store.sequences(0) == [
        ("shop", "prices", "regional", "r1", 1),
        ("shop", "prices", "regional", "r2", 2),
        ("shop", "prices", "regional", "r1", 2**70),
    ]
    assert store.sequences(23) == [("shop", "prices", "regional", "r1", 2**70)]


@pytest.mark.parametrize(
    "name", ["", "a\0b", "\0", "🧊", "'; DROP TABLE receipts; --\"`", "k" * 10**4]
)
def test_unusual_names_come_back(store: Store, name: str) -> None:
    row = invalidation(1, id=f"i{name}", keyspace=name, keys=(name,), version_text=name, host=name)
    store.write_messages([row], [receipt(1, invalidation=f"i{name}", layer=name, publisher=name)])
    assert ids(store, keyspace=name, key=name) == [f"i{name}"]
    found = one(store, f"i{name}")
    assert found.invalidation == row
    assert [each.layer for each in found.receipts] == [name]


@pytest.mark.parametrize("version", [0, -1, 2**63 - 1, 2**63, -(10**40)])
def test_versions_of_any_size_come_back(store: Store, version: int) -> None:
    store.write_messages([invalidation(1, version=version, sequence=version)], [])
    assert one(store, "i1").invalidation.version == version
    assert one(store, "i1").invalidation.sequence == version


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        pytest.param({"trace_id": "xyz"}, "not the hexadecimal id", id="no hexadecimal"),
        pytest.param({"received_at_ns": 2**63}, "64 bits", id="beyond 64 bits"),
        pytest.param({"keys": ("\ud800",)}, "not Unicode text", id="half a character"),
    ],
)
def test_a_bad_row_refuses_the_whole_batch(store: Store, bad: dict[str, Any], why: str) -> None:
    with pytest.raises(StoreError, match=why):
        store.write_messages([invalidation(1), invalidation(2, **bad)], [receipt(1)])
    assert told(store) == []
    assert store.orphan_receipts(0) == []


def test_messages_make_a_new_revision(store: Store) -> None:
    before = store.revision()
    store.write_messages([invalidation(1)], [])
    assert store.revision() > before
