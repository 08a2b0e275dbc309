"""The JSON of a real store over a real server: what is there, what may be asked, what may not."""

import base64
import itertools
import json
import math
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from fastapi.routing import APIRoute

from freshness.model import Value, Verdict
from freshness.rollup import Reads, Rollup, RollupKey
from stalewatch.api import make_router
from stalewatch.api.asked import Asked, parse_moment
from stalewatch.api.items import time_text
from store.base import Batch
from store.sqlite import SqliteStore
from store.sweeps import NodeSwept, SweepRow
from tests.dashboard.seed import DEAD, KEYSPACE, NODES, STRANGE_KEYS, seed
from tests.stalewatch.serving import NOW, Visitor, make_app, served
from tests.store.rows import CLOCK, S, finding, node, origin_run, read, run

API = "/api/v1"
PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
HUGE = 2**80
EVIDENCE = (
    '{"type":"origin_read","key":"42","version":4,"start":1.0,"end":1.1,"linearizable":true}\n'
    '{"type":"cache_read","id":"r1","key":"42","node":"r1","version":3,"start":9.0,"end":9.1}'
)


@pytest.fixture(scope="module")
def seeded() -> Iterator[Visitor]:
    """The believable hour of the dashboard's tests, which ends now."""
    store = SqliteStore()
    seed(store, NOW)
    with served(make_app(store)) as port:
        yield Visitor(port)
    store.close()


@pytest.fixture(scope="module")
def empty() -> Iterator[Visitor]:
    with served(make_app(SqliteStore())) as port:
        yield Visitor(port)


@pytest.fixture
def store() -> Iterator[SqliteStore]:
    store = SqliteStore()
    store.write(Batch(clocks=[CLOCK]))
    yield store
    store.close()


@pytest.fixture
def visitor(store: SqliteStore) -> Iterator[Visitor]:
    """A server of a store that the test fills, at an instant just after the epoch."""
    with served(make_app(store, now_ns=lambda: 7_260 * S)) as port:
        yield Visitor(port)


def ask(path: str, **query: object) -> str:
    return f"{API}/{path}" + (f"?{urlencode(query)}" if query else "")


def problem(visitor: Visitor, path: str) -> dict[str, Any]:
    """The problem that a question is answered with."""
    answer = visitor.get(path)
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    body: dict[str, Any] = json.loads(answer.content)
    assert body["status"] == answer.status_code
    return body


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("nodes", {"items": [], "next": None}),
        ("findings", {"items": [], "next": None}),
        ("keys?keyspace=none", {"has_more": False, "items": [], "next": None}),
    ],
)
def test_an_empty_store_has_empty_lists(empty: Visitor, path: str, expected: object) -> None:
    assert empty.json(f"{API}/{path}") == expected


def test_an_empty_store_claims_nothing(empty: Visitor) -> None:
    assert empty.json(ask("freshness"))["items"] == []
    coverage = empty.json(ask("coverage"))
    assert coverage["unknown_share"] is None
    assert coverage["indeterminate_share"] is None
    assert coverage["nodes"] == {"answering": 0, "listed": 0}
    history = empty.json(ask("keys/product/42"))
    assert history["is_known"] is False
    assert history["origin"] == history["nodes"] == history["reads"] == history["findings"] == []


