"""What every engine does. Engines are in `conftest.py`."""

import math
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from freshness.model import ABSENT, Bounds, Reason, Result, Value, Verdict
from store.base import Batch, Clock, CursorError, FindingRow, Span, Store, StoreError
from tests.store.rows import CLOCK, finding, node, origin_run, read, run

UNUSUAL = [
    pytest.param("", id="empty"),
    pytest.param("a\0b", id="NUL in the middle"),
    pytest.param("\0", id="NUL alone"),
    pytest.param("🧊/❄️", id="emoji"),
    pytest.param("'; DROP TABLE runs; --\"`", id="quotes"),
    pytest.param("k" * 10_240, id="10 kB"),
    pytest.param("%_*?[a]\\", id="wildcards"),
    pytest.param("é", id="decomposed accent"),
    pytest.param("\U0010ffff", id="last code point"),
]
HUGE = [
    pytest.param(0, id="zero"),
    pytest.param(-1, id="negative"),
    pytest.param(2**63 - 1, id="last of 64 bits"),
    pytest.param(2**63, id="beyond 64 bits"),
    pytest.param(-(10**40), id="far beyond"),
]


def test_an_empty_store_answers_everything(store: Store) -> None:
    assert store.last_ids() == (0, 0)
    assert list(store.newest_origin_runs("product")) == []
    assert store.spans("product", "42", 0, 2**63 - 1) == []
    assert store.reads() == []
    assert store.keys("product") == []
    assert store.finding("f1") is None
    assert (store.findings().items, store.findings().next) == ([], None)
    assert store.rollups("minute", 0, 2**63 - 1) == []
    assert store.nodes() == []


def test_a_run_is_extended_not_repeated(store: Store) -> None:
    store.write(Batch(runs=[run(1)]))
    store.write(Batch(runs=[run(1, last_start_ns=90, last_end_ns=91, count=9, ended_by="gap")]))
    assert store.spans("product", "42", 0, 10_000) == [
        Span(
            "regional",
            "r1",
            Result.VALUE,
            Value(1),
            1_010,
            1_091,
            9,
            "gap",
            1_011,
            1_090,
            clock="m1",
        )
    ]


def test_an_id_of_another_run_is_refused(store: Store) -> None:
    store.write(Batch(runs=[run(1)]))
    with pytest.raises(StoreError, match="belong to other runs"):
        store.write(Batch(runs=[run(2), run(1, key="43")]))
    assert store.last_ids() == (1, 0)
    assert store.keys("product") == ["42"]


def test_a_batch_with_an_unknown_clock_is_refused_whole(store: Store) -> None:
    with pytest.raises(StoreError, match="contradicts the store"):
        store.write(Batch(runs=[run(1), run(2, clock="m2")], findings=[finding("f1")]))
    assert store.last_ids() == (0, 0)
    assert store.finding("f1") is None


def test_newest_origin_runs_are_one_a_key(store: Store) -> None:
    newest = [origin_run(5, key="a"), origin_run(4, key="b")]
    store.write(Batch(runs=[origin_run(1, key="a"), *newest, run(9, key="a")]))
    store.write(Batch(runs=[origin_run(1, key="a", last_end_ns=99), origin_run(6, key="")]))
    assert list(store.newest_origin_runs("product")) == [origin_run(6, key=""), *newest]
    assert list(store.newest_origin_runs("basket")) == []


def test_newest_origin_runs_of_many_keys_come_in_order(store: Store) -> None:
    runs = [origin_run(id_, key=f"{id_:05}") for id_ in range(1, 2_502)]
    store.write(Batch(runs=runs))
    walk = store.newest_origin_runs("product")
    first = next(walk)
    store.write(Batch(runs=[run(3_000)]))
    assert [first, *walk] == runs


