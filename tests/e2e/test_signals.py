"""How `up` starts, is told of a new config, and ends."""

import signal

import psutil

from lab.start import Lab
from tests.e2e.conftest import StartUp
from tests.e2e.running import run
from tests.servers import wait_until

BAD_USAGE = 2
STOP_S = 30.0
BURST = 20
APPLIED = "the config is read anew"
NEW_LIMIT_NS = 400_000_000
RELOADS = 'stalewatch_config_reloads_total{outcome="%s"}'
MISTAKES = (
    ("mechanism: purge\n    placement: all\n    max_staleness: 300ms\n    documented_ttl: 120s\n"
     "    single_tier", "mechanism: prge\n    placement: all\n    max_staleness: 300 parsecs\n"
     "    documented_ttl: 120s\n    single_tear"),
    ("limit: 50/s", "limit: quick"),
    ("order: counter", "order: counting"),
)  # fmt: skip


def test_it_ends_soon_and_leaves_nobody_behind(shared_shop: Lab, start_up: StartUp) -> None:
    up = start_up(shared_shop.config).ready()
    family = psutil.Process(up.process.pid).children(recursive=True)
    assert up.end(signal.SIGTERM, STOP_S) == 0
    assert not [each for each in family if each.is_running()]
    assert "Traceback" not in up.log
    assert not (shared_shop.dir / "stalewatch.db-wal").exists(), "the store was not closed"


def test_a_page_that_is_open_does_not_hold_it_up(shared_shop: Lab, start_up: StartUp) -> None:
    up = start_up(shared_shop.config).ready()
    with up.hold_a_page_open():
        assert up.end(signal.SIGINT, STOP_S) == 0


def test_hup_takes_a_config_that_is_right_and_keeps_the_old_one_else(
    shop: Lab, start_up: StartUp
) -> None:
    up = start_up(shop.config).ready()
    good = shop.config.read_text()
    shop.config.write_text(good.replace("max_staleness: 300ms", "max_staleness: 400ms"))
    up.send(signal.SIGHUP)
    wait_until(lambda: up.metric(RELOADS % "applied") == 1, "the new config to apply")
    wait_until(lambda: _limits_ns(up.items("nodes")) == {NEW_LIMIT_NS}, "the nodes to follow")
    shop.config.write_text(good.replace("order: counter", "order: counting"))
    up.send(signal.SIGHUP)
    wait_until(lambda: up.metric(RELOADS % "refused") == 1, "the config to be refused")
    (line,) = up.said("the config has mistakes; going on with the old one")
    assert "keyspaces.product.version.order" in line["why"]
    rounds = 'stalewatch_rounds_total{keyspace="product",outcome="complete"}'
    before = up.metric(rounds)
    wait_until(lambda: up.metric(rounds) > before, "the old config to be probed")
    assert _limits_ns(up.items("nodes")) == {NEW_LIMIT_NS}


def test_signals_may_come_in_a_burst(shared_shop: Lab, start_up: StartUp) -> None:
    up = start_up(shared_shop.config).ready()
    up.send(signal.SIGHUP)
    wait_until(lambda: up.said(APPLIED), "the first reload")
    for _ in range(BURST):
        up.send(signal.SIGHUP)
    assert up.end(signal.SIGTERM, STOP_S) == 0
    assert "Traceback" not in up.log
    assert not up.said("the store takes no writes")


def test_a_port_that_is_taken_is_told(shared_shop: Lab, start_up: StartUp) -> None:
    up = start_up(shared_shop.config).ready()
    taken = up.address.removeprefix("http://").rstrip("/")
    other = shared_shop.dir / "other.yaml"
    other.write_text(shared_shop.config.read_text().replace("stalewatch.db", "other.db"))
    second = run("up", "-c", str(other), "--listen", taken)
    assert second.returncode == BAD_USAGE
    assert f"cannot listen on {taken}" in second.stderr
    assert "choose another" in second.stderr
    assert "Traceback" not in second.stderr
    assert up.ask("readyz").status_code == 200


def test_all_mistakes_are_told_at_once_and_nothing_starts(shop: Lab) -> None:
    text = shop.config.read_text()
    for right, wrong in MISTAKES:
        assert right in text
        text = text.replace(right, wrong, 1)
    shop.config.write_text(text)
    done = run("up", "-c", str(shop.config), "--listen", "127.0.0.1:0")
    assert done.returncode == BAD_USAGE
    for place in (
        "layers.edge.mechanism",
        "layers.edge.max_staleness",
        "layers.edge.single_tear",
        "origins.shop.limit",
        "keyspaces.product.version.order",
    ):
        (line,) = [line for line in done.stderr.splitlines() if place in line]
        assert _names_a_place(line, str(shop.config)), line
    assert not (shop.dir / "stalewatch.db").exists()


def _limits_ns(nodes: list[dict[str, object]]) -> set[object]:
    return {node["max_staleness_ns"] for node in nodes if node["role"] == "cache"}


def _names_a_place(line: str, file: str) -> bool:
    """Whether a line begins with file:line:column."""
    name, line_number, column, _ = line.split(":", 3)
    return file.endswith(name) and line_number.isdigit() and column.isdigit()
