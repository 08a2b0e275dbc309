"""All that goes out of a running server: Alertmanagers through outages, fallbacks, heartbeats."""

import json
import urllib.request
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import stalewatch.alertmanager_task
from stalewatch.clock import wall_ns
from stalewatch.config import load
from stalewatch.metrics import Metrics
from stalewatch.telling import Telling
from store.alert_book import AlertRow
from store.base import Store
from store.sqlite import SqliteStore
from tests.alerts.hooks import S, group, owed
from tests.collectors.web import serving
from tests.servers import AlertmanagerServer, eventually, free_port
from tests.servers.smtp import SilentServer
from tests.stalewatch.config.configs import GOOD, written
from tests.store import rows

UI = "http://ui.test/"
RULES = """\
rules:
  told: {kind: staleness, layer: edge, channels: [am]}
  observed: {kind: staleness, layer: regional, mode: observe}
"""


@pytest.fixture
def store() -> Iterator[Store]:
    running = SqliteStore(":memory:")
    yield running
    running.close()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stalewatch.alertmanager_task, "LOOK_S", 0.05)


def fires(rule: str) -> AlertRow:
    labels = {"layer": "edge", "node": "e1"}
    return rows.alert(rule, rule=rule, labels=labels, firing_since_ns=wall_ns() - S)


def names(server: AlertmanagerServer) -> list[str]:
    with urllib.request.urlopen(f"{server.url}/api/v2/alerts") as answer:
        return sorted(each["labels"]["alertname"] for each in json.load(answer))


def metric(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(f"stalewatch_{name}", labels)


class Started:
    """A `Telling` over a config, with its metrics."""

    def __init__(self, folder: Path, store: Store, more: str, stopped: str = "") -> None:
        self.config = load(written(folder, GOOD + more))
        self.metrics, self.why = Metrics(), stopped
        self.telling = Telling(store, self.metrics, lambda: self.why)

    async def __aenter__(self) -> "Started":
        self.telling.start(self.config, UI)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.telling.stop()


@pytest.fixture
async def pair() -> AsyncIterator[tuple[AlertmanagerServer, AlertmanagerServer]]:
    with AlertmanagerServer() as one, AlertmanagerServer() as two:
        yield one, two


def _is_up(started: Started, labels: dict[str, str]) -> bool:
    return metric(started.metrics, "alertmanager_up", **labels) == 1


def channel(*urls: str) -> str:
    return f"channels:\n  am: {{kind: alertmanager, urls: {json.dumps(urls)}, resend: 5s}}\n{RULES}"


async def test_every_replica_is_told_what_its_rules_notify_of(
    store: Store, tmp_path: Path, pair: tuple[AlertmanagerServer, AlertmanagerServer]
) -> None:
    store.write_alerts([fires("told"), fires("observed")], [], [])
    async with Started(tmp_path, store, channel(*(each.url for each in pair))) as started:
        for server in pair:
            labels = {"channel": "am", "replica": server.url}
            await eventually(partial(_is_up, started, labels), "it took what it was told")
            assert names(server) == ["told"]
    assert store.notifications() == []


async def test_a_replica_that_was_down_is_told_once_it_is_back(
    store: Store, tmp_path: Path, pair: tuple[AlertmanagerServer, AlertmanagerServer]
) -> None:
    one, two = pair
    two.kill()
    store.write_alerts([fires("told")], [], [])
    async with Started(tmp_path, store, channel(one.url, two.url)) as started:
        labels = {"channel": "am", "replica": two.url}
        await eventually(lambda: names(one) == ["told"], "the other is told meanwhile")
        await eventually(
            lambda: metric(started.metrics, "alertmanager_up", **labels) == 0, "it is told of"
        )
        two.start()
        await eventually(partial(_is_up, started, labels), "it took what it was told")
        assert names(two) == ["told"]


async def test_a_replica_that_forgot_all_and_a_restart_of_ours(
    store: Store, tmp_path: Path, pair: tuple[AlertmanagerServer, AlertmanagerServer]
) -> None:
    server, _ = pair
    row = fires("told")
    store.write_alerts([row], [], [])
    async with Started(tmp_path, store, channel(server.url)):
        await eventually(lambda: names(server) == ["told"], "it is told")
        server.kill()
        server.start()  # its alerts were in memory alone
        await eventually(lambda: names(server) == ["told"], "it is told again within an interval")
    over = replace(row, state="resolved", resolved_at_ns=wall_ns() - S)
    store.write_alerts([over], [], [])
    async with Started(tmp_path, store, channel(server.url)):
        await eventually(lambda: names(server) == [], "it is resolved after the restart")


async def test_a_server_that_hangs_holds_up_no_stop(store: Store, tmp_path: Path) -> None:
    store.write_alerts([fires("told")], [], [])
    async with (
        SilentServer() as silent,
        Started(tmp_path, store, channel(f"http://127.0.0.1:{silent.port}")),
    ):
        await eventually(lambda: silent.connections, "it is asked")


async def test_what_one_channel_owes_another_tells(store: Store, tmp_path: Path) -> None:
    with serving(lambda _: (200, {}, b"ok")) as web:
        more = (
            "channels:\n"
            f'  sre: {{kind: webhook, url: "http://127.0.0.1:{free_port()}/",'
            " fallback: {channel: chat}}\n"
            f'  chat: {{kind: slack, url: "http://127.0.0.1:{web.port}/chat"}}\n'
        )
        late = owed(group(), ["sre"], at_ns=wall_ns() - 601 * S)
        store.write_alerts([], [], [late])
        async with Started(tmp_path, store, more) as started:
            await eventually(lambda: web.asked, "the chat is told")
            await eventually(
                lambda: [row.id for row in store.notifications(state="delivered")] == ["n1>chat"],
                "it is settled",
            )
    told: dict[str, Any] = json.loads(web.asked[0].body)
    assert "told here because sre has not taken it for 10 min" in told["attachments"][0]["title"]
    assert metric(started.metrics, "fallbacks_total", channel="sre", to="chat") == 1


@pytest.mark.parametrize("why", ["", "nothing was written of late"], ids=["well", "at a stand"])
async def test_the_heart_beats_while_all_goes_on(store: Store, tmp_path: Path, why: str) -> None:
    with serving(lambda _: (200, {}, b"OK")) as web:
        more = f'heartbeat: {{url: "http://127.0.0.1:{web.port}/ping"}}\n'
        async with Started(tmp_path, store, more, why) as started:
            outcome = "withheld" if why else "sent"
            await eventually(
                lambda: metric(started.metrics, "heartbeats_total", outcome=outcome), outcome
            )
    assert len(web.asked) == (not why)