def test_spans_overlap_the_window(store: Store) -> None:
    other_clock = Clock("m2", wall_offset_ns=1_045, opened_at_ns=1_045)
    runs = [run(id_) for id_ in range(1, 8)]
    store.write(
        Batch(
            clocks=[other_clock],
            runs=[
                *runs,
                run(20, node="r2", first_start_ns=1, last_end_ns=500),
                run(21, clock="m2", first_start_ns=0, first_end_ns=1, last_end_ns=4),
                run(22, keyspace="basket"),
                run(23, key="43"),
            ],
        )
    )
    spans = store.spans("product", "42", 1_035, 1_050)
    assert [(span.node, span.first_at_ns, span.last_at_ns) for span in spans] == [
        ("r2", 1_001, 1_500),
        ("r1", 1_030, 1_039),
        ("r1", 1_040, 1_049),
        ("r1", 1_045, 1_049),
        ("r1", 1_050, 1_059),
    ]


def test_reads_come_back_as_they_were(store: Store) -> None:
    full = read(
        2,
        result=Result.UNREADABLE,
        value=None,
        why="no $.version",
        verdict=Verdict.UNKNOWN,
        reason=Reason.UNREADABLE,
        bounds=Bounds(0, 2**62, 2**70, 2**71),
        ttl_s=math.inf,
        age_s=1.5,
        filled=True,
        evidence='{"type":"write"}\n',
        finding="f1",
    )
    store.write(Batch(reads=[read(1), full]))
    assert store.reads() == [(full, 1_020), (read(1), 1_010)]
    store.write(Batch(reads=[read(1, finding="f1")]))
    assert store.reads(finding="f1", until_ns=1_020) == [(read(1, finding="f1"), 1_010)]


def test_a_cleared_read_is_gone(store: Store) -> None:
    store.write(Batch(reads=[read(1), read(2)]))
    store.write(Batch(cleared=[1, 99]))
    assert store.reads() == [(read(2), 1_020)]


@pytest.mark.parametrize(
    ("asked", "ids"),
    [
        pytest.param({}, [6, 5, 4, 3, 2, 1], id="all, newest first"),
        pytest.param({"keyspace": "product"}, [6, 4, 2, 1], id="a keyspace"),
        pytest.param({"keyspace": "product", "key": "a"}, [4, 2], id="a key of a keyspace"),
        pytest.param({"key": "a"}, [4, 3, 2], id="a key of any keyspace"),
        pytest.param({"finding": "f"}, [6, 3], id="a finding"),
        pytest.param({"finding": "f", "keyspace": "basket"}, [3], id="a finding of a keyspace"),
        pytest.param({"since_ns": 1_020, "until_ns": 1_040}, [3, 2], id="a window"),
        pytest.param({"limit": 2}, [6, 5], id="a limit"),
    ],
)
def test_reads_are_filtered(store: Store, asked: dict[str, str], ids: list[int]) -> None:
    rows = [
        read(1, key="b"),
        read(2, key="a"),
        read(3, keyspace="basket", key="a", finding="f"),
        read(4, key="a"),
        read(5, keyspace="basket", key="b"),
        read(6, key="c", finding="f"),
    ]
    store.write(Batch(reads=rows))
    assert [row.id for row, _ in store.reads(**asked)] == ids  # type: ignore[arg-type]


@pytest.mark.parametrize("key", UNUSUAL)
def test_unusual_keys_come_back(store: Store, key: str) -> None:
    store.write(
        Batch(
            runs=[origin_run(1, key=key, keyspace=key)],
            reads=[read(1, key=key, why=key)],
            findings=[finding(key, key=key, because=key)],
            nodes=[node(key)],
        )
    )
    assert store.keys(key) == [key]
    assert store.keys(key, prefix=key) == [key]
    assert list(store.newest_origin_runs(key)) == [origin_run(1, key=key, keyspace=key)]
    assert len(store.spans(key, key, 0, 10_000)) == 1
    assert store.reads(key=key) == [(read(1, key=key, why=key), 1_010)]
    assert store.finding(key) == finding(key, key=key, because=key)
    assert store.findings(key=key).items == [finding(key, key=key, because=key)]
    assert store.nodes() == [node(key)]


