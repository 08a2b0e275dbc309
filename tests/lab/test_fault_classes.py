"""Each class of fault looks as it does in life: by the truth, to who reads the node, on the wire.

A round makes several strike side by side, at nodes of their own, and watches every node from
outside; the tests then compare what was seen and received with what the truth says.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import pytest

from lab.faults.schedule import KINDS
from lab.score import StaleInterval, stale_intervals, torn_intervals
from lab.start import Lab
from lab.truth import Fault, Truth
from tests.lab.conftest import StartLab
from tests.lab.reading import Reader
from tests.lab.receipts import Receipt, Receiver
from tests.lab.watching import Seen, Watch
from tests.servers import wait_until

DURATION_S = 3.0
SETTLED_S = 1.5
"""The spans of what a repair did come within half a second; messages within milliseconds."""
AT_ONCE_S = 2.0
"""A message takes milliseconds; a test shares its machine with others."""
ON_ITS_WAY_S = 0.1
STAMPED_S = 0.3
"""How far apart the truth's stamp of a change and the change may lie, for the same reason."""
ROUNDS = [
    [
        ("partitioned_node", "eu-edge-1"),
        ("late_invalidation", "eu-app-1"),
        ("zombie_rejoin", "us-redis-1"),
        ("wrong_ttl", "us-app-1"),
        ("clock_skew", "us-app-2"),
        ("lost_invalidation", "eu-redis-1"),
        ("reordered", "eu-redis-1"),
        ("torn_value", "eu-redis-1"),
        ("replica_lag_refill", "eu-app-2"),
        ("repoisoned", "eu-app-2"),
        ("duplicate", "us-edge-1"),
        ("refill_race", "us-edge-1"),
        ("lost_invalidation", "us-edge-1"),
    ],
    [
        ("partitioned_node", "eu-redis-1"),
        ("late_invalidation", "us-edge-1"),
        ("zombie_rejoin", "eu-app-1"),
        ("wrong_ttl", "us-redis-1"),
        ("deaf_subscriber", "eu-edge-1"),
        ("misrouted_key", "us-app-1"),
        ("duplicate", "us-app-1"),
        ("lost_invalidation", "us-app-2"),
        ("reordered", "us-app-2"),
        ("torn_value", "eu-app-2"),
        ("refill_race", "eu-app-2"),
    ],
    [
        ("deaf_subscriber", "us-redis-1"),
        ("zombie_rejoin", "us-edge-1"),
        ("partitioned_node", "us-app-1"),
        ("wrong_ttl", "eu-edge-1"),
        ("clock_skew", "eu-app-1"),
        ("duplicate", "eu-redis-1"),
        ("refill_race", "eu-redis-1"),
        ("replica_lag_refill", "eu-redis-1"),
    ],
    [
        ("late_invalidation", "us-redis-1"),
        ("deaf_subscriber", "us-app-2"),
        ("clock_skew", "us-edge-1"),
        ("repoisoned", "eu-edge-1"),
        ("torn_value", "eu-edge-1"),
        ("reordered", "eu-edge-1"),
    ],
]


@dataclass(frozen=True)
class Story:
    """All that happened in one round."""

    faults: Sequence[Fault]
    truth: Truth
    watch: Watch
    receiver: Receiver

    def of(self, kind: str) -> Sequence[Fault]:
        return [fault for fault in self.faults if fault.kind == kind]

    def stale(self, fault: Fault, node: str | None = None) -> Sequence[StaleInterval]:
        """When copies of the fault's keys were stale at a node, for longer than a message takes."""
        return [
            each
            for each in stale_intervals(self.truth)
            if each.node == (node or fault.node)
            and each.key in fault.keys
            and each.meets(fault.start_s, _end_s(fault))
            and each.duration_s > AT_ONCE_S
        ]

    def seen(self, fault: Fault, key: str) -> Sequence[Seen]:
        return self.watch.of(fault.node, key, fault.start_s, _end_s(fault))

    def receipts(self, fault: Fault, key: str, node: str | None = None) -> Sequence[Receipt]:
        """What a node said of the versions that were written during the fault."""
        versions = {
            commit.version
            for commit in self.truth.commits
            if commit.key == key and fault.start_s <= commit.at_s <= _end_s(fault)
        }
        told = self.receiver.receipts(node or fault.node, key)
        return [receipt for receipt in told if receipt.version in versions]


