"""Who is down, hangs or talks nonsense is unknown, with the reason; it costs the others nothing."""

import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.conftest import StartUp
from tests.e2e.running import Up
from tests.servers import RedisServer, wait_until

pytestmark = pytest.mark.serial
KEYS = 20
ROUNDS_OF_2_S = 10
SOUND, SICK = "sound", "sick"
ROUNDS = 'stalewatch_rounds_total{keyspace="product",outcome="%s"}'
CONFIG = """\
store: {{path: stalewatch.db}}
origins:
  shop: {{kind: redis, host: 127.0.0.1, port: {origin}, linearizable: true, read_timeout: 500ms, \
limit: 100/s}}
layers:
  sound:
    {{kind: redis, mechanism: purge, max_staleness: 1s, limit: 100/s,
     nodes: [{{static: "127.0.0.1:{sound}", name: sound}}]}}
  sick:
    {{kind: redis, mechanism: purge, max_staleness: 1s, limit: 100/s, read_timeout: 500ms,
     nodes: [{{static: "127.0.0.1:{sick}", name: sick}}]}}
keyspaces:
  product:
    origin: {{name: shop, key: "product:{{key}}", version: {{json: $.version}}}}
    version: {{type: integer, order: counter}}
    layers:
      sound: {{key: "product:{{key}}", version: {{json: $.version}}}}
      sick: {{key: "product:{{key}}", version: {{json: $.version}}}}
    keys: {{range: {{from: 1, to: 20}}}}
    sample: {{interval: 200ms, size: 20, recent: 0%, random: 100%}}
"""
Act = Callable[[RedisServer], object]
Setting = tuple[Up, RedisServer, RedisServer]


@pytest.fixture
def setting(tmp_path: Path, start_up: StartUp) -> Iterator[Setting]:
    """`up`, the origin, and a node to make sick; all of one version."""
    with RedisServer() as origin, RedisServer() as sound, RedisServer() as sick:
        for server in (origin, sound, sick):
            fill(server, 1)
        yield start_up(written(tmp_path, origin, sound, sick.port)).ready(), origin, sick


def fill(server: RedisServer, version: int) -> None:
    for number in range(1, KEYS + 1):
        server.client.set(f"product:{number}", f'{{"version": {version}}}')


def written(folder: Path, origin: RedisServer, sound: RedisServer, sick: int) -> Path:
    file = folder / "stalewatch.yaml"
    file.write_text(CONFIG.format(origin=origin.port, sound=sound.port, sick=sick))
    return file


def test_a_node_that_is_down_is_unknown(setting: Setting) -> None:
    up, _, sick = setting
    sick.kill()
    why = assert_unknown_alone(up)
    assert "refused" in why.lower() or "closed" in why.lower()
    sick.start()
    fill(sick, 1)
    wait_until(lambda: state_of(up, SICK) == ("up", ""), "the node to be back")


def test_a_node_that_hangs_is_unknown(setting: Setting) -> None:
    up, _, sick = setting
    sick.pause()
    assert "timed out" in assert_unknown_alone(up)
    sick.resume()
    wait_until(lambda: state_of(up, SICK) == ("up", ""), "the node to be back")


def test_a_node_that_talks_nonsense_is_unknown(tmp_path: Path, start_up: StartUp) -> None:
    with RedisServer() as origin, RedisServer() as sound, babbler() as port:
        fill(origin, 1)
        fill(sound, 1)
        up = start_up(written(tmp_path, origin, sound, port)).ready()
        assert assert_unknown_alone(up)


def test_values_without_a_version_are_unreadable(setting: Setting) -> None:
    up, _, sick = setting
    for number in range(1, KEYS + 1):
        sick.client.set(f"product:{number}", "\x00nonsense")
    unreadable = 'stalewatch_probes_total{layer="sick",node="sick",result="unreadable"}'
    wait_until(lambda: up.metric(unreadable) >= 3 * KEYS, "some rounds of them")
    assert_not_judged(up, SICK, lambda: up.metric(unreadable))


@pytest.mark.parametrize(
    ("fail", "come_back"),
    [(RedisServer.kill, RedisServer.start), (RedisServer.pause, RedisServer.resume)],
    ids=["down", "hanging"],
)
def test_without_the_origin_nothing_is_judged(setting: Setting, fail: Act, come_back: Act) -> None:
    up, origin, _ = setting
    fail(origin)
    no_origin = ROUNDS % "no-origin"
    # So long that what the origin said last is older than the maximum staleness.
    wait_until(lambda: up.metric(no_origin) >= ROUNDS_OF_2_S, "rounds without the origin")
    for layer in (SOUND, SICK):
        assert_not_judged(up, layer, lambda: up.metric(no_origin))
    (row,) = [node for node in up.items("nodes") if node["role"] == "origin"]
    assert (row["state"], bool(row["why"])) == ("unknown", True)
    come_back(origin)
    fill(origin, 1)
    complete, fresh = up.metric(ROUNDS % "complete"), verdicts(up, SOUND, "fresh")
    wait_until(lambda: up.metric(ROUNDS % "complete") > complete, "the origin to be back")
    wait_until(lambda: verdicts(up, SOUND, "fresh") > fresh, "copies to be certified again")


def assert_unknown_alone(up: Up) -> str:
    """The sick node is unknown and never judged while the sound one is read each round; why."""
    wait_until(lambda: state_of(up, SICK)[0] == "unknown", "the node to be unknown")
    before, fresh = up.metric(ROUNDS % "complete"), verdicts(up, SOUND, "fresh")
    assert_not_judged(up, SICK, lambda: up.metric(ROUNDS % "complete"), rounds=8)
    rounds = up.metric(ROUNDS % "complete") - before
    assert verdicts(up, SOUND, "fresh") - fresh >= (rounds - 2) * KEYS  # what waits to be written
    assert state_of(up, SOUND) == ("up", "")
    why = state_of(up, SICK)[1]
    assert why
    return why


def assert_not_judged(up: Up, layer: str, counter: Callable[[], float], rounds: int = 5) -> None:
    """No read of the layer is called fresh or stale while the counter goes on."""
    judged = [verdicts(up, layer, verdict) for verdict in ("fresh", "stale")]
    unknown, start = verdicts(up, layer, "unknown"), counter()
    wait_until(lambda: counter() >= start + rounds, "some rounds")
    assert [verdicts(up, layer, verdict) for verdict in ("fresh", "stale")] == judged
    assert verdicts(up, layer, "unknown") > unknown


def verdicts(up: Up, layer: str, verdict: str) -> float:
    return up.metric(
        f'stalewatch_verdicts_total{{keyspace="product",layer="{layer}",verdict="{verdict}"}}'
    )


def state_of(up: Up, node: str) -> tuple[str, str]:
    """State and reason of a node."""
    (row,) = [row for row in up.items("nodes") if row["node"] == node]
    return row["state"], row["why"]


class _Babble(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        while self.request.recv(4096):
            self.request.sendall(b"HTTP/1.1 400 What?\r\n\r\n")


@contextmanager
def babbler() -> Iterator[int]:
    """The port of a server that speaks another protocol."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Babble) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()
