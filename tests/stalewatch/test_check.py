"""`check` and `init` against a real Redis and a real database."""

import json
import sqlite3
from collections.abc import Mapping
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from stalewatch.cli.check import check
from stalewatch.cli.init import init
from tests.collectors.web import serving
from tests.servers import RedisServer
from tests.servers.smtp import running_mail_server

FINE, FOUND, BAD = 0, 1, 2
RUNNER = CliRunner()

CONFIG = """\
origins:
  shop: {{kind: sqlite, path: shop.db, linearizable: true}}
layers:
  cache:
    kind: redis
    mechanism: purge
    max_staleness: 1s
    nodes: [{{static: "127.0.0.1:{port}", name: n1}}]
keyspaces:
  product:
    origin:
      name: shop
      query: "SELECT id, version FROM product WHERE id IN (SELECT value FROM json_each(:keys))"
    version: {{type: integer, order: counter}}
    layers:
      cache: {{key: "product:{{key}}", version: {{json: $.version}}}}
    keys: {{range: {{from: 1, to: 40}}}}
"""


def run(*arguments: str) -> Result:
    app = typer.Typer()
    app.command("check")(check)
    app.command("init")(init)
    return RUNNER.invoke(app, arguments)


def shop(folder: Path, port: int) -> str:
    """The path of a config of a shop whose products 1 to 40 are of version 3."""
    with sqlite3.connect(folder / "shop.db") as db:
        db.execute("CREATE TABLE product (id TEXT PRIMARY KEY, version INTEGER)")
        db.executemany("INSERT INTO product VALUES (?, 3)", [(str(n),) for n in range(1, 41)])
    db.close()
    file = folder / "stalewatch.yaml"
    file.write_text(CONFIG.format(port=port))
    return str(file)


def fill(server: RedisServer, values: Mapping[str, str]) -> None:
    for key, value in values.items():
        server.client.set(key, value)


def test_a_keyspace_that_can_be_judged_is_fine(tmp_path: Path, redis_server: RedisServer) -> None:
    fill(redis_server, {f"product:{n}": '{"version": 2}' for n in range(1, 41)})
    done = run("check", "--config", shop(tmp_path, redis_server.port), "--json")
    assert done.exit_code == FINE, done.output
    told = json.loads(done.stdout)
    assert {one["name"]: one["ok"] for one in told["servers"]} == {"shop": True, "n1": True}
    assert told["keyspaces"][0]["pairs"] == {"cache": 20}
    assert [(rule["rule"], rule["mode"]) for rule in told["rules"]] == [
        ("staleness:cache", "observe"),
        ("unreachable:all", "observe"),
        ("measurement-lost:all", "observe"),
        ("config-drift:all", "observe"),
    ]
    assert told["rules"][0]["fires"].startswith("Fires when a node of cache holds a copy")


def test_promises_that_lifetimes_do_not_keep_are_warned_about(tmp_path: Path) -> None:
    file = Path(shop(tmp_path, 1))
    text = file.read_text()
    timed = "mechanism: ttl\n    documented_ttl: 5s\n    ttl_jitter: 1s"
    file.write_text(text.replace("mechanism: purge", timed))
    done = run("check", "--config-only", "--config", str(file))
    assert done.exit_code == FINE
    assert done.stderr == (
        "warning: layers.cache.max_staleness is 1s, end to end, and lifetimes add up to 6s or more:"
        " cache 6s\n"
    )
    file.write_text(text.replace("mechanism: purge", "mechanism: ttl"))
    done = run("check", "--config-only", "--json", "--config", str(file))
    [warning] = json.loads(done.stdout)["warnings"]
    assert warning.endswith("layers.cache.documented_ttl is missing")
    file.write_text(text)
    done = run("check", "--config-only", "--json", "--config", str(file))
    assert json.loads(done.stdout) == {"ok": True, "warnings": []}


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (
            {f"product:{n}": '{"v": 2}' for n in range(1, 41)},
            "20 unreadable (nothing at $.version)",
        ),
        ({f"Product:{n}": '{"version": 2}' for n in range(1, 41)}, "20 miss"),
    ],
    ids=["no version in the value", "keys written otherwise"],
)
def test_a_keyspace_without_a_comparable_pair_is_refused(
    tmp_path: Path, redis_server: RedisServer, values: Mapping[str, str], found: str
) -> None:
    fill(redis_server, values)
    done = run("check", "--config", shop(tmp_path, redis_server.port), "--json")
    assert done.exit_code == BAD
    assert json.loads(done.stdout)["keyspaces"][0]["found"]["cache"] == found
    assert "keyspace product: no layer yields a value that can be compared" in done.stderr