@pytest.mark.parametrize("path", ["findings/f1", "findings/f1/evidence", "findings/%00%F0%9F"])
def test_a_finding_that_is_not_there_is_a_problem(empty: Visitor, path: str) -> None:
    assert problem(empty, f"{API}/{path}")["status"] == 404


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        ("nodes?layer=edge", "layer"),
        ("findings?limit=0", "limit"),
        ("findings?limit=501", "limit"),
        ("findings?limit=ten", "limit"),
        ("findings?open=perhaps", "open"),
        ("findings?cursor=%21", "cursor"),
        ("findings?cursor=", "cursor"),
        ("findings?since=yesterday", "since"),
        ("findings?since=9999-12-31T00:00:00Z", "since"),
        ("findings?until=2026-01-01T00:00:00Z", "until"),
        ("keys", "keyspace"),
        ("keys?keyspace=product&limit=-1", "limit"),
        ("keys/product", "key"),
        ("keys/product/%FF", "key"),
        ("keys/%FF/42", "keyspace"),
        ("keys/product/42?since=2026-01-01", "since"),
        ("keys/product/42?since=2026-01-01T00:00:00", "since"),
        ("keys/product/42?since=2026-02-30T00:00:00Z", "since"),
        ("keys/product/42?until=2026-13-01T00:00:00Z", "until"),
        ("keys/product/42?since=2030-01-01T00:00:00Z", "since"),
        ("freshness?window=1x", "window"),
        ("freshness?window=30s", "window"),
        ("freshness?window=36d", "window"),
        ("freshness?by=region", "by"),
        ("coverage?window=", "window"),
        ("coverage?by=node", "by"),
        ("lag?by=region", "by"),
        ("counters?since=2030-01-01T00:00:00Z", "since"),
        ("counters?since=2020-01-01T00:00:00Z", "since"),
        ("counters?window=1h", "window"),
        ("lag?window=1s", "window"),
        ("invalidations?cursor=%21", "cursor"),
        ("invalidations?since=2030-01-01T00:00:00Z", "since"),
        ("invalidations?limit=501", "limit"),
    ],
)
def test_a_bad_parameter_is_named(empty: Visitor, path: str, parameter: str) -> None:
    found = problem(empty, f"{API}/{path}")
    assert found["status"] == 400
    assert [each["parameter"] for each in found["errors"]] == [parameter]
    assert found["detail"].startswith(f"{parameter}: ")


@pytest.mark.parametrize(
    "forged",
    [
        pytest.param([10**30, "x"], id="a number beyond 64 bits"),
        pytest.param([1, "\ud800"], id="half a surrogate pair"),
        pytest.param([1, 2], id="no id"),
        pytest.param([True, "x"], id="no time"),
        pytest.param({"at": 1}, id="no list"),
        pytest.param("[" * 5_000, id="brackets without end"),
    ],
)
def test_a_forged_cursor_is_refused(empty: Visitor, forged: object) -> None:
    text = forged if isinstance(forged, str) else json.dumps(forged)
    cursor = base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
    found = problem(empty, ask("findings", cursor=cursor))
    assert found["errors"][0]["parameter"] == "cursor"


def test_every_bad_parameter_is_named_at_once(empty: Visitor) -> None:
    found = problem(empty, ask("findings", limit=0, open="x", wrong=1))
    assert {each["parameter"] for each in found["errors"]} == {"limit", "open", "wrong"}


def test_nodes_tell_origins_from_caches(seeded: Visitor) -> None:
    origin, *caches = seeded.json(ask("nodes"))["items"]
    assert (origin["role"], origin["layer"], origin["node"]) == ("origin", None, "shop-db")
    assert [(each["layer"], each["node"]) for each in caches] == [row[:2] for row in NODES]
    dead = next(each for each in caches if each["node"] == DEAD)
    assert (dead["state"], dead["why"]) == ("unknown", "connection refused")
    assert parse_moment(dead["since"]) == dead["since_ns"]


def test_findings_come_newest_first_page_by_page(seeded: Visitor) -> None:
    whole = seeded.json(ask("findings"))
    assert whole["next"] is None
    ids: list[str] = []
    cursor: dict[str, str] = {}
    for _ in range(5):
        page = seeded.json(ask("findings", limit=1, **cursor))
        ids += [each["id"] for each in page["items"]]
        cursor = {"cursor": page["next"]}
    assert cursor == {"cursor": None}
    assert ids == [each["id"] for each in whole["items"]]
    opened = [each["opened_at_ns"] for each in whole["items"]]
    assert opened == sorted(opened, reverse=True)


def test_findings_are_filtered(seeded: Visitor) -> None:
    still_open = seeded.json(ask("findings", open="true"))["items"]
    assert {each["state"] for each in still_open} == {"confirmed"}
    assert len(still_open) == 2
    of_key = seeded.json(ask("findings", keyspace=KEYSPACE, key=STRANGE_KEYS[0]))["items"]
    assert [each["key"] for each in of_key] == [STRANGE_KEYS[0]]
    late = ask("findings", since=time_text(NOW - 100 * S))
    assert len(seeded.json(late)["items"]) == 2


