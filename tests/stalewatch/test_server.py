"""The whole application: its lifespan, its own routes, and the paths that proxies give it."""

import json
import re
from collections.abc import Iterator, Sequence
from ipaddress import ip_network
from urllib.parse import quote

import pytest

from stalewatch.metrics import Metrics
from store.base import Batch
from store.sqlite import SqliteStore
from tests.servers import NginxServer
from tests.stalewatch.serving import TRUSTED_PEER, QuietRuntime, Visitor, make_app, served
from tests.store.rows import CLOCK, finding, origin_run, run

STRANGE_KEY = "a/b c?d#e&f=g%2F☕"
UPGRADE = """
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection upgrade;
"""


@pytest.fixture(scope="module")
def store() -> Iterator[SqliteStore]:
    filled = SqliteStore()
    rows = [origin_run(1, key=STRANGE_KEY), run(2, key=STRANGE_KEY)]
    filled.write(Batch(clocks=[CLOCK], runs=rows, findings=[finding("f1", key=STRANGE_KEY)]))
    yield filled
    filled.close()


def test_the_runtime_lives_as_long_as_the_server() -> None:
    runtime = QuietRuntime()
    with served(make_app(SqliteStore(), runtime=runtime)):
        assert runtime.calls == ["start"]
    assert runtime.calls == ["start", "stop"]


async def test_a_runtime_that_cannot_start_is_stopped_and_ends_the_server() -> None:
    class Broken(QuietRuntime):
        async def start(self) -> None:
            raise RuntimeError("no origin")

    runtime = Broken()
    app = make_app(SqliteStore(), runtime=runtime)
    with pytest.raises(RuntimeError, match="no origin"):
        async with app.router.lifespan_context(app):
            pass
    assert runtime.calls == ["stop"]


def test_readiness_gives_its_reasons() -> None:
    runtime = QuietRuntime()
    with served(make_app(SqliteStore(), runtime=runtime)) as port:
        visitor = Visitor(port)
        assert visitor.json("/readyz") == {"status": "ready", "reasons": []}
        runtime.reasons = ["the store takes no writes: disk full"]
        refusal = visitor.get("/readyz")
        assert refusal.status_code == 503
        assert json.loads(refusal.content)["reasons"] == runtime.reasons
        assert visitor.get("/healthz").status_code == 200


def test_a_fault_of_our_own_says_nothing_of_itself() -> None:
    class Faulty(QuietRuntime):
        def readiness(self) -> Sequence[str]:
            raise RuntimeError("the secret of the thing")

    with served(make_app(SqliteStore(), runtime=Faulty())) as port:
        answer = Visitor(port).get("/readyz")
        assert answer.status_code == 500
        assert answer.headers["content-type"] == "application/problem+json"
        assert "secret" not in answer.text


def test_metrics_are_served_in_the_format_that_is_asked_for() -> None:
    metrics = Metrics()
    metrics.note_missed("round")
    with served(make_app(SqliteStore(), metrics=metrics)) as port:
        plain = Visitor(port).get("/metrics")
        assert plain.headers["content-type"].startswith("text/plain; version=0.0.4")
        assert 'stalewatch_scheduler_missed_total{job="round"} 1.0' in plain.text
        asked = "application/openmetrics-text; version=1.0.0"
        open_metrics = Visitor(port).get("/metrics", accept=asked)
        assert open_metrics.headers["content-type"].startswith("application/openmetrics-text")
        assert open_metrics.text.endswith("# EOF\n")


def test_a_deep_link_may_be_the_first_request(store: SqliteStore) -> None:
    with served(make_app(store, external_path="/sw/")) as port:
        visitor = Visitor(port)
        page = visitor.get(f"/sw/key/product/{quote(STRANGE_KEY, safe='')}")
        assert page.status_code == 200
        sources = re.findall(r'<script src="([^"]+)"', page.text)
        assert sources
        assert all(source.startswith("/sw/") for source in sources)
        assert {visitor.get(source).status_code for source in sources} == {200}
        assert visitor.get("/sw/_dash-layout").status_code == 200
        assert visitor.get("/sw/_dash-dependencies").status_code == 200


def test_the_inline_scripts_of_the_page_are_in_the_policy(store: SqliteStore) -> None:
    with served(make_app(store)) as port:
        page = Visitor(port).get("/")
        inline = re.findall(r"<script[^>]*>([^<]+)</script>", page.text)
        run_by_browser = [script for script in inline if not script.lstrip().startswith("{")]
        hashes = page.headers["content-security-policy"].count("'sha256-")
        assert hashes >= len(run_by_browser) > 0


@pytest.mark.parametrize(
    "location",
    [
        pytest.param("proxy_pass http://127.0.0.1:{port}/;", id="a proxy that strips the path"),
        pytest.param("proxy_pass http://127.0.0.1:{port};", id="a proxy that does not"),
    ],
)
def test_it_is_served_under_a_path_behind_a_real_proxy(store: SqliteStore, location: str) -> None:
    outside = "http://ops.example.com"
    app = make_app(store, external_path="/tools/sw/", external_origin=outside)
    with served(app) as port:
        proxy = f"location /tools/sw/ {{ {location.format(port=port)} {UPGRADE} }}"
        with NginxServer(server=proxy) as nginx:
            visitor = Visitor(nginx.port)
            assert "/tools/sw/_dash-component-suites" in visitor.get("/tools/sw/").text
            assert visitor.get("/tools/sw/assets/app.css").status_code == 200
            key = quote(STRANGE_KEY, safe="")
            assert visitor.json(f"/tools/sw/api/v1/keys/product/{key}")["is_known"]
            visitor.listen("/tools/sw/_dash-ws-callback", outside)
            assert visitor.refused("/tools/sw/_dash-ws-callback", "http://evil.example") == 403


def test_a_trusted_proxy_passes_the_host_on(store: SqliteStore) -> None:
    app = make_app(store, trusted=[ip_network(f"{TRUSTED_PEER}/32")])
    with served(app) as port:
        location = (
            f"proxy_pass http://127.0.0.1:{port}; proxy_set_header X-Forwarded-Host $http_host;"
        )
        with NginxServer(server=f"location / {{ {location} {UPGRADE} }}") as nginx:
            Visitor(nginx.port).listen()


@pytest.mark.parametrize("path", ["/api/", "/key", "/assets/x", "/metrics/", "/_dash-x/"])
def test_a_path_of_our_own_is_no_external_path(path: str) -> None:
    with pytest.raises(ValueError, match="external_url"):
        make_app(SqliteStore(), external_path=path)


def test_what_is_no_page_is_a_problem(store: SqliteStore) -> None:
    with served(make_app(store)) as port:
        for answer in (Visitor(port).get("/api/v1/nonsense"), Visitor(port).get("/api/v2/nodes")):
            assert answer.status_code == 404
            assert answer.headers["content-type"] == "application/problem+json"
        refusal = Visitor(port).post("/api/v1/nodes")
        assert refusal.status_code == 405
        assert refusal.headers["content-type"] == "application/problem+json"
