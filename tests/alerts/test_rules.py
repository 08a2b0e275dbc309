"""What rules say of facts: holds, clear, and unknown where too little was seen."""

from dataclasses import replace
from typing import Any

import pytest

from alerts.look import Condition
from alerts.rules import PropagationLag, Silent, Staleness
from alerts.rules.silent import SilentFacts
from alerts.rules.staleness import NodeFacts
from freshness.model import Result, Verdict
from freshness.rollup import Reads, Rollup
from store.base import Batch, FindingRow, NodeRow
from store.messages import InvalidationRow, ReceiptRow, Told
from store.sqlite import SqliteStore
from tests.store.rows import S, finding, invalidation, node, receipt

NOW = 1_800_000_000 * S
MIN = 60 * S


class TestStaleness:
    RULE = Staleness(name="stale", layer="regional")

    def reads(self, fresh: int = 100, stale: int = 0, unknown: int = 0, misses: int = 0) -> Rollup:
        cell = Rollup()
        for verdict, count in [
            (Verdict.FRESH, fresh),
            (Verdict.STALE, stale),
            (Verdict.UNKNOWN, unknown),
        ]:
            result = Result.UNKNOWN if verdict is Verdict.UNKNOWN else Result.VALUE
            cell.add(Reads(verdict, result=result, n=count))
        cell.add(Reads(Verdict.UNKNOWN, result=Result.MISS, n=misses))
        return cell

    @pytest.mark.parametrize(
        ("row", "findings", "counts", "wants"),
        [
            pytest.param(node("r1"), [], {}, Condition.CLEAR, id="all fresh"),
            pytest.param(node("r1"), [finding("f1")], {}, Condition.HOLDS, id="a finding"),
            pytest.param(node("r1"), [], {"fresh": 0}, Condition.UNKNOWN, id="no reads"),
            pytest.param(
                node("r1"), [], {"fresh": 0, "misses": 9}, Condition.CLEAR, id="nothing is held"
            ),
            pytest.param(
                node("r1"), [], {"unknown": 20}, Condition.UNKNOWN, id="too few reads came"
            ),
            pytest.param(
                node("r1"),
                [finding("f1")],
                {"unknown": 20},
                Condition.HOLDS,
                id="what is proven needs no coverage",
            ),
            pytest.param(
                node("r1", state="unknown", why="refused"),
                [finding("f1")],
                {},
                Condition.UNKNOWN,
                id="the node is unreachable",
            ),
            pytest.param(
                node("r1"),
                [finding("f1")],
                {"fresh": 0},
                Condition.UNKNOWN,
                id="nobody read it again",
            ),
        ],
    )
    def test_the_condition(
        self,
        row: NodeRow,
        findings: list[FindingRow],
        counts: dict[str, int],
        wants: Condition,
    ) -> None:
        look = self.RULE.judge(NodeFacts(row, findings, self.reads(**counts)), NOW)
        assert look.condition is wants
        assert look.is_inhibited == (row.state != "up")

    def test_more_findings_than_were_read_leave_a_calm_node_unknown(self) -> None:
        look = self.RULE.judge(NodeFacts(node("r1"), [], self.reads(), False), NOW)
        assert look.condition is Condition.UNKNOWN

    @pytest.mark.parametrize(("stale", "holds"), [(1, False), (2, True)])
    def test_a_share_counts_what_healed_at_once(self, stale: int, holds: bool) -> None:
        rule = replace(self.RULE, share=0.01)
        look = rule.judge(NodeFacts(node("r1"), [], self.reads(100 - stale, stale)), NOW)
        assert (look.condition is Condition.HOLDS) == holds

    def test_it_says_what_is_stale_how_long_and_where_to_look(self) -> None:
        worst = finding("f2", key="a b/c", lower_ns=7 * S, cause="lost-invalidation")
        facts = NodeFacts(node("r1"), [finding("f1", lower_ns=3 * S), worst], self.reads())
        look = self.RULE.judge(facts, NOW)
        assert look.labels == {"layer": "regional", "node": "r1"}
        assert look.value == 7
        assert look.summary == "regional/r1 holds 2 copies proven staler than 2 s"
        assert look.finding == "f2"
        assert look.cause == "lost-invalidation"
        assert look.link == (
            "key/product/a%20b%2Fc?from=2027-01-15T07%3A45%3A00.000&to=2027-01-15T08%3A00%3A00.000"
        )
        assert look.evidence[1] == (
            "product/a b/c at r1: holds version 3, the origin has version 4;"
            " stale for at least 7 s (lost-invalidation; finding f2)"
        )

    def test_it_says_when_it_fires(self) -> None:
        assert self.RULE.in_words() == (
            "Fires when a node of regional holds a copy that is proven and confirmed staler than"
            " the layer's maximum."
        )