def test_a_finding_and_the_evidence_that_judge_reads(
    store: SqliteStore, visitor: Visitor, tmp_path: Path
) -> None:
    store.write(Batch(findings=[finding("f 1/☕", evidence=EVIDENCE)]))
    name = quote("f 1", safe="")
    assert problem(visitor, ask(f"findings/{name}"))["status"] == 404
    store.write(Batch(findings=[finding("f1", evidence=EVIDENCE)]))
    found = visitor.json(ask("findings/f1"))
    assert (found["staleness_ns"], found["healed_at"]) == ([5, None], None)
    assert "evidence" not in found
    lines = visitor.get(ask("findings/f1/evidence"))
    assert lines.headers["content-type"] == "text/plain; charset=utf-8"
    assert lines.text == EVIDENCE + "\n"
    (tmp_path / "evidence").write_text(lines.text)
    judge = "import typer; from stalewatch.cli.judge import judge; typer.run(judge)"
    done = subprocess.run(
        [sys.executable, "-c", judge, str(tmp_path / "evidence")],
        capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert json.loads(done.stdout)["verdict"] == "stale"


def test_keys_are_listed_by_how_they_begin(seeded: Visitor) -> None:
    some = seeded.json(ask("keys", keyspace=KEYSPACE, prefix="sku-100", limit=3))
    assert [each["key"] for each in some["items"]] == ["sku-1000", "sku-1001", "sku-1002"]
    assert some["has_more"] is True
    every = seeded.json(ask("keys", keyspace=KEYSPACE, limit=500))
    assert len(every["items"]) == 60
    assert every["has_more"] is False


ANY_KEYS = [*STRANGE_KEYS, "", ".", "/42", "a%2Fb", "%", "\0", "a\nb", "b\n", "🛒" * 9]
ANY_KEYSPACES = ["product", "a/b ☕"]


@pytest.fixture(scope="module")
def strange() -> Iterator[Visitor]:
    """Every strange key in every keyspace, once at the origin and once at a node."""
    store = SqliteStore()
    store.write(Batch(clocks=[CLOCK]))
    for number, (keyspace, key) in enumerate(itertools.product(ANY_KEYSPACES, ANY_KEYS), start=1):
        mine = {"keyspace": keyspace, "key": key}
        runs = [origin_run(2 * number, **mine), run(2 * number + 1, **mine)]
        named = finding(f"f{number}", **mine)
        store.write(Batch(runs=runs, reads=[read(number, **mine)], findings=[named]))
    with served(make_app(store)) as port:
        yield Visitor(port)
    store.close()


@pytest.mark.parametrize("key", ANY_KEYS)
@pytest.mark.parametrize("keyspace", ANY_KEYSPACES)
def test_any_key_can_be_asked_for(strange: Visitor, keyspace: str, key: str) -> None:
    space = quote(keyspace, safe="")
    paths = [f"keys/{space}?key={quote(key, safe='')}"]
    if key not in (".", ".."):  # clients fold these away before they ask
        paths.append(f"keys/{space}/{quote(key, safe='')}")
    for path in paths:
        separator = "&" if "?" in path else "?"
        found = strange.json(f"{API}/{path}{separator}since=1970-01-01T00:00:00Z")
        assert (found["keyspace"], found["key"], found["is_known"]) == (keyspace, key, True)
        assert len(found["reads"]) == len(found["findings"]) == 1
        assert found["origin"][0]["node"] == "db"
        assert len(found["nodes"][0]["spans"]) == 1


def test_a_key_is_shown_in_the_window_that_is_asked_for(seeded: Visitor) -> None:
    whole = seeded.json(ask("keys/product/sku-1007"))
    assert [each["node"] for each in whole["nodes"]] == [row[1] for row in NODES]
    since, until = NOW - 100 * S, NOW - 50 * S
    span = {"since": time_text(since), "until": time_text(until)}
    part = seeded.json(ask("keys/product/sku-1007", **span))
    assert part["window"]["since_ns"], part["window"]["until_ns"] == (since, until)
    assert 0 < len(part["reads"]) < len(whole["reads"])
    assert all(since <= each["started_at_ns"] < until for each in part["reads"])


def test_versions_without_end_and_entries_that_never_expire(
    store: SqliteStore, visitor: Visitor
) -> None:
    row = read(1, value=Value(HUGE, "digest", absent=True), ttl_s=math.inf)
    store.write(Batch(reads=[row]))
    [found] = visitor.json(ask("keys/product/42", since="1970-01-01T00:00:00Z"))["reads"]
    assert found["value"] == {"version": HUGE, "projection": "digest", "absent": True}
    assert (found["ttl_s"], found["never_expires"]) == (None, True)
    assert found["versions_behind"] == [1, None]


def cell(fresh: int = 0, stale: int = 0, indeterminate: int = 0, unknown: int = 0) -> Rollup:
    counted = Rollup()
    counted.add(Reads(Verdict.FRESH, 0, 1, n=fresh))
    counted.add(Reads(Verdict.STALE, 5, 6, n=stale))
    counted.add(Reads(Verdict.INDETERMINATE, 0, None, n=indeterminate))
    counted.add(Reads(Verdict.UNKNOWN, n=unknown))
    return counted


def key(minute: int, layer: str = "regional", node: str = "r1", stratum: str = "walk") -> RollupKey:
    return RollupKey(minute * 60, "product", layer, node, stratum, 2 * S, "1")


def test_freshness_counts_the_walk_alone(store: SqliteStore, visitor: Visitor) -> None:
    store.write(
        Batch(
            rollups={
                key(110): cell(fresh=90, stale=10),
                key(111): cell(fresh=80, indeterminate=20, unknown=50),
                key(111, stratum="recent"): cell(stale=500),
                key(111, stratum="pinned"): cell(stale=500),
                key(111, stratum="recheck"): cell(stale=500),
                key(112, "edge", "e1"): cell(fresh=100),
                key(50): cell(stale=500),
            }
        )
    )
    [whole] = visitor.json(ask("freshness"))["items"]
    assert (whole["keyspace"], whole["layer"], whole["node"]) == ("product", None, None)
    assert whole["verdicts"] == {"fresh": 270, "stale": 10, "indeterminate": 20, "unknown": 50}
    shares = whole["freshness"]
    assert shares["good"] == pytest.approx(290 / 300)
    assert (shares["at_least"], shares["at_most"]) == pytest.approx((270 / 300, 290 / 300))
    low, high = shares["interval"]
    assert low < shares["good"] < high
    assert whole["unknown_share"] == pytest.approx(50 / 350)
    assert whole["minutes_with_reads"] == 3
    layers = visitor.json(ask("freshness", by="layer"))["items"]
    assert [each["layer"] for each in layers] == ["edge", "regional"]
    [edge] = visitor.json(ask("freshness", by="node", layer="edge"))["items"]
    assert (edge["node"], edge["freshness"]["good"]) == ("e1", 1.0)
    assert edge["freshness"]["n_effective"] == 1.0  # one minute of one node is one sample


def test_what_could_not_be_judged_is_no_share(store: SqliteStore, visitor: Visitor) -> None:
    store.write(Batch(rollups={key(110): cell(unknown=5)}))
    [item] = visitor.json(ask("freshness"))["items"]
    assert (item["freshness"], item["supported_nines"], item["unknown_share"]) == (None, 0, 1.0)


def test_a_long_window_reads_hours_and_the_newest_minutes_once(tmp_path: Path) -> None:
    store, now = SqliteStore(), 100 * 3_600 * S + 90 * S
    minutes = range(80 * 60, 100 * 60 + 2)
    store.write(Batch(rollups={key(minute): cell(fresh=1) for minute in minutes}))
    store.fold(now)
    with served(make_app(store, now_ns=lambda: now)) as port:
        [item] = Visitor(port).json(ask("freshness", window="2d"))["items"]
        assert item["verdicts"]["fresh"] == item["minutes_with_reads"] == len(minutes)
        coverage = Visitor(port).json(ask("coverage", window="2d"))
        assert coverage["reads"] == len(minutes)


def test_coverage_tells_what_the_evidence_can_speak_for(
    store: SqliteStore, visitor: Visitor
) -> None:
    store.write(
        Batch(
            nodes=[
                node("r1"),
                node("r2", state="unknown", why="timed out", answered_at_ns=None),
                node("r3", state="gone"),
                node("db", layer=""),
            ],
            runs=[run(1), run(2, key="43")],
            rollups={
                key(110): cell(fresh=3, indeterminate=1),
                key(110, stratum="recent"): cell(fresh=3),
                key(111): cell(unknown=4),
                key(110, node="r2"): cell(unknown=4),
            },
        )
    )
    found = visitor.json(ask("coverage"))
    assert found["nodes"] == {"answering": 1, "listed": 2}
    assert found["minutes"] == {"observed": 1, "expected": 60 * 2}
    assert found["keys"] == [{"keyspace": "product", "seen": 2, "is_all": True}]
    assert found["unknown_share"] == pytest.approx(8 / 12)
    assert found["indeterminate_share"] == pytest.approx(1 / 4)
    assert [(each["node"], each["minutes"]["observed"]) for each in found["items"]] == [
        ("r1", 1), ("r2", 0), ("r3", 0),
    ]  # fmt: skip
    silent = found["items"][1]
    assert (silent["state"], silent["why"], silent["answered_at"]) == ("unknown", "timed out", None)


def test_a_store_that_cannot_be_read_is_a_problem(store: SqliteStore, visitor: Visitor) -> None:
    store.close()
    found = problem(visitor, ask("nodes"))
    assert found["status"] == 503
    assert found["detail"].startswith("the store cannot be read: ")


def test_answers_are_never_cached(seeded: Visitor) -> None:
    assert seeded.get(ask("nodes")).headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("text", "at_ns"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:00.000000001Z", 1),
        ("1970-01-01T01:00:00.5+01:00", S // 2),
        ("2027-01-15T08:00:00.123456789Z", NOW + 123_456_789),
        ("1969-12-31T23:59:59.999999999Z", -1),
    ],
)
def test_instants_are_exact_to_the_nanosecond(text: str, at_ns: int) -> None:
    assert parse_moment(text) == at_ns
    assert parse_moment(time_text(at_ns)) == at_ns


def test_the_page_names_every_route_and_every_parameter() -> None:
    rows = re.findall(r"^\| `([^` ]+)` \|([^|]*)\|", PAGE, re.MULTILINE)
    documented = {path: set(re.findall(r"`(\w+)`", parameters)) for path, parameters in rows}
    routes = make_router(SqliteStore(), lambda: NOW).routes
    assert documented == {
        _written(route.path): _parameters(route)
        for route in routes
        if isinstance(route, APIRoute) and "GET" in (route.methods or ())
    }


def _written(path: str) -> str:
    named = path.replace("{named:anything}", "{keyspace}/{key}").replace("{id:anything}", "{id}")
    return named.removeprefix("/") or "(none)"


def _parameters(route: APIRoute) -> set[str]:
    [asked] = route.dependant.query_params
    model = asked.field_info.annotation
    assert isinstance(model, type)
    assert issubclass(model, Asked)
    return set(model.model_fields)


def test_what_the_page_shows_is_what_is_answered(seeded: Visitor) -> None:
    paths = re.findall(r"^\$ curl \S*'http://127.0.0.1:8080(/\S+)'", PAGE, re.MULTILINE)
    assert paths
    for path in paths:
        assert seeded.get(path).status_code == 200, path


def test_the_page_names_every_field(seeded: Visitor, store: SqliteStore) -> None:
    answers = [
        seeded.json(ask(path))
        for path in ("nodes", "findings", "freshness", "coverage", "keys/product/sku-1007")
    ]
    told = set(re.findall(r"`(\w+)`", PAGE))
    assert {name for answer in answers for name in _fields(answer)} - told == set()


def _fields(found: Any) -> Iterator[str]:
    if isinstance(found, dict):
        yield from found
    for each in found.values() if isinstance(found, dict) else found:
        if isinstance(each, dict | list):
            yield from _fields(each)


def test_sweeps_tell_what_was_right(store: SqliteStore, visitor: Visitor) -> None:
    nodes = [NodeSwept("r1", is_over=True, walked=10, right=7, wrong=1, indeterminate=2, gone=1)]
    row = SweepRow("s1", "product", "regional", "", "done", S, 3 * S, nodes=nodes, expected=12)
    store.ask_sweep(row)
    [listed] = visitor.json(f"{API}/sweeps")["items"]
    assert visitor.json(f"{API}/sweeps/s1") == listed
    assert visitor.json(f"{API}/sweeps?open=true")["items"] == []
    assert (listed["state"], listed["node"], listed["expected"]) == ("done", None, 12)
    total = listed["total"]
    assert (total["entries"], total["share_right"], total["share_right_at_least"]) == (10, 0.9, 0.7)
    assert total["interval"][0] < 0.9 < total["interval"][1]
    assert visitor.get(f"{API}/sweeps/nobody").status_code == 404
