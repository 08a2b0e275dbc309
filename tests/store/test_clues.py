"""Every class that a store can tell, from findings, runs, reads, receipts and nodes in it.

Version 4 of product/42 was superseded by 5, written at 100 s and seen at the origin by 101 s. The
node r1 of the layer regional was read every second, and stale from 103 s to 130 s.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from freshness.causes import Cause, Diagnosis, diagnose
from freshness.model import Result, Value
from store.base import Batch, RunRow, Store
from store.clues import Declared, Gatherer
from store.messages import InvalidationRow, ReceiptRow
from tests.store.rows import S, finding, invalidation, node, read, receipt, run

NOW = 300 * S
FOUND = finding(
    "f1",
    state="healed",
    held=Value(4),
    latest=Value(5),
    opened_at_ns=103 * S,
    healed_at_ns=131 * S,
    region="eu",
)
OWN_AGES = Declared(ages_own_copies=True)


class Scene:
    """What a store holds; a test adds what its fault leaves behind."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._ids = iter(range(1, 10_000))
        self.declared = {"regional": OWN_AGES}
        self.found = FOUND
        self.stand("r1")
        self.origin()

    def origin(self, key: str = "42", old: int = 4, seen: tuple[int, int] = (100, 101)) -> None:
        """The leader returned `old` until a second, and the next version from another on."""
        runs = [
            self._run("", "db", key, old, 50, seen[0]),
            self._run("", "db", key, old + 1, seen[1], 200),
        ]
        self._store.write(Batch(runs=[replace(each, linearizable=True) for each in runs]))

    def shows(
        self,
        name: str,
        *runs: tuple[int | str | None, int, int],
        key: str = "42",
        layer: str = "regional",
    ) -> None:
        """Runs of a node: a version, None for a miss or "down", from one second to another."""
        rows = [self._run(layer, name, key, what, first, last) for what, first, last in runs]
        self._store.write(Batch(runs=rows))

    def stand(self, name: str, layer: str = "regional", since_s: int = 10, **changes: Any) -> None:
        row = node(name, layer, since_at_ns=since_s * S, **changes)
        self._store.write(Batch(nodes=[row]))

    def proves(self, at_s: int = 130, **told: Any) -> None:
        """The finding, and a read at a second that was proven stale."""
        stamps = {"start_ns": at_s * S, "end_ns": at_s * S + S // 100}
        proof = read(at_s, value=Value(4), finding="f1", **stamps, **told)
        self._store.write(Batch(findings=[self.found], reads=[proof]))

    def told(self, messages: Sequence[InvalidationRow], words: Sequence[ReceiptRow]) -> None:
        self._store.write_messages(messages, words)

    def diagnose(self) -> Diagnosis:
        return diagnose(Gatherer(self._store, NOW, self.declared).gather(self.found))

    def _run(
        self, layer: str, name: str, key: str, what: int | str | None, first: int, last: int
    ) -> RunRow:
        results: dict[object, Result] = {None: Result.MISS, "down": Result.UNKNOWN}
        result = results.get(what, Result.VALUE)
        stamps = {
            "first_start_ns": first * S,
            "first_end_ns": first * S + S // 100,
            "last_start_ns": last * S,
            "last_end_ns": last * S + S // 100,
        }
        return run(
            next(self._ids),
            key=key,
            layer=layer,
            node=name,
            result=result,
            value=Value(what) if isinstance(what, int) else None,
            **stamps,
        )


@pytest.fixture
def scene(store: Store) -> Scene:
    return Scene(store)


def sent(number: int, at_s: int, **changes: Any) -> InvalidationRow:
    """Message `number` of the publisher: version 5 of the key `key-number`, where nothing else."""
    row: dict[str, Any] = {"version": 5, "keys": (f"key-{number}",), "host": "h"}
    times = {"written_at_ns": at_s * S, "received_at_ns": at_s * S + S // 2}
    return invalidation(number, **{**row, **times, **changes})


OURS = sent(20, 100, keys=("42",))


def word(
    number: int, at_s: float, name: str = "r1", outcome: str = "applied", **more: Any
) -> ReceiptRow:
    times = {"at_ns": round(at_s * S), "received_at_ns": round(at_s * S) + S // 2}
    span = f"{hash((number, name, at_s)) % 16**16:016x}"
    return receipt(number, name, outcome=outcome, host="h", span_id=span, **{**times, **more})


def others(but: Sequence[int] = (), first: int = 1, last: int = 60) -> list[InvalidationRow]:
    """A message every two seconds from 60 s on; the twentieth is ours."""
    every = range(first, last + 1)
    return [OURS if n == 20 else sent(n, 60 + 2 * n) for n in every if n not in but]


def heard(
    messages: Sequence[InvalidationRow], name: str, but: Sequence[int] = (), until_s: int = 999
) -> list[ReceiptRow]:
    """A node acknowledged each half a second after it was written."""
    return [
        word(each.sequence or 0, each.written_at_ns / S + 0.5, name)
        for each in messages
        if each.sequence not in but and each.written_at_ns < until_s * S
    ]


def test_a_lost_invalidation_by_its_fill_and_its_sequence(scene: Scene) -> None:
    scene.shows("r1", (4, 50, 130))
    scene.proves(age_s=90.0)
    scene.told(others(), [*heard(others(), "r1", but=[20]), *heard(others(), "r2")])
    diagnosis = scene.diagnose()
    assert diagnosis.cause is Cause.LOST_INVALIDATION
    assert "acknowledged later messages and not this one" in diagnosis.because
    assert {Cause.REFILL_RACE, Cause.PARTITIONED_NODE, Cause.LATE_INVALIDATION} <= {
        *diagnosis.ruled_out
    }


def test_a_lost_invalidation_by_a_gap_alone(scene: Scene) -> None:
    scene.shows("r1", (4, 50, 130))
    scene.proves()
    scene.told(others(), heard(others(), "r1", but=[20]))
    assert scene.diagnose().cause is Cause.LOST_INVALIDATION


def test_a_late_invalidation(scene: Scene) -> None:
    scene.shows("r1", (4, 50, 130), (5, 132, 200))
    scene.proves(age_s=90.0)
    scene.told([OURS], [word(20, 131)])
    diagnosis = scene.diagnose()
    assert diagnosis.cause is Cause.LATE_INVALIDATION
    assert "31 s after the write" in diagnosis.because
    assert diagnosis.ruled_out[Cause.LOST_INVALIDATION]


def test_messages_out_of_order(scene: Scene) -> None:
    scene.shows("r1", (5, 101, 102), (4, 104, 130))
    scene.proves()
    older = sent(19, 90, keys=("42",), version=4)
    scene.told([older, OURS], [word(20, 100.5), word(19, 103)])
    diagnosis = scene.diagnose()
    assert diagnosis.cause is Cause.REORDERED
    assert "version 4 after version 5" in diagnosis.because


def test_a_repeated_message(scene: Scene) -> None:
    scene.shows("r1", (4, 91, 99), (5, 101, 102), (4, 104, 130))
    scene.proves()
    older = sent(19, 90, keys=("42",), version=4)
    scene.told([older, OURS], [word(19, 90.5), word(20, 100.5), word(19, 103)])
    assert scene.diagnose().cause is Cause.DUPLICATE


def test_a_refill_race_by_its_age(scene: Scene) -> None:
    scene.shows("r1", (4, 50, 99), (None, 102, 102), (4, 104, 130))
    scene.proves(age_s=26.0)
    scene.told([OURS], [word(20, 101)])
    diagnosis = scene.diagnose()
    assert diagnosis.cause is Cause.REFILL_RACE
    assert "had acknowledged the invalidation" in diagnosis.because
    assert diagnosis.ruled_out[Cause.LOST_INVALIDATION]


def test_a_refill_race_by_a_miss_before(scene: Scene) -> None:
    scene.shows("r1", (4, 50, 99), (None, 102, 103), (4, 104, 130))
    scene.proves()
    assert scene.diagnose().cause is Cause.REFILL_RACE


def test_a_miss_of_another_identity_dates_no_fill(scene: Scene) -> None:
    scene.stand("r1", since_s=104)
    scene.shows("r1", (4, 50, 99), (None, 102, 103), (4, 104, 130))
    scene.proves()
    assert scene.diagnose().cause is Cause.UNDECIDED


SOURCES = [
    pytest.param(4, False, Cause.REPOISONED, id="a layer below had the same old version"),
    pytest.param(4, True, Cause.REPLICA_LAG_REFILL, id="a replica had"),
    pytest.param(None, True, Cause.REFILL_RACE, id="a replica had nothing"),
    pytest.param(5, False, Cause.REFILL_RACE, id="the layer below had the newer one"),
    pytest.param(3, False, Cause.REFILL_RACE, id="the layer below had something older than that"),
    pytest.param(None, False, Cause.REFILL_RACE, id="the layer below had nothing"),
]


@pytest.mark.parametrize(("held", "is_replica", "cause"), SOURCES)
def test_what_a_copy_was_filled_from(
    scene: Scene, held: int | None, is_replica: bool, cause: Cause
) -> None:
    scene.declared["regional"] = replace(OWN_AGES, fills_from=["below"])
    scene.declared["below"] = Declared(is_replica=is_replica)
    scene.stand("b-eu", "below")
    scene.stand("b-us", "below", region="us")
    scene.shows("b-eu", (held, 90, 140), layer="below")
    scene.shows("b-us", (5, 101, 140), layer="below")
    scene.shows("r1", (None, 101, 102), (4, 104, 130))
    scene.proves(age_s=26.0)
    diagnosis = scene.diagnose()
    assert diagnosis.cause is cause
    assert (Cause.REPOISONED in diagnosis.ruled_out) == (held == 5)


def test_nodes_below_that_differ_decide_nothing(scene: Scene) -> None:
    scene.declared["regional"] = replace(OWN_AGES, fills_from=["below"])
    scene.declared["below"] = Declared()
    for name, held in (("b1", 4), ("b2", 5)):
        scene.stand(name, "below")
        scene.shows(name, (held, 90, 140), layer="below")
    scene.shows("r1", (4, 104, 130))
    scene.proves(age_s=26.0)
    diagnosis = scene.diagnose()
    assert diagnosis.cause is Cause.REFILL_RACE
    assert Cause.REPOISONED not in diagnosis.ruled_out


@pytest.mark.parametrize(
    ("below", "cause"),
    [
        pytest.param([(None, 90, 140)], Cause.REPLICA_LAG_REFILL, id="it held nothing"),
        pytest.param([(5, 101, 140)], Cause.REPLICA_LAG_REFILL, id="it held the newer one"),
        pytest.param([(None, 90, 102), (5, 106, 140)], Cause.REFILL_RACE, id="it may have had any"),
    ],
)
def test_a_replica_that_lagged_behind_a_layer_below(
    scene: Scene, below: Sequence[tuple[int | None, int, int]], cause: Cause
) -> None:
    scene.declared["regional"] = replace(OWN_AGES, fills_from=["below", "replica"])
    scene.declared.update(below=Declared(), replica=Declared(is_replica=True))
    scene.stand("b1", "below")
    scene.stand("p1", "replica")
    scene.shows("b1", *below, layer="below")
    scene.shows("p1", (4, 50, 140), layer="replica")
    scene.shows("r1", (4, 104, 130))
    scene.proves(age_s=26.0)
    assert scene.diagnose().cause is cause


def _fall_silent(scene: Scene, refilled: int) -> None:
    """From 90 s on r1 acknowledges nothing; so many of its other keys are current all the same."""
    scene.shows("r1", (4, 50, 130))
    scene.proves(age_s=90.0)
    scene.told(others(), [*heard(others(), "r1", until_s=90), *heard(others(), "r2")])
    for number in range(18, 24):
        if number == 20:
            continue
        written_s = 60 + 2 * number
        key = f"key-{number}"
        scene.origin(key, seen=(written_s, written_s + 1))
        version = 5 if number < 18 + refilled else 4
        scene.shows("r1", (4, 50, written_s), (version, written_s + 2, 130), key=key)


def test_a_deaf_subscriber(scene: Scene) -> None:
    _fall_silent(scene, refilled=2)
    diagnosis = scene.diagnose()
    assert diagnosis.cause is Cause.DEAF_SUBSCRIBER
    assert diagnosis.ruled_out[Cause.PARTITIONED_NODE]


FILLS = [
    pytest.param([(3, 50, 110), (None, 112, 114), (3, 116, 130)], 0, True, id="while silent"),
    pytest.param([(None, 80, 84), (3, 86, 130)], 0, False, id="before it fell silent"),
    pytest.param([(3, 50, 110), (None, 112, 130), (3, 132, 140)], 0, False, id="after the proof"),
    pytest.param([(3, 50, 110), (None, 112, 130)], 0, False, id="gone and not filled again"),
    pytest.param([(None, 112, 114), (3, 116, 130)], 115, False, id="another identity by then"),
]


@pytest.mark.parametrize(("runs", "since_s", "is_deaf"), FILLS)
def test_a_silent_node_is_deaf_where_a_key_that_did_not_change_was_filled(
    scene: Scene, runs: Sequence[tuple[int | None, int, int]], since_s: int, is_deaf: bool
) -> None:
    _fall_silent(scene, refilled=0)
    scene.shows("r1", *runs, key="key-3")
    if since_s:
        scene.stand("r1", since_s=since_s)
    diagnosis = scene.diagnose()
    assert diagnosis.cause is (Cause.DEAF_SUBSCRIBER if is_deaf else Cause.PARTITIONED_NODE)
    assert (Cause.PARTITIONED_NODE in diagnosis.ruled_out) == is_deaf


def test_a_partitioned_node(scene: Scene) -> None:
    _fall_silent(scene, refilled=0)
    diagnosis = scene.diagnose()
    assert diagnosis.cause is Cause.PARTITIONED_NODE
    assert "all 5 other keys" in diagnosis.because


def test_a_node_that_came_back_with_what_it_had(scene: Scene) -> None:
    scene.found = replace(FOUND, opened_at_ns=108 * S)
    scene.shows("r1", (4, 50, 99), ("down", 101, 105), (4, 107, 130))
    scene.proves(age_s=90.0)
    diagnosis = scene.diagnose()
    assert diagnosis.cause is Cause.ZOMBIE_REJOIN


def test_a_node_that_restarted_with_less_than_it_had(scene: Scene, store: Store) -> None:
    shown = scene._run("regional", "r1", "42", 5, 101, 110)
    store.write(Batch(runs=[replace(shown, ended_by="restart")]))
    scene.found = replace(FOUND, opened_at_ns=116 * S)
    scene.shows("r1", (4, 115, 130))
    scene.stand("r1", since_s=115)
    scene.proves()
    assert scene.diagnose().cause is Cause.ZOMBIE_REJOIN


def test_that_we_did_not_look_is_no_absence_of_the_node(scene: Scene) -> None:
    scene.found = replace(FOUND, opened_at_ns=126 * S)
    scene.shows("r1", (4, 50, 99), (4, 125, 130))
    scene.stand("r1", since_s=125)  # a process of ours began then
    scene.proves()
    assert scene.diagnose().cause is Cause.UNDECIDED


@pytest.mark.parametrize(
    ("owners", "cause"),
    [
        pytest.param(["r1"], Cause.MISROUTED_KEY, id="the node owns the key"),
        pytest.param(["r1", "r2"], Cause.LOST_INVALIDATION, id="so does the one that heard"),
        pytest.param(None, Cause.LOST_INVALIDATION, id="who owns it is unknown"),
    ],
)
def test_a_message_that_went_to_another_node(
    scene: Scene, owners: list[str] | None, cause: Cause
) -> None:
    ring = None if owners is None else (lambda _keyspace, _key: owners)
    scene.declared["regional"] = replace(OWN_AGES, owners=ring, is_everywhere=False)
    scene.shows("r1", (4, 50, 130))
    scene.proves(age_s=90.0)
    scene.told([OURS], [word(20, 100.5, "r2")])
    assert scene.diagnose().cause is cause


@pytest.mark.parametrize(
    ("documented_s", "ttl_s", "cause"),
    [
        pytest.param(
            20.0, 3_000.0, Cause.WRONG_TTL, id="more remains than the documented lifetime"
        ),
        pytest.param(20.0, float("inf"), Cause.WRONG_TTL, id="it never expires"),
        pytest.param(120.0, 3_000.0, Cause.UNDECIDED, id="stale for less than the documented one"),
        pytest.param(
            120.0, 30.0, Cause.UNDECIDED, id="less remains, and it takes no invalidations"
        ),
    ],
)
def test_a_lifetime_that_is_not_the_documented_one(
    scene: Scene, documented_s: float, ttl_s: float, cause: Cause
) -> None:
    scene.declared["regional"] = Declared(ttl_s=documented_s)
    scene.stand("r1", mechanism="ttl")
    scene.shows("r1", (4, 50, 130))
    scene.proves(ttl_s=ttl_s)
    diagnosis = scene.diagnose()
    assert diagnosis.cause is cause
    assert Cause.LOST_INVALIDATION in diagnosis.ruled_out


def test_a_store_that_knows_nothing_decides_nothing(store: Store) -> None:
    diagnosis = diagnose(Gatherer(store, NOW, {}).gather(FOUND))
    assert diagnosis.cause is Cause.UNDECIDED
    assert diagnosis.ruled_out == {}


def test_a_copy_without_a_version_is_undecided(store: Store) -> None:
    row = replace(FOUND, held=Value(projection="aa"), latest=Value(projection="bb"))
    assert diagnose(Gatherer(store, NOW, {}).gather(row)).cause is Cause.UNDECIDED