@pytest.fixture(scope="module")
def lab(start: StartLab) -> Lab:
    return start(seed=3)


@pytest.fixture(scope="module", params=ROUNDS, ids=lambda strikes: strikes[0][0])
def story(request: pytest.FixtureRequest, lab: Lab) -> Iterator[Story]:
    edge_keys: dict[str, set[str]] = {}
    watch = Watch(lab, edge_keys)
    with Reader(lab) as reader, Receiver(reader.config["server"]["otlp"]["listen"]) as receiver:
        with watch.running():
            ids = {lab.inject(kind, node, DURATION_S) for kind, node in request.param}

            def over() -> bool:
                faults = [fault for fault in lab.truth().faults if fault.id in ids]
                for fault in faults:
                    if fault.layer == "edge":
                        edge_keys.setdefault(fault.node, set()).update(fault.own_keys)
                return len(faults) == len(ids) and all(fault.end_s for fault in faults)

            wait_until(over, "all faults to be repaired", 60)
            ended_s = lab.truth().until_s
            wait_until(lambda: lab.truth().until_s > ended_s + SETTLED_S, "things to settle")
        truth = lab.truth()
        yield Story([f for f in truth.faults if f.id in ids], truth, watch, receiver)
    assert (lab.dir / "lab.log").read_text() == ""


def _end_s(fault: Fault) -> float:
    assert fault.end_s is not None
    return fault.end_s


def test_every_class_is_tried() -> None:
    assert {kind for strikes in ROUNDS for kind, _ in strikes} == {kind.kind for kind in KINDS}


def test_the_truth_says_what_a_reader_sees(story: Story) -> None:
    held: dict[tuple[str, str], list[tuple[float, float, int]]] = {}
    for each in story.truth.holdings:
        held.setdefault((each.node, each.key), []).append((each.start_s, each.end_s, each.version))
    reads = wrong = 0
    for node, key, seen in story.watch.all():
        if (spans := held.get((node, key))) is None:
            continue  # the origin
        possible = {
            v
            for start, end, v in spans
            if start - STAMPED_S <= seen.end_s and seen.start_s <= end + STAMPED_S
        }
        reads += 1
        wrong += seen.version is not None and seen.version not in possible
    assert reads > 1000
    assert wrong == 0


def test_each_fault_makes_stale_what_it_says_and_nothing_more(story: Story) -> None:
    for fault in story.faults:
        stale = story.stale(fault)
        assert bool(stale) == (fault.shows == "stale"), fault
        for interval in stale:
            # What was written just before may have been on its way as the node stopped to listen.
            assert fault.start_s - ON_ITS_WAY_S <= interval.start_s, fault
        for beside in fault.beside:
            assert story.stale(fault, beside.node), fault


def test_a_stale_copy_is_read_as_stale(story: Story) -> None:
    for fault in story.faults:
        for interval in story.stale(fault):
            if fault.layer == "edge" and interval.key not in fault.own_keys:
                continue  # not watched
            seen = story.watch.of(fault.node, interval.key, interval.start_s, interval.end_s)
            latest = max(c.version for c in story.truth.commits if c.key == interval.key)
            versions = {each.version for each in seen} - {None}
            assert not versions or max(v for v in versions if v) < latest, (fault, interval)
    watched = [
        seen
        for fault in story.faults
        for interval in story.stale(fault)
        for seen in story.watch.of(fault.node, interval.key, interval.start_s, interval.end_s)
    ]
    assert len(watched) > 20


def test_nothing_is_left_after_the_repairs(story: Story) -> None:
    repaired_s = max(_end_s(fault) for fault in story.faults)
    for interval in (*stale_intervals(story.truth), *torn_intervals(story.truth)):
        if interval.end_s > repaired_s:
            assert interval.duration_s < AT_ONCE_S, interval


def test_all_in_their_time(story: Story) -> None:
    for fault in story.faults:
        assert _end_s(fault) - fault.start_s >= DURATION_S
        for interval in story.stale(fault):
            assert interval.end_s <= _end_s(fault) + AT_ONCE_S, fault


