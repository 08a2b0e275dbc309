"""Silences and acknowledgements over HTTP and from a shell, and who may not ask for any."""

import json
import re
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import httpx2
import pytest
from typer.testing import CliRunner

from stalewatch.auth import Basic, ProxyHeader
from stalewatch.cli import app
from store.sqlite import SqliteStore
from tests.stalewatch.config.configs import GOOD
from tests.stalewatch.serving import NOW, TRUSTED_PEER, make_app, served
from tests.store.rows import alert

API = "/api/v1"
PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
ENDS = "2027-01-15T09:00:00Z"
"""An hour after NOW."""
NODE = {"name": "node", "op": "=", "value": "r1"}
SILENCE = {"matchers": [NODE], "creator": "ana", "comment": "a deploy", "ends_at": ENDS}


class Asker:
    """Somebody who sends JSON to a server, as a browser of its own pages would."""

    def __init__(self, port: int, **headers: str) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.headers = headers

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> httpx2.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        with httpx2.Client(timeout=20) as client:
            return client.request(
                method,
                f"{self.url}{API}{path}",
                content=None if body is None else json.dumps(body),
                headers={"content-type": "application/json", **self.headers, **named},
            )

    def items(self, path: str) -> list[dict[str, Any]]:
        return list(self.ask("GET", path).json()["items"])


@pytest.fixture
def store() -> Iterator[SqliteStore]:
    opened = SqliteStore()
    rows = [alert("a1"), alert("a2", labels={"node": "r2"}, inhibited_by="rule down")]
    opened.write_alerts([*rows, alert("a3", state="pending", firing_since_ns=None)], [], [])
    yield opened
    opened.close()


@pytest.fixture
def asker(store: SqliteStore) -> Iterator[Asker]:
    with served(make_app(store)) as port:
        yield Asker(port)


def test_a_silence_is_added_listed_and_ended(asker: Asker) -> None:
    made = asker.ask("POST", "/silences", SILENCE)
    assert made.status_code == 201
    said = made.json()
    assert (said["state"], said["creator"], said["comment"]) == ("active", "ana", "a deploy")
    assert (said["starts_at_ns"], said["ends_at"][:19]) == (NOW, ENDS[:19])
    assert sorted(said["suppresses"]) == ["a1", "a3"]
    assert asker.items("/silences") == [said]
    ended = asker.ask("DELETE", f"/silences/{said['id']}").json()
    assert (ended["state"], ended["ends_at_ns"], ended["suppresses"]) == ("ended", NOW, [])


def test_an_alert_says_what_keeps_it_quiet(asker: Asker) -> None:
    id = asker.ask("POST", "/silences", SILENCE).json()["id"]
    asker.ask("POST", "/alerts/a2/ack", {"by": "bob", "comment": "on it"})
    alerts = {each["id"]: each for each in asker.items("/alerts")}
    assert (alerts["a1"]["silenced_by"], alerts["a1"]["acknowledged"]) == ([id], None)
    assert (alerts["a2"]["silenced_by"], alerts["a2"]["inhibited_by"]) == ([], "rule down")
    ack = alerts["a2"]["acknowledged"]
    assert (ack["by"], ack["comment"], ack["at_ns"], ack["firing_since_ns"]) == (
        "bob", "on it", NOW, 100,
    )  # fmt: skip


def test_only_what_fires_is_acknowledged(asker: Asker) -> None:
    assert asker.ask("POST", "/alerts/a3/ack", {"by": "bob"}).status_code == 409
    assert asker.ask("POST", "/alerts/nobody/ack", {"by": "bob"}).status_code == 404


def test_the_first_to_acknowledge_stays(asker: Asker) -> None:
    for name in ("ana", "bob"):
        assert asker.ask("POST", "/alerts/a1/ack", {"by": name}).json()["by"] == "ana"


@pytest.mark.parametrize(
    ("changes", "parameter"),
    [
        pytest.param({"matchers": []}, "matchers", id="no matcher"),
        pytest.param(
            {"matchers": [{**NODE, "op": "=~", "value": "("}]}, "matchers", id="no expression"
        ),
        pytest.param(
            {"matchers": [{**NODE, "op": "=~", "value": ".*"}]}, "matchers", id="everything"
        ),
        pytest.param({"matchers": [{**NODE, "op": "<"}]}, "matchers.0.op", id="no operator"),
        pytest.param({"comment": " "}, "comment", id="no comment"),
        pytest.param({"creator": None}, "creator", id="no creator"),
        pytest.param({"ends_at": "2027-01-15T07:00:00Z"}, "ends_at", id="over before it begins"),
        pytest.param({"ends_at": "soon"}, "ends_at", id="no instant"),
        pytest.param({"starts_at": "2027-01-16T00:00:00Z"}, "ends_at", id="ends before its start"),
        pytest.param({"more": 1}, "more", id="a name that is not known"),
    ],
)
def test_a_silence_that_cannot_be_meant_is_refused(
    asker: Asker, changes: dict[str, Any], parameter: str
) -> None:
    answer = asker.ask("POST", "/silences", {**SILENCE, **changes})
    assert answer.status_code == 400
    assert [each["parameter"] for each in answer.json()["errors"]] == [parameter]
    assert asker.items("/silences") == []


