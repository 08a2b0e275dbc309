"""Objectives in the API and in metrics: figures where there are data, null where there are none."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from freshness.counts import count_events
from freshness.status import At
from freshness.tally import Tally
from stalewatch.metrics import Metrics
from store.objectives import Standing
from store.sqlite import SqliteStore
from tests.dashboard.seed_objectives import SPECS, seed_objectives
from tests.stalewatch.serving import NOW, Visitor, make_app, served

SLICE = 60 * 10**9
SETTLED = NOW - NOW % SLICE


@pytest.fixture(scope="module")
def visitor() -> Iterator[Visitor]:
    store = SqliteStore(":memory:")
    objectives = seed_objectives(store, SETTLED)
    with served(make_app(store, lambda: SETTLED, objectives=objectives)) as port:
        yield Visitor(port)
    store.close()


def test_the_list(visitor: Visitor) -> None:
    items = visitor.json("/api/v1/objectives")["items"]
    assert [each["name"] for each in items] == ["product-fresh", "product-strict", "order-fresh"]
    fresh, strict, order = (each["status"] for each in items)
    assert fresh["gap"] is None
    assert fresh["remaining"] == pytest.approx(1 - 152 / 576)
    assert fresh["sli"]["at_least"] == fresh["sli"]["good"] == 1 - 152 / 57_600
    assert strict["remaining"] < 0
    assert (strict["is_whole"], strict["forecast"]["outlook"]) == (False, "exhausted")
    assert (order["gap"], order["sli"], order["remaining"]) == ("stale-watermark", None, None)
    assert {each["reason"] for each in order["burns"]} == {"no-data"}
    assert all(each["is_frozen"] for each in order["burns"])
    assert items[2]["cautions"] == ["occurrences-in-a-calendar-window"]


def test_one_of_them_says_who_spent_it_and_when(visitor: Visitor) -> None:
    one = visitor.json("/api/v1/objectives/product-fresh")
    worst = one["attribution"]["node"]["worst"]
    assert [(each["node"], each["bad"], each["share"]) for each in worst] == [("e1", 152.0, 1.0)]
    assert one["attribution"]["key"]["unattributed"]["share"] == 1.0
    assert one["attribution"]["publisher"] is None
    spent = sum(each["spent"] for each in one["history"])
    assert spent == pytest.approx(one["status"]["spent"])


def test_none_of_that_name(visitor: Visitor) -> None:
    answer = visitor.get("/api/v1/objectives/other")
    assert answer.status_code == 404
    assert "/api/v1/objectives lists" in answer.json()["detail"]


def test_metrics_have_no_figure_where_there_are_no_data() -> None:
    store, metrics = SqliteStore(":memory:"), Metrics()
    metrics.objectives.follow(seed_objectives(store, SETTLED).statuses(SETTLED))
    told = metrics.exposition()[0].decode()
    assert 'stalewatch_objective_has_data{objective="order-fresh"} 0.0' in told
    assert 'stalewatch_objective_sli{objective="order-fresh"}' not in told
    assert 'stalewatch_objective_budget_remaining{objective="product-fresh"} 0.736' in told
    assert 'stalewatch_objective_burn_rate{objective="product-fresh",window="720"} 0.0' in told
    metrics.objectives.follow([])
    assert 'objective="' not in metrics.exposition()[0].decode()
    store.close()


def test_events_are_counters_that_begin_anew_with_an_objective_that_is_declared_anew() -> None:
    metrics = Metrics()
    standing = Standing(SPECS[0], At(SETTLED // 10**9, SETTLED // 10**9), None)
    name = SPECS[0].name

    def follow(**grown: int) -> list[float | None]:
        tally = Tally().plus(count_events(**grown))
        metrics.objectives.follow([replace(standing, tally=tally)])
        return [
            metrics.registry.get_sample_value(
                f"stalewatch_objective_{what}_total", {"objective": name}
            )
            for what in ("events_good", "events_bad", "events")
        ]

    assert follow() == [0, 0, 0]
    assert follow(good=5, bad=1, indeterminate=1) == [5, 1, 7]
    assert follow(good=9, bad=1, indeterminate=1) == [9, 1, 11]
    assert follow(good=2) == [2, 0, 2]
    metrics.objectives.follow([])
    assert f'events_total{{objective="{name}"}}' not in metrics.exposition()[0].decode()