class TestReceipts:
    """What the node says of each message on the wire."""

    def test_lost(self, story: Story) -> None:
        for fault in story.of("lost_invalidation"):
            (key,) = fault.keys
            assert story.receipts(fault, key) == []
            written = [each.sequence for each in _peers(story, fault, key)]
            later = [each.sequence for each in story.receiver.receipts(fault.node)]
            assert max(later) > max(written), "no later message shows the gap"

    def test_partitioned(self, story: Story) -> None:
        for fault in story.of("partitioned_node"):
            receipts = _within(story, fault)
            assert {each.key for each in receipts} >= set(fault.own_keys)
            assert all(each.at_s >= fault.start_s + DURATION_S for each in receipts)

    def test_late(self, story: Story) -> None:
        for fault in story.of("late_invalidation"):
            receipts = _within(story, fault)
            # The repair lets the rest of the queue through at once, before it is noted as done.
            turns = [each.at_s for each in receipts if each.at_s < fault.start_s + DURATION_S]
            assert turns, "the first message had its turn"
            for before, after in pairwise(turns):
                assert after - before >= 0.9, "each waits behind the one before"
            assert all(each.at_s - each.written_s >= 1.0 for each in receipts[: len(turns)])
            assert {each.outcome for each in receipts} == {"applied"}

    def test_reordered(self, story: Story) -> None:
        for fault in story.of("reordered"):
            (key,) = fault.keys
            newer, older = story.receipts(fault, key)
            assert (newer.version, newer.outcome, older.outcome) == (
                older.version + 1,
                "applied",
                "applied",
            )
            shown = [each.version for each in story.seen(fault, key) if each.version is not None]
            regressions = [(a, b) for a, b in pairwise(shown) if b < a]
            assert regressions == [(newer.version, older.version)]

    def test_duplicate(self, story: Story) -> None:
        for fault in story.of("duplicate"):
            (key,) = fault.keys
            first, second = story.receipts(fault, key)
            again = "applied" if fault.wrong["adds_miss"] else "duplicate"
            assert (first.id, first.outcome) == (second.id, "applied")
            assert second.outcome == again

    @pytest.mark.parametrize("kind", ["refill_race", "replica_lag_refill", "torn_value"])
    def test_received_before_the_fill(self, story: Story, kind: str) -> None:
        for fault in story.of(kind):
            for key in fault.keys:
                (receipt, *_) = story.receipts(fault, key)
                wrong = story.stale(fault) or torn_intervals(story.truth)
                filled_s = min(each.start_s for each in wrong if each.key == key)
                assert receipt.at_s < filled_s
                assert receipt.at_s - receipt.written_s < AT_ONCE_S

    @pytest.mark.parametrize("kind", ["deaf_subscriber", "zombie_rejoin"])
    def test_missed(self, story: Story, kind: str) -> None:
        for fault in story.of(kind):
            missed = set(fault.own_keys)
            for key in missed:
                assert [r for r in story.receipts(fault, key) if r.written_s < _back_s(fault)] == []
            others = [r for r in _everywhere(story, fault) if r.node != fault.node]
            assert {each.key for each in others} >= missed

    def test_misrouted(self, story: Story) -> None:
        for fault in story.of("misrouted_key"):
            (key,) = fault.keys
            assert fault.wrong["owner"] == fault.node
            assert story.receipts(fault, key) == []
            wrong = story.receipts(fault, key, fault.wrong["receipt_from"])
            assert [each.outcome for each in wrong] == ["applied", "duplicate"]

    def test_repoisoned(self, story: Story) -> None:
        for fault in story.of("repoisoned"):
            (key,) = fault.keys
            (receipt, *_) = story.receipts(fault, key)
            (upper,) = story.stale(fault)
            assert receipt.at_s < upper.start_s
            for source in fault.wrong["sources"]:
                assert story.receipts(fault, key, source) == []
                (lower,) = story.stale(fault, source)
                assert lower.start_s < upper.start_s

    def test_skewed(self, story: Story) -> None:
        for fault in story.of("clock_skew"):
            offset_s = fault.wrong["offset_s"]
            receipts = [r for key in fault.keys for r in story.receipts(fault, key)]
            assert len(receipts) == len(fault.keys)
            for receipt in receipts:
                assert 0 <= receipt.at_s - receipt.written_s - offset_s < AT_ONCE_S