def test_a_node_that_is_down_is_found_and_refuses_nothing(tmp_path: Path) -> None:
    with RedisServer() as gone:
        port = gone.port
    done = run("check", "--config", shop(tmp_path, port))
    assert done.exit_code == FOUND
    assert "fails" in done.stdout


CHANNEL = """\
channels:
  sre: {{kind: mail, smtp: "127.0.0.1:{port}", tls: none, from: sw@b.test, to: [sre@b.test]}}
"""


@pytest.mark.parametrize("is_up", [True, False], ids=["it answers", "it is down"])
def test_a_mail_server_is_greeted_and_gets_no_mail(
    tmp_path: Path, redis_server: RedisServer, is_up: bool
) -> None:
    fill(redis_server, {f"product:{n}": '{"version": 2}' for n in range(1, 41)})
    file = shop(tmp_path, redis_server.port)
    with running_mail_server() as server:
        with Path(file).open("a") as config:
            config.write(CHANNEL.format(port=server.port if is_up else 1))
        done = run("check", "--config", file, "--json")
    told = {one["name"]: one for one in json.loads(done.stdout)["servers"]}
    assert (done.exit_code, told["sre"]["ok"]) == (FINE if is_up else FOUND, is_up)
    assert told["sre"]["server"] == ("mail.test" if is_up else "")
    assert server.commands == (["NOOP"] if is_up else [])


OTHERS = """\
channels:
  hook: {{kind: webhook, url: "http://127.0.0.1:{port}/hook"}}
  chat: {{kind: slack, url: {{file: chat.url}}}}
heartbeat: {{url: "http://127.0.0.1:{port}/ping"}}
"""


def test_webhooks_chats_and_the_heartbeat_are_greeted_and_told_nothing(
    tmp_path: Path, redis_server: RedisServer
) -> None:
    fill(redis_server, {f"product:{n}": '{"version": 2}' for n in range(1, 41)})
    file = shop(tmp_path, redis_server.port)
    with serving(lambda _: (404, {}, b"")) as web:
        (tmp_path / "chat.url").write_text(f"http://127.0.0.1:{web.port}/services/T0/s3cret")
        with Path(file).open("a") as config:
            config.write(OTHERS.format(port=web.port))
        done = run("check", "--config", file, "--json")
    told = {(one["layer"], one["name"]): one["ok"] for one in json.loads(done.stdout)["servers"]}
    assert done.exit_code == FINE, done.output
    assert told[("channel", "hook")]
    assert told[("channel", "chat")]
    assert told[("heartbeat", "")]
    assert {(asked.method, asked.path) for asked in web.asked} == {("HEAD", "/")}
    assert "s3cret" not in done.output


def test_a_bad_config_is_told_on_standard_error(tmp_path: Path) -> None:
    file = tmp_path / "stalewatch.yaml"
    file.write_text("objectifs: {}\n")
    done = run("check", "--config", str(file))
    assert (done.exit_code, done.stdout) == (BAD, "")
    assert f"{file}:1:1: objectifs: unknown key" in done.stderr


def test_the_least_access_is_printed_without_reaching_anybody(tmp_path: Path) -> None:
    done = run("check", "--config", shop(tmp_path, 1), "--grants", "--json")
    assert done.exit_code == FINE
    assert "~product:*" in json.loads(done.stdout)["layer cache"]


def test_what_init_writes_is_a_config(tmp_path: Path) -> None:
    file = tmp_path / "new.yaml"
    assert run("init", str(file)).exit_code == FINE
    assert run("init").stdout == file.read_text()
    assert run("check", "--config-only", "--config", str(file)).exit_code == FINE


def test_init_overwrites_nothing(tmp_path: Path) -> None:
    file = tmp_path / "new.yaml"
    file.write_text("mine")
    done = run("init", str(file))
    assert (done.exit_code, file.read_text()) == (BAD, "mine")
    assert "is there already" in done.stderr