@given(key=st.text())
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_is_a_key(store: Store, key: str) -> None:
    store.write(Batch(reads=[read(1, key=key)]))
    assert [row.key for row, _ in store.reads(keyspace="product", key=key)] == [key]
    assert key in store.keys("product", prefix=key[:1], limit=1_000)


def test_half_a_character_is_refused(store: Store) -> None:
    with pytest.raises(StoreError, match="not Unicode text"):
        store.write(Batch(runs=[run(1), run(2, key="\ud800")]))
    assert store.last_ids() == (0, 0)


@pytest.mark.parametrize("version", HUGE)
def test_versions_of_any_size_come_back(store: Store, version: int) -> None:
    value = Value(version=version)
    store.write(Batch(runs=[origin_run(1, value=value)], reads=[read(1, value=value)]))
    store.write(Batch(findings=[finding("f", held=value, latest=value)]))
    assert [row.value for row in store.newest_origin_runs("product")] == [value]
    assert [row.value for row, _ in store.reads()] == [value]
    assert store.finding("f") == finding("f", held=value, latest=value)


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(None, id="none"),
        pytest.param(ABSENT, id="absent"),
        pytest.param(Value(), id="empty"),
        pytest.param(Value(projection="12"), id="a digest that looks like a number"),
        pytest.param(Value(3, "d", absent=True), id="a versioned absence"),
    ],
)
def test_values_come_back(store: Store, value: Value | None) -> None:
    store.write(Batch(runs=[origin_run(1, value=value)], reads=[read(1, value=value)]))
    assert [row.value for row in store.newest_origin_runs("product")] == [value]
    assert [row.value for row, _ in store.reads()] == [value]


def test_stamps_keep_every_nanosecond(store: Store) -> None:
    boot = Clock("m2", wall_offset_ns=1_795_000_000_123_456_789, opened_at_ns=2**62)
    exact = origin_run(1, clock="m2", first_start_ns=2**53 + 1, last_end_ns=2**53 + 3)
    store.write(Batch(clocks=[boot], runs=[exact]))
    [span] = store.spans("product", "42", 0, 2**63 - 1)
    assert list(store.newest_origin_runs("product")) == [exact]
    assert span.first_at_ns == boot.wall_offset_ns + 2**53 + 1


def test_a_number_beyond_64_bits_is_refused(store: Store) -> None:
    with pytest.raises(StoreError, match="64 bits"):
        store.write(Batch(runs=[run(1), run(2, last_end_ns=2**63)]))
    assert store.last_ids() == (0, 0)


def test_keys_begin_with_the_prefix_in_order(store: Store) -> None:
    names = ["b", "ab", "aa", "a", "a%", "A", "ac"]
    store.write(Batch(reads=[read(id_, key=key) for id_, key in enumerate(names)]))
    assert store.keys("product", "a") == ["a", "a%", "aa", "ab", "ac"]
    assert store.keys("product", "a%") == ["a%"]
    assert store.keys("product", limit=2) == ["A", "a"]


def test_findings_are_replaced(store: Store) -> None:
    healed = finding("f", state="healed", healed_at_ns=200, ruled_out=("a", "b"), evidence="{}")
    store.write(Batch(findings=[finding("f")]))
    store.write(Batch(findings=[healed]))
    assert store.finding("f") == healed
    assert store.findings(open_only=True).items == []


