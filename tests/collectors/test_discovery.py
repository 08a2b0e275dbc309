"""Discovery: static, a real DNS server on loopback, and files."""

import asyncio
import json
import socket
import sys
import threading
from asyncio.subprocess import PIPE
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dns.flags
import dns.message
import dns.rrset
import pytest
from pydantic import ValidationError

from collectors.base import Target
from collectors.discovery import Discovered, Discovery, NodeEntry


def discovery(*entries: dict[str, Any], default_port: int | None = 6379) -> Discovery:
    return Discovery([NodeEntry.model_validate(entry) for entry in entries], default_port)


def names(found: Discovered) -> list[str]:
    return [target.name for target in found.targets]


@contextmanager
def name_server(records: dict[tuple[str, str], list[str]]) -> Iterator[str]:
    """Answers over UDP with `records` as they are at that time; gives its address."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
        wire.bind(("127.0.0.1", 0))

        def serve() -> None:
            while True:
                raw, sender = wire.recvfrom(4096)
                if raw == b"end":
                    return
                query = dns.message.from_wire(raw)
                answer = dns.message.make_response(query)
                question = query.question[0]
                key = (str(question.name).rstrip("."), question.rdtype.name)
                if key in records:
                    answer.answer.append(
                        dns.rrset.from_text(question.name, 1, "IN", key[1], *records[key])
                    )
                else:
                    answer.set_rcode(dns.rcode.SERVFAIL)
                wire.sendto(answer.to_wire(), sender)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        port = wire.getsockname()[1]
        try:
            yield f"127.0.0.1:{port}"
        finally:
            wire.sendto(b"end", ("127.0.0.1", port))
            thread.join(5)


async def test_static_nodes_are_named_by_their_address_or_as_declared() -> None:
    found = await discovery(
        {"static": "a:1", "name": "first", "region": "eu"},
        {"static": ["b", "[::1]:7", "10.0.0.1:8"], "region": "us"},
    ).discover()
    assert found.targets == (
        Target("first", "a", 1, "eu"),
        Target("b:6379", "b", 6379, "us"),
        Target("[::1]:7", "::1", 7, "us"),
        Target("10.0.0.1:8", "10.0.0.1", 8, "us"),
    )
    assert not found.problems


async def test_one_name_for_two_places_is_a_problem() -> None:
    twice = discovery({"static": "a:1", "name": "x"}, {"static": "b:1", "name": "x"})
    found = await twice.discover()
    assert found.targets == (Target("x", "a", 1),)
    assert found.problems == ("two nodes are called x; the first is kept",)
    same = await discovery({"static": "a:1"}, {"static": "a:1"}).discover()
    assert (names(same), same.problems) == (["a:1"], ())


async def test_dns_addresses_come_and_go_and_a_failure_keeps_the_last_answer() -> None:
    name = ("redis.shop.svc", "A")
    records = {name: ["127.0.0.2", "127.0.0.1"]}
    with name_server(records) as resolver:
        entry = {"dns": name[0], "port": 6380, "region": "eu", "resolver": resolver}
        layer = discovery(entry)
        found = await layer.discover()
        assert found.targets[0] == Target("127.0.0.1:6380", "127.0.0.1", 6380, "eu")
        assert names(found) == ["127.0.0.1:6380", "127.0.0.2:6380"]
        del records[name]
        kept = await layer.discover()
        assert (kept.targets, kept.gone) == (found.targets, ())
        assert "dns redis.shop.svc: looking up A failed" in kept.problems[0]
        assert "keeping 2 nodes" in kept.problems[0]
        records[name] = ["127.0.0.2"]
        fewer = await layer.discover()
        assert names(fewer) == ["127.0.0.2:6380"]
        assert [target.name for target in fewer.gone] == ["127.0.0.1:6380"]
        assert (await layer.discover()).gone == ()


async def test_dns_services_bring_their_ports() -> None:
    records = {
        ("_http._tcp.edge", "SRV"): ["1 1 8081 b.edge.", "1 1 8080 a.edge."],
        ("six.edge", "AAAA"): ["::1"],
    }
    with name_server(records) as resolver:
        found = await discovery(
            {"dns": "_http._tcp.edge", "type": "SRV", "resolver": resolver},
            {"dns": "six.edge", "type": "AAAA", "resolver": resolver},
        ).discover()
    assert names(found) == ["a.edge:8080", "b.edge:8081", "[::1]:6379"]


async def test_a_file_is_read_again_and_a_broken_one_keeps_the_last_answer(tmp_path: Path) -> None:
    file = tmp_path / "nodes.json"
    layer = discovery({"file": str(file), "region": "eu"})
    missing = await layer.discover()
    assert (missing.targets, len(missing.problems)) == ((), 1)
    groups: list[dict[str, Any]] = [
        {"targets": ["a:1", "b"]},
        {"targets": ["c:2"], "labels": {"name": "sea", "region": "us"}},
    ]
    file.write_text(json.dumps(groups))
    found = await layer.discover()
    assert [(one.name, one.region) for one in found.targets] == [
        ("a:1", "eu"), ("b:6379", "eu"), ("sea", "us"),
    ]  # fmt: skip
    for broken in ("", "{", "a: [", "[1]", '[{"targets": ["a:x:y"]}]', "\0", '[{"targets": 1}]'):
        file.write_text(broken)
        kept = await layer.discover()
        assert kept.targets == found.targets, broken
        assert kept.problems, broken
    file.write_bytes(b"\xff\xfe")
    assert (await layer.discover()).problems
    file.write_text("- targets: ['b']\n")  # YAML
    assert [target.name for target in (await layer.discover()).gone] == ["a:1", "sea"]


async def test_many_files_are_one_source_and_one_that_has_gone_lists_nothing(
    tmp_path: Path,
) -> None:
    layer = discovery({"file": f"{tmp_path}/*.json"})
    assert await layer.discover() == Discovered(())
    for name in ("b", "a"):
        (tmp_path / f"{name}.json").write_text(json.dumps([{"targets": [f"{name}:1"]}]))
    (tmp_path / "c.draft").write_text("half")
    found = await layer.discover()
    assert names(found) == ["a:1", "b:1"]
    (tmp_path / "a.json").write_text("{")
    kept = await layer.discover()
    assert (names(kept), len(kept.problems)) == (["a:1", "b:1"], 1)
    (tmp_path / "a.json").unlink()
    (tmp_path / "d.json").symlink_to(tmp_path / "nowhere")
    assert [target.name for target in (await layer.discover()).gone] == ["a:1"]


async def test_who_no_longer_holds_the_lock_of_its_entry_is_no_node(tmp_path: Path) -> None:
    file = tmp_path / "w.json"
    file.write_text(json.dumps([{"targets": ["a:1"], "labels": {"lock": "../w.lock"}}]))
    holds = "import fcntl, sys; f = open(sys.argv[1], 'w'); fcntl.lockf(f, fcntl.LOCK_EX); "
    code = holds + "print(1, flush=True); input()"
    holder = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, str(tmp_path / "w.lock"), stdin=PIPE, stdout=PIPE
    )
    assert holder.stdout is not None
    await holder.stdout.readline()
    layer = discovery({"file": str(file)})
    assert names(await layer.discover()) == ["a:1"]
    holder.kill()
    await holder.communicate()
    assert [target.name for target in (await layer.discover()).gone] == ["a:1"]


async def test_a_target_without_a_port_is_a_problem() -> None:
    found = await discovery({"static": "a"}, default_port=None).discover()
    assert found.targets == ()
    assert "no port is given for a" in found.problems[0]


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({}, "exactly one of static, dns, file and sentinel"),
        ({"static": "a:1", "dns": "b"}, "exactly one of static, dns, file and sentinel"),
        ({"static": ["a:1"], "name": "x"}, "name only beside one static node"),
        ({"dns": "a", "name": "x"}, "name only beside one static node"),
        ({"static": "a:99999"}, "expected host:port"),
        ({"static": "http://a:1"}, "expected host:port"),
        ({"static": ""}, "expected host:port"),
        ({"dns": "a", "type": "MX"}, "'A', 'AAAA' or 'SRV'"),
    ],
)
def test_a_mistaken_entry_says_what_is_expected(entry: dict[str, Any], expected: str) -> None:
    with pytest.raises(ValidationError, match=expected):
        NodeEntry.model_validate(entry)
