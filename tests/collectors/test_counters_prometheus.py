"""Counters from a real Prometheus that scrapes an exporter's page, and from what is none."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from collectors.counters.presets import PRESETS, promql
from collectors.counters.prometheus import Place, PrometheusSource, Query, combined, sort_out
from collectors.counters.prometheus_link import PrometheusLink, QueryError
from freshness.counters import Counters
from settings import Auth
from stalewatch.config.counters import Preset
from tests.collectors.web import Answer, Asked, serving
from tests.servers import PrometheusServer, eventually, free_port

PAGES = {
    "redis_exporter": """
redis_keyspace_hits_total {n}
redis_keyspace_misses_total 20
redis_evicted_keys_total 3
redis_expired_keys_total 4
redis_commands_total{{cmd="get"}} 100
redis_commands_total{{cmd="del"}} 7
redis_commands_total{{cmd="unlink"}} 2
redis_commands_duration_seconds_total{{cmd="get"}} 0.5
redis_memory_used_bytes 1.25e+06
redis_memory_max_bytes 0
redis_db_keys{{db="db0"}} 30
redis_db_keys{{db="db1"}} 12
redis_uptime_in_seconds 4000
""",
    "memcached_exporter": """
memcached_commands_total{{command="get",status="hit"}} {n}
memcached_commands_total{{command="get",status="miss"}} 20
memcached_commands_total{{command="set",status="hit"}} 5
memcached_commands_total{{command="delete",status="hit"}} 6
memcached_commands_total{{command="delete",status="miss"}} 1
memcached_items_evicted_total 3
memcached_current_bytes 1000
memcached_limit_bytes 6.7108864e+07
memcached_current_items 9
memcached_uptime_seconds 4000
""",
    "varnish_exporter": """
varnish_main_cache_hit {n}
varnish_main_cache_miss 20
varnish_main_n_lru_nuked 3
varnish_main_n_expired 4
varnish_main_n_purges 5
varnish_main_bans_added 2
varnish_main_client_req 200
varnish_sma_g_bytes{{type="s0"}} 1000
varnish_sma_g_bytes{{type="Transient"}} 77
varnish_main_n_object 9
varnish_main_uptime 4000
""",
    "nginx_exporter": "nginx_http_requests_total {n}\n",
    "nginx_vts": """
nginx_vts_server_cache_total{{host="*",status="hit"}} {n}
nginx_vts_server_cache_total{{host="*",status="stale"}} 1
nginx_vts_server_cache_total{{host="*",status="miss"}} 19
nginx_vts_server_cache_total{{host="*",status="expired"}} 1
nginx_vts_server_cache_total{{host="_",status="hit"}} 999
nginx_vts_server_requests_total{{host="*",code="total"}} 200
nginx_vts_server_requests_total{{host="*",code="2xx"}} 200
nginx_vts_server_request_seconds_total{{host="*"}} 0.5
""",
}
"""What the exporters say, by their real names; labels of other kinds are left out."""
EXPECTED = {
    "redis_exporter": Counters(100, 20, 3, 4, 9, 109, 500_000, 1_250_000, None, 42),
    "memcached_exporter": Counters(100, 20, 3, None, 7, 132, None, 1_000, 64 << 20, 9),
    "varnish_exporter": Counters(100, 20, 3, 4, 7, 200, None, 1_000, None, 9),
    "nginx_exporter": Counters(requests=100),
    "nginx_vts": Counters(101, 20, None, None, None, 200, 500_000),
}
SCRAPES = """
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
  - job_name: caches
    static_configs:
      - {{targets: ["127.0.0.1:{port}"], labels: {{instance: node-a}}}}
      - {{targets: ["127.0.0.1:{port}"], labels: {{instance: stranger}}}}
"""


def source_at(url: str, queries: list[Query], **options: Any) -> PrometheusSource:
    link = PrometheusLink(url, time.monotonic_ns, **{"timeout_s": 5.0, **options})
    return PrometheusSource(link, queries, time.monotonic_ns)


def preset(name: str, layer: str = "regional", **nodes: str) -> list[Query]:
    mapped = nodes or {"node-a": "r1"}
    found = promql(name, "instance", 'job="caches"')
    return [Query(layer, counter, text, "instance", mapped) for counter, text in found.items()]


@contextmanager
def scraping() -> Iterator[tuple[PrometheusServer, Callable[[int], None]]]:
    """A Prometheus that scrapes every exporter's page; and what sets the count of hits on it."""
    hits = [100]

    def page(asked: Asked) -> Answer:
        text = "".join(each.lstrip().format(n=hits[0]) for each in PAGES.values())
        return 200, {"Content-Type": "text/plain; version=0.0.4"}, text.encode()

    def set_hits(count: int) -> None:
        hits[0] = count

    with serving(page) as web, PrometheusServer(SCRAPES.format(port=web.port)) as prometheus:
        yield prometheus, set_hits


async def test_every_preset_reads_its_exporter_and_tells_what_is_mapped_to_no_node() -> None:
    with scraping() as (prometheus, set_hits):
        for name in PRESETS:
            source = source_at(prometheus.url, preset(name))

            async def is_scraped(source: PrometheusSource = source) -> bool:
                look = await source.look()
                return bool(look.samples[Place("regional", "r1")].counters) and bool(look.unmapped)

            await eventually(is_scraped, f"{name} is scraped", 30)
            look = await source.look()
            sample = look.samples[Place("regional", "r1")]
            assert sample.counters == EXPECTED[name], name
            assert look.unmapped == ["regional/stranger"]
            assert look.problems == []
            uptime_s = None if name.startswith("nginx") else 4_000
            assert sample.uptime_s == uptime_s
            await source.close()
        await _follows_free_promql(prometheus, set_hits)