def test_findings_page_without_gap_or_repetition(store: Store) -> None:
    rows = [finding(f"f{n:02}", opened_at_ns=n // 3) for n in range(25)]
    store.write(Batch(findings=rows))
    seen: list[FindingRow] = []
    cursor: str | None = None
    for _ in range(4):
        page = store.findings(limit=7, cursor=cursor)
        seen += page.items
        cursor = page.next
        store.write(Batch(findings=[finding("new", opened_at_ns=1_000)]))
    assert seen == rows[::-1]
    assert cursor is None


def test_a_full_last_page_ends(store: Store) -> None:
    store.write(Batch(findings=[finding("a"), finding("b")]))
    assert store.findings(limit=2).next is None


def test_findings_are_filtered(store: Store) -> None:
    rows = [
        finding("a", state="opened", opened_at_ns=1),
        finding("b", state="healed", opened_at_ns=2),
        finding("c", keyspace="basket", opened_at_ns=3),
        finding("d", key="43", layer="edge", node="e1", opened_at_ns=4),
    ]
    store.write(Batch(findings=rows))
    assert [row.id for row in store.findings(layer="edge", limit=1).items] == ["d"]
    assert [row.id for row in store.findings(node="r1", limit=1).items] == ["c"]
    assert [row.id for row in store.findings(open_only=True).items] == ["d", "c", "a"]
    assert [row.id for row in store.findings(keyspace="product", key="42").items] == ["b", "a"]
    assert [row.id for row in store.findings(since_ns=3).items] == ["d", "c"]
    assert [row.id for row in store.findings(since_ns=2, until_ns=4).items] == ["c", "b"]


@pytest.mark.parametrize("cursor", ["", "x", "WzFd", "bnVsbA", "é", "W251bGwsMV0"])
def test_a_cursor_of_nobody_is_refused(store: Store, cursor: str) -> None:
    with pytest.raises(CursorError, match="not a cursor"):
        store.findings(cursor=cursor)


def test_nodes_are_replaced_and_origins_come_first(store: Store) -> None:
    store.write(Batch(nodes=[node("r2"), node("r1"), node("e1", "edge"), node("db", "")]))
    store.write(Batch(nodes=[node("r1", state="unknown", why="timeout", answered_at_ns=None)]))
    assert [(row.layer, row.node, row.state) for row in store.nodes()] == [
        ("", "db", "up"),
        ("edge", "e1", "up"),
        ("regional", "r1", "unknown"),
        ("regional", "r2", "up"),
    ]


def test_the_revision_grows_with_each_write(store: Store) -> None:
    seen = [store.revision()]
    for batch in (Batch(nodes=[node("r1")]), Batch(runs=[run(1)])):
        store.write(batch)
        seen.append(store.revision())
    assert seen == sorted(set(seen))
    assert store.revision() == seen[-1]


def test_many_threads_write_and_read(store: Store) -> None:
    def write_some(thread: int) -> None:
        for n in range(20):
            store.write(Batch(reads=[read(thread * 100 + n), read(thread * 100 + n + 50)]))

    def read_some(_: int) -> None:
        while writing.is_set():
            # Both reads of a batch, or neither.
            assert len(store.reads()) % 2 == 0

    writing = threading.Event()
    writing.set()
    with ThreadPoolExecutor(8) as pool:
        reading = [pool.submit(read_some, n) for n in range(4)]
        for done in [pool.submit(write_some, n) for n in range(4)]:
            done.result()
        writing.clear()
        for done in reading:
            done.result()
    assert len(store.reads()) == 160


def test_a_backup_holds_everything_and_replaces_nothing(store: Store, tmp_path: Path) -> None:
    copy = str(tmp_path / "copy.db")
    store.write(Batch(runs=[run(1)]))
    store.backup(copy)
    store.write(Batch(runs=[run(2)]))
    before = Path(copy).read_bytes()
    with pytest.raises(StoreError, match=r"copy\.db: the file exists"):
        store.backup(copy)
    assert Path(copy).read_bytes() == before
    assert sorted(path.name for path in tmp_path.glob("copy*")) == ["copy.db"]


def test_a_closed_store_refuses(store: Store) -> None:
    store.close()
    store.close()
    for call in (store.last_ids, store.revision, lambda: store.write(Batch(clocks=[CLOCK]))):
        with pytest.raises(StoreError, match="closed"):
            call()
