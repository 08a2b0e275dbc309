"""Each mistake is told with its place, its path and what was expected; all of them at once."""

from pathlib import Path

import pytest

from stalewatch.config import ConfigError, load
from tests.stalewatch.config.configs import GOOD, bent, written

LISTEN = 'server: {listen: "127.0.0.1:8080"}'
VERSION = "    version: {type: integer, order: counter}"
KEYS = "    keys: {range: {from: 1, to: 100}}"
SAMPLE = "    sample: {interval: 1s}"
E1 = '[{static: "127.0.0.1:5", name: e1, region: eu}]'
E7 = '"127.0.0.1:7"]}]'

BENT = {
    "unknown key": (
        "max_staleness: 300ms",
        "max_stalenes: 300ms",
        [
            "5:3: layers.edge.max_staleness: required, and missing",
            "8:5: layers.edge.max_stalenes: unknown key; did you mean max_staleness?",
        ],
    ),
    "unknown kind": (
        "kind: redis",
        "kind: rediss",
        [
            "11:11: layers.regional.kind: expected redis, http, varnish, nginx, cdn, inprocess or "
            "memcached; did you mean redis?"
        ],
    ),
    "unknown mechanism": (
        "mechanism: purge",
        "mechanism: purges",
        [
            "7:16: layers.edge.mechanism: expected ttl, purge, write-through or versioned;"
            " did you mean purge?"
        ],
    ),
    "no duration": (
        "max_staleness: 2s",
        "max_staleness: 2",
        [
            "13:20: layers.regional.max_staleness: expected a duration such as 300ms, 2s, 1m30s"
            " or 28d"
        ],
    ),
    "filled from no layer": (
        "mechanism: purge",
        "mechanism: purge\n    fills_from: [regionl]",
        ["8:18: layers.edge.fills_from[0]: no such entry in layers; did you mean regional?"],
    ),
    "filled from itself": (
        "mechanism: purge",
        "mechanism: purge\n    fills_from: [regional, edge]",
        ["8:28: layers.edge.fills_from[1]: expected another layer: no layer is filled from itself"],
    ),
    "accepted otherwise than promised": (
        "max_staleness: 300ms",
        "max_staleness: 300ms\n    accepts: {normal: 1s, partial-outage: 30s}",
        [
            "9:23: layers.edge.accepts.normal: expected the layer's max_staleness of 300ms, by"
            " which reads are judged"
        ],
    ),
    "less accepted when things are worse": (
        "max_staleness: 300ms",
        "max_staleness: 300ms\n    accepts: {partial-outage: 30s, high-load: 200ms}",
        [
            "9:47: layers.edge.accepts.high-load: expected at least what is accepted in normal"
            " times, which is 300ms"
        ],
    ),
    "a condition of one's own": (
        "max_staleness: 300ms",
        "max_staleness: 300ms\n    accepts: {at-night: 30s}",
        [
            "9:15: layers.edge.accepts.at-night: unknown key; expected high-load, normal or"
            " partial-outage"
        ],
    ),
    "filled in a circle": (
        E7,
        E7 + "\n"
        "  one: {kind: redis, mechanism: ttl, max_staleness: 1s, fills_from: [two],\n"
        '    nodes: [{static: "127.0.0.1:8"}]}\n'
        "  two: {kind: redis, mechanism: ttl, max_staleness: 1s, fills_from: [one],\n"
        '    nodes: [{static: "127.0.0.1:9"}]}',
        [
            "15:70: layers.one.fills_from[0]: expected no circle: two is filled from one in its"
            " turn",
            "17:70: layers.two.fills_from[0]: expected no circle: one is filled from two in its"
            " turn",
        ],
    ),
    "no nodes": (E1, "[]", ["9:12: layers.edge.nodes: expected at least one entry"]),
    "node in two ways": (
        E7,
        '"127.0.0.1:7"], dns: x}]',
        ["14:13: layers.regional.nodes[0]: expected exactly one of static, dns, file and sentinel"],
    ),
    "placement that the kind has not": (
        "mechanism: purge",
        "mechanism: purge\n    placement: ring",
        ["8:16: layers.edge.placement: expected all"],
    ),
    "ring that nobody is on": (
        "mechanism: versioned",
        "mechanism: versioned\n    ring: {hash: ketama}",
        ["11:5: layers.regional: expected ring only beside `placement: ring`"],
    ),
    "ring of an unknown hash": (
        "mechanism: versioned",
        "mechanism: versioned\n    placement: ring\n    ring: {hash: md5}",
        ["14:18: layers.regional.ring.hash: expected ketama or modulo-crc"],
    ),
    "database of a cluster": (
        "mechanism: versioned",
        "mechanism: versioned\n    placement: cluster\n    database: 1",
        ["11:5: layers.regional: expected no database beside placement cluster: a cluster has one"],
    ),
    "receiver open to all": (
        LISTEN,
        'server: {otlp: {listen: "0.0.0.0:4318"}}',
        [
            "1:16: server.otlp: expected token or tls.client_ca, because 0.0.0.0:4318 can be"
            " reached from other machines; or listen on 127.0.0.1"
        ],
    ),
    "unknown attribute mapped": (
        LISTEN,
        f"{LISTEN}\ntraces: {{mapping: {{cache.keyspac: shop.entity}}}}",
        [
            "2:20: traces.mapping.cache.keyspac.[key]: expected cache.invalidation.id,"
            " cache.invalidation.scope, cache.invalidation.outcome, cache.keyspace, cache.key,"
            " cache.version, cache.written_at, cache.publisher.id, cache.publisher.sequence,"
            " cache.layer, cache.node or messaging.destination.name; did you mean cache.keyspace?"
        ],
    ),
    "engine of later": (
        LISTEN,
        "store: {engine: clickhouse}",
        ["1:17: store.engine: not supported by this version of stalewatch; expected sqlite"],
    ),
    "origin that is not there": (
        "origin: {name: shop",
        "origin: {name: shopp",
        ["17:20: keyspaces.product.origin.name: no such entry in origins; did you mean shop?"],
    ),
    "layer that is not there": (
        "      edge: {key:",
        "      edgy: {key:",
        ["20:7: keyspaces.product.layers.edgy: no such entry in layers; did you mean edge?"],
    ),
    "binding without a place for the key": (
        '"product:{key}"',
        '"product"',
        ["21:23: keyspaces.product.layers.regional.key: expected text with {key} in it, once"],
    ),
    "counter of strings": (
        VERSION,
        "    version: {type: string, order: counter}",
        ["18:14: keyspaces.product.version: expected type integer for order counter"],
    ),
    "opaque integer": (
        VERSION,
        "    version: {type: integer, order: opaque}",
        ["18:14: keyspaces.product.version: expected type string for order opaque"],
    ),
    "monotone string": (
        VERSION,
        "    version: {type: string, order: monotone}",
        ["18:14: keyspaces.product.version: expected type integer or timestamp for order monotone"],
    ),
    "keys in two ways": (
        KEYS,
        "    keys: {list: [a], origin: true}",
        ["22:11: keyspaces.product.keys: expected one of list, range, file, origin"],
    ),
    "range backwards": (
        KEYS,
        "    keys: {range: {from: 9, to: 1}}",
        [
            "22:19: keyspaces.product.keys.range: expected `to` at or above `from`, and at most"
            " ten million keys"
        ],
    ),
    "shares that do not add up": (
        SAMPLE,
        "    sample: {recent: 70%, random: 40%}",
        [
            "23:13: keyspaces.product.sample: expected random, recent and hot to make 100%"
            " together, not 110%: they are 40%, 70% and 0%"
        ],
    ),
    "size out of bounds": (
        SAMPLE,
        "    sample: {size: 0}",
        ["23:20: keyspaces.product.sample.size: expected at least 1"],
    ),
    "open to other machines": (
        LISTEN,
        'server: {listen: "0.0.0.0:8080"}',
        [
            "1:9: server: expected auth, because 0.0.0.0:8080 can be reached from other machines;"
            " or listen on 127.0.0.1"
        ],
    ),
    "half an auth": (
        LISTEN,
        "server: {auth: {username: ops}}",
        ["1:16: server.auth: expected username and password, or proxy_header and trusted"],
    ),
    "url that is none": (
        LISTEN,
        "server: {external_url: ops.test/x}",
        [
            "1:24: server.external_url: expected an address such as"
            " https://ops.example.com/stalewatch/"
        ],
    ),
    "url whose path is one of ours": (
        LISTEN,
        "server: {external_url: https://ops.test/api/x}",
        [
            "1:24: server.external_url: expected a path that begins with none of api, assets,"
            " healthz, key, metrics, readyz"
        ],
    ),
    "file of keys that is not there": (
        KEYS,
        "    keys: {file: /no/such/file}",
        [
            "22:18: keyspaces.product.keys.file: cannot read /no/such/file:"
            " No such file or directory"
        ],
    ),
    "secret that is not there": (
        LISTEN,
        "server: {auth: {username: ops, password: {env: STALEWATCH_NOT_SET}}}",
        [
            "1:42: server.auth.password: the environment variable STALEWATCH_NOT_SET is not set"
            " or empty"
        ],
    ),
}