class TestSilent:
    RULE = Silent(name="deaf", layer="regional", window_ns=5 * MIN, least=10)
    NODES = (node("r1"), node("r2"), node("e1", "edge"))

    def condition(self, counts: dict[tuple[str, str], int], **changes: Any) -> Condition:
        rule = replace(self.RULE, node="r1")
        nodes = (replace(self.NODES[0], **changes), *self.NODES[1:])
        (look,) = rule.judge(SilentFacts(nodes, counts), NOW)
        return look.condition

    def test_it_holds_where_another_node_is_busy(self) -> None:
        assert self.condition({("regional", "r2"): 10}) is Condition.HOLDS
        assert self.condition({("edge", "e1"): 10}) is Condition.HOLDS

    def test_one_receipt_clears_it(self) -> None:
        assert self.condition({("regional", "r1"): 1, ("regional", "r2"): 99}) is Condition.CLEAR

    def test_without_traffic_nobody_can_tell(self) -> None:
        assert self.condition({("regional", "r2"): 9}) is Condition.UNKNOWN
        assert self.condition({}) is Condition.UNKNOWN

    def test_others_that_have_only_just_spoken_prove_nothing(self) -> None:
        busy = {("regional", "r2"): 99}
        rule = replace(self.RULE, node="r1")
        (look,) = rule.judge(SilentFacts(self.NODES, busy, {("regional", "r2"): 90}), NOW)
        assert look.condition is Condition.UNKNOWN

    def test_receipts_of_a_store_count_from_the_window_on(self) -> None:
        store = SqliteStore(":memory:")
        store.write(Batch(nodes=self.NODES))
        busy = [receipt(n, "r2", received_at_ns=NOW - MIN) for n in range(10)]
        earlier = receipt(90, "r1", received_at_ns=NOW - 5 * MIN - 1)
        store.write_messages([], [*busy, earlier])
        silent, talking = self.RULE.look(store, NOW)
        assert (silent.condition, silent.labels["node"]) == (Condition.HOLDS, "r1")
        assert talking.condition is Condition.CLEAR
        store.write_messages([], [receipt(91, "r1", received_at_ns=NOW)])
        assert self.RULE.look(store, NOW)[0].condition is Condition.CLEAR
        store.close()

    def test_a_stranger_is_nobody_to_tell_by(self) -> None:
        assert self.condition({("regional", "forged"): 99}) is Condition.UNKNOWN

    def test_a_node_that_is_down_or_has_just_come_up_is_unknown(self) -> None:
        busy = {("regional", "r2"): 99}
        assert self.condition(busy, state="unknown") is Condition.UNKNOWN
        assert self.condition(busy, since_at_ns=NOW - 4 * MIN) is Condition.UNKNOWN
        assert self.condition(busy, since_at_ns=NOW - 5 * MIN) is Condition.HOLDS

    def test_each_node_or_the_layer_as_one(self) -> None:
        facts = SilentFacts(self.NODES, {("edge", "e1"): 50})
        assert [look.labels for look in self.RULE.judge(facts, NOW)] == [
            {"layer": "regional", "node": "r1"},
            {"layer": "regional", "node": "r2"},
        ]
        (look,) = replace(self.RULE, by="layer").judge(facts, NOW)
        assert (look.labels, look.condition) == ({"layer": "regional"}, Condition.HOLDS)
        assert look.evidence == ["edge/e1 sent 50 receipts in the last 5 min"]