def test_nobody_ends_what_is_not_there(asker: Asker) -> None:
    assert asker.ask("DELETE", "/silences/s1").status_code == 404


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param({}, 201, id="no browser"),
        pytest.param({"origin": "OWN", "sec_fetch_site": "same-origin"}, 201, id="our own page"),
        pytest.param({"origin": "https://ops.test"}, 201, id="our page behind a proxy"),
        pytest.param({"origin": "https://evil.test"}, 403, id="another page"),
        pytest.param({"origin": "null"}, 403, id="a page without an origin"),
        pytest.param({"sec_fetch_site": "cross-site"}, 403, id="another site, and no origin"),
        pytest.param({"content_type": "text/plain"}, 415, id="what a form can send"),
        pytest.param(
            {"content_type": "application/x-www-form-urlencoded"}, 415, id="what a form sends"
        ),
    ],
)
def test_pages_of_others_change_nothing(
    store: SqliteStore, headers: dict[str, str], status: int
) -> None:
    with served(make_app(store, external_origin="https://ops.test")) as port:
        own = {name: value.replace("OWN", f"http://127.0.0.1:{port}") for name, value in
               headers.items()}  # fmt: skip
        answer = Asker(port).ask("POST", "/silences", SILENCE, **own)
    assert answer.status_code == status
    assert len(store.silences()) == (status == 201)


def test_a_page_of_another_origin_calls_no_callback_of_ours(store: SqliteStore) -> None:
    with served(make_app(store)) as port, httpx2.Client() as client:
        url = f"http://127.0.0.1:{port}/_dash-update-component"
        answer = client.post(url, content="{}", headers={"origin": "https://evil.test"})
    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("auth", "headers"),
    [
        pytest.param(
            Basic("sre", lambda: "secret"),
            {"authorization": "Basic c3JlOnNlY3JldA=="},
            id="a password",
        ),
        pytest.param(
            ProxyHeader("x-user", [ip_network(f"{TRUSTED_PEER}/32")]),
            {"x_user": "sre"},
            id="a proxy",
        ),
    ],
)
def test_who_has_logged_in_is_the_creator(
    store: SqliteStore, auth: Any, headers: dict[str, str]
) -> None:
    with served(make_app(store, auth=auth)) as port:
        asker = Asker(port)
        for named in ("ana", None):
            body = {**SILENCE, "creator": named}
            assert asker.ask("POST", "/silences", body, **headers).json()["creator"] == "sre"
        assert asker.ask("POST", "/alerts/a1/ack", {}, **headers).json()["by"] == "sre"
        assert asker.ask("POST", "/silences", SILENCE).status_code == 401


def test_every_field_is_documented(asker: Asker) -> None:
    asker.ask("POST", "/alerts/a1/ack", {"by": "bob"})
    asker.ask("POST", "/silences", SILENCE)
    documented = set(re.findall(r"`([a-z_]+)`", PAGE))
    items = [*asker.items("/silences"), *asker.items("/alerts")]
    items += [each["acknowledged"] for each in items if each.get("acknowledged")]
    assert {name for each in items for name in each} - documented == set()


class TestTheShell:
    @pytest.fixture
    def config(self, tmp_path: Path) -> str:
        store = SqliteStore(str(tmp_path / "sw.db"))
        store.write_alerts([alert("a1")], [], [])
        store.close()
        path = tmp_path / "stalewatch.yaml"
        path.write_text(GOOD + "store: {path: sw.db}\n")
        return str(path)

    def run(self, *words: str, status: int = 0) -> str:
        done = CliRunner().invoke(app, words)
        assert done.exit_code == status, done.output
        return done.output

    def test_a_silence_is_added_listed_and_ended(self, config: str) -> None:
        common = ("--for", "2h", "--comment", "a deploy", "-c", config)
        self.run("silence", "add", "node=~r.*", "rule!=x", "--creator", "ana", *common)
        (item,) = json.loads(self.run("silence", "list", "--json", "-c", config))["items"]
        assert (item["state"], item["suppresses"], item["creator"]) == ("active", ["a1"], "ana")
        assert item["ends_at_ns"] - item["starts_at_ns"] == 7_200 * 10**9
        assert "node=~r.*, rule!=x" in self.run("silence", "list", "-c", config)
        self.run("silence", "end", item["id"], "-c", config)
        (item,) = json.loads(self.run("silence", "list", "--json", "-c", config))["items"]
        assert item["state"] == "ended"
        assert "there is no silence s9" in self.run("silence", "end", "s9", "-c", config, status=2)

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            pytest.param(["node", "--for", "2h", "--comment", "x"], "name=value", id="no matcher"),
            pytest.param(["node=~.*", "--for", "2h", "--comment", "x"], "everything", id="all"),
            pytest.param(["node=a", "--for", "soon", "--comment", "x"], "--for", id="no duration"),
            pytest.param(["node=a", "--for", "0s", "--comment", "x"], "some time", id="no time"),
            pytest.param(["node=a", "--for", "1h", "--comment", " "], "why", id="no comment"),
        ],
    )
    def test_what_cannot_be_meant_is_refused(
        self, config: str, words: list[str], said: str
    ) -> None:
        assert said in self.run("silence", "add", *words, "-c", config, status=2)

    def test_what_fires_is_acknowledged(self, config: str) -> None:
        self.run("ack", "a1", "--comment", "on it", "--creator", "ana", "-c", config)
        said = self.run("ack", "a2", "-c", config, status=2)
        assert "alert a2 does not fire; what fires: a1" in said
        store = SqliteStore(str(Path(config).with_name("sw.db")))
        assert [(each.alert, each.by, each.comment) for each in store.acks()] == [
            ("a1", "ana", "on it")
        ]
        store.close()
