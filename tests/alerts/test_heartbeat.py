"""A heartbeat beats while copies are read, rules looked at and facts stored; else it does not."""

from typing import Any

import pytest

from alerts.heartbeat import HeartbeatSettings, Signs, stand_still
from stalewatch.beating import RETRY_S, Heart
from stalewatch.metrics import Metrics
from tests.collectors.web import serving
from tests.servers import free_port

S = 1_000_000_000
NOW = 10_000 * S


def signs(**changes: Any) -> Signs:
    """All is well: one keyspace each second, one each minute."""
    given: dict[str, Any] = {
        "rounds": {"product": (NOW - S, S), "price": (NOW - 50 * S, 60 * S)},
        "evaluated_at_ns": NOW - 5 * S,
        "written_at_ns": NOW - S,
    }
    return Signs(**{**given, **changes})


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        pytest.param({}, "", id="all goes on"),
        pytest.param(
            {"rounds": {"product": (NOW - 33 * S, S)}}, "", id="three rounds and the grace"
        ),
        pytest.param(
            {"rounds": {"product": (NOW - 34 * S, S)}},
            "no round of product ended of late",
            id="rounds have stopped",
        ),
        pytest.param(
            {"rounds": {"product": (NOW, S), "price": (None, S)}},
            "no round of price ended of late",
            id="one of two keyspaces never began",
        ),
        pytest.param({"rounds": {}}, "no keyspace is probed", id="nothing to probe"),
        pytest.param(
            {"evaluated_at_ns": NOW - 61 * S}, "no rule was looked at of late", id="rules rest"
        ),
        pytest.param({"evaluated_at_ns": None}, "no rule was looked at of late", id="at the start"),
        pytest.param(
            {"written_at_ns": NOW - 34 * S}, "nothing was written of late", id="writes have stopped"
        ),
        pytest.param(
            {"store_problem": "disk full"}, "the store takes no writes: disk full", id="no writes"
        ),
        pytest.param(
            {"evaluated_at_ns": None, "written_at_ns": None},
            "no rule was looked at of late; nothing was written of late",
            id="two at once",
        ),
    ],
)
def test_what_stands_still_is_named(changes: dict[str, Any], why: str) -> None:
    assert stand_still(signs(**changes), NOW) == why


def settings(port: int, **more: Any) -> HeartbeatSettings:
    given = {"url": f"http://127.0.0.1:{port}/ping/uuid", **more}
    return HeartbeatSettings.model_validate(given)


def counted(metrics: Metrics, outcome: str) -> float | None:
    name = "stalewatch_heartbeats_total"
    return metrics.registry.get_sample_value(name, {"outcome": outcome})


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
async def test_it_pings_while_all_goes_on(method: str) -> None:
    metrics = Metrics()
    with serving(lambda _: (200, {}, b"OK")) as web:
        heart = Heart(settings(web.port, method=method), lambda: "", metrics.telling)
        assert await heart.beat() == 60.0
    assert [(asked.method, asked.path) for asked in web.asked] == [(method, "/ping/uuid")]
    assert counted(metrics, "sent") == 1


async def test_it_falls_silent_and_beats_again() -> None:
    metrics, why = Metrics(), ["no rule was looked at of late"]
    with serving(lambda _: (200, {}, b"OK")) as web:
        heart = Heart(settings(web.port), lambda: why[0], metrics.telling)
        assert await heart.beat() == RETRY_S
        assert web.asked == []
        why[0] = ""
        await heart.beat()
        assert len(web.asked) == 1
    assert (counted(metrics, "withheld"), counted(metrics, "sent")) == (1, 1)


async def test_what_is_not_taken_is_tried_again_soon() -> None:
    metrics = Metrics()
    assert await Heart(settings(free_port()), lambda: "", metrics.telling).beat() == RETRY_S
    with serving(lambda _: (404, {}, b"no such check")) as web:
        short = settings(web.port, interval="5s")
        assert await Heart(short, lambda: "", metrics.telling).beat() == 5.0
    assert counted(metrics, "failed") == 2


@pytest.mark.parametrize("interval", ["1s", "48h"])
def test_an_interval_that_cannot_be_meant_is_refused(interval: str) -> None:
    with pytest.raises(ValueError, match="from 5s to 24h"):
        settings(1, interval=interval)