class TestPropagationLag:
    RULE = PropagationLag(
        name="lag",
        placement={"product": frozenset({"regional"})},
        layer="regional",
        limit_ns=5 * S,
        recovery_ns=3 * S,
        quantile=0.9,
    )

    def told(self, *lags_s: float | None) -> list[Told]:
        """An invalidation a minute ago for each lag, applied by r1 after it; None: no word."""
        at = NOW - MIN
        return [
            Told(
                self.sent(n, at), [] if lag_s is None else [self.applied(n, at + round(lag_s * S))]
            )
            for n, lag_s in enumerate(lags_s)
        ]

    def sent(self, n: int, at_ns: int, **changes: Any) -> InvalidationRow:
        return invalidation(n, written_at_ns=at_ns, received_at_ns=at_ns, **changes)

    def applied(self, n: int, at_ns: int) -> ReceiptRow:
        return receipt(n, at_ns=at_ns, received_at_ns=at_ns)

    @pytest.mark.parametrize(
        ("lags_s", "wants"),
        [
            pytest.param([1.0] * 10, Condition.CLEAR, id="all in time"),
            pytest.param([1.0] * 9 + [60.0], Condition.CLEAR, id="one in ten late, at p90"),
            pytest.param([1.0] * 8 + [6.0] * 2, Condition.HOLDS, id="two in ten late"),
            pytest.param([1.0] * 8 + [4.0] * 2, Condition.EASED, id="above the recovery"),
            pytest.param([1.0] * 8 + [None] * 2, Condition.UNKNOWN, id="too few words"),
            pytest.param([6.0] * 2 + [1.0, None], Condition.HOLDS, id="proven in spite of it"),
            pytest.param(
                [1.0] * 9 + [None] * 3 + [1.0], Condition.HOLDS, id="the sequence went past it"
            ),
            pytest.param([], Condition.UNKNOWN, id="no message"),
        ],
    )
    def test_at_a_quantile(self, lags_s: list[float | None], wants: Condition) -> None:
        assert self.RULE.judge([node("r1")], self.told(*lags_s), NOW).condition is wants

    def test_a_single_invalidation_is_enough_without_a_quantile(self) -> None:
        look = replace(self.RULE, quantile=None).judge(
            [node("r1")], self.told(*[1.0] * 99, 7.0), NOW
        )
        assert look.condition is Condition.HOLDS
        assert look.value == 7
        assert look.evidence == [
            "invalidation i99 at regional/r1: late, at least 7 s after the write"
            " (by the clocks of two hosts)"
        ]
        assert look.link.startswith("invalidations/i99?from=")

    def test_what_may_still_come_in_time_is_not_missing(self) -> None:
        early = Told(self.sent(99, NOW - S), [])
        told = [*self.told(*[1.0] * 10), *[early] * 10]
        assert self.RULE.judge([node("r1")], told, NOW).condition is Condition.CLEAR

    def test_keyspaces_that_are_elsewhere_are_left_out(self) -> None:
        told = [Told(self.sent(1, NOW - MIN, keyspace="other"), [self.applied(1, NOW)])]
        look = self.RULE.judge([node("r1")], told, NOW)
        assert look.condition is Condition.UNKNOWN
        assert look.labels == {"layer": "regional"}

    def test_it_says_when_it_fires(self) -> None:
        assert self.RULE.in_words() == (
            "Fires when the 90th percentile of lag over 5 min is proven above 5 s,"
            " for layer regional."
        )

    def test_many_quick_messages_of_now_do_not_hide_late_ones(self) -> None:
        store = SqliteStore(":memory:")
        store.write(Batch(nodes=[node("r1")]))
        quick, late = range(1, 601), range(601, 611)
        sent = [self.sent(n, NOW - 2 * S) for n in quick] + [self.sent(n, NOW - MIN) for n in late]
        words = [self.applied(n, NOW - S) for n in quick] + [self.applied(n, NOW) for n in late]
        store.write_messages(sent, words)
        (look,) = self.RULE.look(store, NOW)
        store.close()
        assert (look.condition, look.value) == (Condition.HOLDS, 60)