async def _follows_free_promql(
    prometheus: PrometheusServer, set_hits: Callable[[int], None]
) -> None:
    """In the same Prometheus, which took a second to have anything."""
    hits = 'redis_keyspace_hits_total{job="caches"}'
    nodes = {"node-a": "r1", "absent": "r2"}
    free = Query("regional", "hits", hits, "instance", nodes)
    twice = Query("edge", "hits", f"{hits} * 1", "job", {"caches": "e1"})
    source = source_at(prometheus.url, [free, twice])

    async def shows_200() -> bool:
        sample = (await source.look()).samples[Place("regional", "r1")]
        return sample.counters == Counters(hits=200)

    set_hits(200)
    await eventually(shows_200, "the new count is scraped", 30)
    look = await source.look()
    assert look.samples[Place("regional", "r2")].why == "prometheus: has no series of this node"
    # Two series that claim one node are known of neither.
    assert look.samples[Place("edge", "e1")].counters == Counters()
    assert look.problems == ["edge: e1: several series for hits; sum them in the query"]
    bad = source_at(prometheus.url, [Query("edge", "hits", "sum(", "job", {"a": "e1"})])
    look = await bad.look()
    why = look.samples[Place("edge", "e1")].why
    assert why.startswith("prometheus: refused: HTTP Status Code 400")
    assert "parse error" in why
    scalar = source_at(prometheus.url, [Query("edge", "hits", "42", "job", {"a": "e1"})])
    assert "refused" in (await scalar.look()).problems[0]


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        pytest.param((200, {}, b"no JSON"), "not the answer of a Prometheus", id="no JSON"),
        pytest.param((200, {}, b"{}"), "not the answer of a Prometheus", id="other JSON"),
        pytest.param((200, {}, b"[" * 9_000), "not the answer of a Prometheus", id="deep JSON"),
        pytest.param(
            (200, {}, b'{"data": {"result": 7}}'), "not the answer of a Prometheus", id="no list"
        ),
        pytest.param((503, {}, b"starting"), "refused: HTTP Status Code 503", id="a status"),
        pytest.param((302, {"Location": "/login"}, b""), "TooManyRedirects", id="a redirect"),
        pytest.param((200, {}, b" " * (17 << 20)), "longer than 16 MiB", id="a long answer"),
    ],
)
async def test_what_is_no_prometheus_is_unknown(answer: Answer, why: str) -> None:
    with serving(lambda _: answer) as web:
        source = source_at(f"http://127.0.0.1:{web.port}", preset("redis_exporter"))
        look = await source.look()
        asked = list(web.asked)
    sample = look.samples[Place("regional", "r1")]
    assert sample.counters is None
    assert why in sample.why
    assert len(asked) == 1  # nobody tries again


async def test_a_prometheus_that_is_not_there_or_hangs_costs_one_time_out() -> None:
    gone = source_at(f"http://127.0.0.1:{free_port()}", preset("redis_exporter"))
    look = await gone.look()
    assert look.problems == ["regional: prometheus: cannot connect"]
    with PrometheusServer() as prometheus:
        source = source_at(prometheus.url, preset("redis_exporter"), timeout_s=0.5)
        await source.look()
        prometheus.pause()
        start = time.monotonic()
        look = await source.look()
        took_s = time.monotonic() - start
        prometheus.resume()
    assert look.problems == ["regional: prometheus: timed out"]
    assert took_s < 5  # of its own accord the library would try for ten seconds


async def test_logins_are_sent_and_nothing_of_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PROM_TOKEN", "s3cret")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    answer: Answer = (200, {}, b'{"data": {"result": []}}')
    token = {"token": {"env": "PROM_TOKEN"}}
    basic = {"username": "u", "password": {"env": "PROM_TOKEN"}}
    with serving(lambda _: answer) as web:
        for auth in (token, basic):
            source = source_at(
                f"http://127.0.0.1:{web.port}/prom",
                preset("nginx_exporter"),
                auth=Auth.model_validate(auth),
            )
            look = await source.look()
            assert look.problems == []
    bearer, login = (asked.headers["authorization"] for asked in web.asked)
    assert (bearer, login) == ("Bearer s3cret", "Basic dTpzM2NyZXQ=")
    assert web.asked[0].path.startswith("/prom/api/v1/query")


def test_a_link_says_why_a_secret_is_not_there() -> None:
    auth = Auth.model_validate({"token": {"env": "NO_SUCH_VARIABLE_HERE"}})
    link = PrometheusLink("http://127.0.0.1:1", time.monotonic_ns, timeout_s=1, auth=auth)
    with pytest.raises(QueryError, match="NO_SUCH_VARIABLE_HERE"):
        link.ask("up")


@pytest.mark.parametrize(
    "series",
    [
        pytest.param(7, id="no mapping"),
        pytest.param({"metric": {}, "value": [0, "1"]}, id="without our label"),
        pytest.param({"metric": {"stalewatch_counter": "99"}, "value": [0, "1"]}, id="not asked"),
        pytest.param({"metric": {"stalewatch_counter": "0"}, "value": []}, id="without a value"),
    ],
)
def test_a_series_of_nobody_is_let_go(series: object) -> None:
    found = sort_out([series], preset("nginx_exporter"))
    assert not found.values
    assert not found.unmapped


def test_all_counters_of_a_layer_are_one_question() -> None:
    assert combined(preset("nginx_exporter") * 2).count(" or ") == 1


def test_the_config_knows_every_preset() -> None:
    assert set(Preset.__args__) == set(PRESETS)  # type: ignore[attr-defined]