class TestReadings:
    """What a reader sees beside versions."""

    def test_torn(self, story: Story) -> None:
        for fault in story.of("torn_value"):
            (key,) = fault.keys
            torn = [each for each in torn_intervals(story.truth) if each.node == fault.node]
            (interval,) = [each for each in torn if each.key == key]
            seen = story.watch.of(fault.node, key, interval.start_s, interval.end_s)
            origin = story.watch.of("shop", key, interval.start_s, interval.end_s)
            assert {each.version for each in seen} == {each.version for each in origin}
            assert not {each.projection for each in seen} & {each.projection for each in origin}

    def test_wrong_lifetime(self, story: Story) -> None:
        for fault in story.of("wrong_ttl"):
            documented_s = fault.wrong["documented_ttl_s"]
            for key in fault.keys:
                late = [s for s in story.seen(fault, key) if s.start_s > fault.start_s + AT_ONCE_S]
                held = [seen for seen in late if seen.version is not None]
                assert held
                for seen in held:
                    if fault.wrong["ttl_s"] is None:
                        assert seen.ttl_s is None
                    else:
                        assert seen.ttl_s is not None
                        assert seen.ttl_s > documented_s
                after = story.watch.of(fault.node, key, _end_s(fault), story.truth.until_s)
                assert all(s.version is None or (s.ttl_s or 0) <= documented_s for s in after)

    def test_skewed_ages(self, story: Story) -> None:
        for fault in story.of("clock_skew"):
            offset_s = fault.wrong["offset_s"]
            (key, *_) = fault.keys
            filled = [
                h.start_s for h in story.truth.holdings if (h.node, h.key) == (fault.node, key)
            ]
            late = [s for s in story.seen(fault, key) if s.version and s.start_s > max(filled)]
            assert late
            for seen in late:
                true_s = seen.start_s - max(filled)
                assert seen.age_s is not None
                assert abs(seen.age_s - max(0.0, true_s + offset_s)) <= AT_ONCE_S

    def test_many_keys_of_one_replica(self, story: Story) -> None:
        for fault in story.of("replica_lag_refill"):
            assert len(story.stale(fault)) == len(fault.keys)
            key = fault.keys[0]
            (stale,) = [each for each in story.stale(fault) if each.key == key]
            place = f"replicas/{fault.wrong['replica']}"
            shown = story.watch.of(place, key, stale.start_s, stale.end_s)
            leading = story.watch.of("shop", key, stale.start_s, stale.end_s)
            assert max(s.version for s in shown if s.version) < min(
                s.version for s in leading if s.version
            )

    def test_a_zombie_answers_nobody_until_it_is_back(self, story: Story) -> None:
        for fault in story.of("zombie_rejoin"):
            back_s = _back_s(fault)
            for key in set(fault.own_keys):
                away = story.watch.of(fault.node, key, fault.start_s + 0.5, back_s - 0.1)
                assert away == []
                back = story.watch.of(fault.node, key, back_s + AT_ONCE_S, _end_s(fault) - 0.1)
                assert back


def _peers(story: Story, fault: Fault, key: str) -> Sequence[Receipt]:
    return [each for each in _everywhere(story, fault) if each.key == key]


def _everywhere(story: Story, fault: Fault) -> Sequence[Receipt]:
    """What all nodes said of what was written during the fault."""
    nodes = {each.node for each in story.truth.holdings}
    told = [receipt for node in nodes for receipt in story.receiver.receipts(node)]
    return [r for r in told if fault.start_s <= r.written_s <= _end_s(fault)]


def _within(story: Story, fault: Fault) -> Sequence[Receipt]:
    """What the node said of what was written before the repair began."""
    told = _everywhere(story, fault)
    until_s = fault.start_s + DURATION_S
    return sorted((r for r in told if r.node == fault.node and r.written_s < until_s), key=_at_s)


def _at_s(receipt: Receipt) -> float:
    return receipt.at_s


def _back_s(fault: Fault) -> float:
    return fault.start_s + float(fault.wrong.get("away_s", DURATION_S))