def mistakes(file: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(file)
    return [line.removeprefix(f"{file}:") for line in str(caught.value).splitlines()]


@pytest.mark.parametrize(("old", "new", "told"), BENT.values(), ids=BENT.keys())
def test_a_mistake_is_told_with_its_place(
    tmp_path: Path, old: str, new: str, told: list[str]
) -> None:
    assert mistakes(written(tmp_path, bent(old, new))) == told


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = bent(LISTEN, "server: {port: 1}\nobjectifs: {}")
    text = text.replace(SAMPLE, "    sample: {size: many}").replace("name: shop", "name: mall")
    places = [line.split(" ")[0] for line in mistakes(written(tmp_path, text))]
    assert places == ["1:10:", "2:1:", "18:20:", "24:20:"]


NO_YAML = {
    "empty": ("", "1:1: expected a mapping, the file is empty"),
    "list": ("- a\n", "1:1: expected a mapping of sections"),
    "keys twice": ("a: 1\nb: {c: 1, c: 2}\n", "2:11: b.c: this key stands here twice"),
    "key of a list": ("? [1]\n: 2\n", "1:3: expected a plain key"),
    "unclosed": ("a: [1\nb: 2\n", "2:2: not YAML: expected ',' or ']', but got ':'"),
    "two documents": ("a: 1\n---\nb: 1\n", "2:1: not YAML: but found another document"),
}


@pytest.mark.parametrize(("text", "told"), NO_YAML.values(), ids=NO_YAML.keys())
def test_what_is_no_config_at_all(tmp_path: Path, text: str, told: str) -> None:
    assert mistakes(written(tmp_path, text)) == [told]


def test_objects_are_never_made(tmp_path: Path) -> None:
    told = mistakes(written(tmp_path, "a: !!python/object/apply:os.getcwd []\n"))
    assert len(told) == 1
    assert "could not determine a constructor" in told[0]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert mistakes(tmp_path / "none.yaml") == ["1:1: cannot read: No such file or directory"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (LISTEN, "server: {auth: {username: ops, password: hunter2}}"),
        (LISTEN, "server: {auth: hunter2}"),
        (LISTEN, "server: {password: hunter2}"),
        ("kind: redis", "kind: redis\n    auth: {password: hunter2}"),
        ("kind: redis", "kind: redis\n    auth: {token: [hunter2]}"),
        ("kind: redis", "kind: redis\n    tls: hunter2"),
    ],
)
def test_no_message_repeats_a_secret(tmp_path: Path, old: str, new: str) -> None:
    assert "hunter2" not in "\n".join(mistakes(written(tmp_path, bent(old, new))))


def test_secrets_need_not_be_there_to_look_at_the_file_alone(tmp_path: Path) -> None:
    text = bent(LISTEN, "server: {auth: {username: o, password: {env: STALEWATCH_NOT_SET}}}")
    load(written(tmp_path, text), with_sources=False)


def test_aliases_cannot_blow_the_file_up(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 40)]
    assert any("unknown key" in line for line in mistakes(written(tmp_path, "\n".join(lines))))


def test_the_good_config_is_good(tmp_path: Path) -> None:
    load(written(tmp_path, GOOD))
