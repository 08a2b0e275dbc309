"""A generated month of a shop's caches, across the end of summer time in Berlin.

Two objectives of reads are measured each hour at three nodes: one is missed for an incident on a
Wednesday, one is kept but not measured on a Thursday morning; a third is of nothing at all.
"""

import random
from fractions import Fraction
from typing import Final

from freshness.model import Bounds, Verdict
from freshness.objective import Measure, Objective, Rolling
from freshness.rollup import SAMPLED, Reads, Rollup, RollupKey
from reports.ask import Ask, Subscription, ask_for
from reports.weeks import Week, window_of
from store.base import Batch, Clock, Store
from store.catalogue_history import Entry
from store.gaps import GapRow
from store.objective_spec import Spec
from store.silences import AckRow, Matcher, SilenceRow
from tests.store.rows import (
    alert,
    finding,
    invalidation,
    node,
    notification,
    read,
    receipt,
    transition,
)

S: Final = 10**9
HOUR, DAY = 3_600, 86_400
ZONE: Final = "Europe/Berlin"
WEEK: Final = Week(2026, 43)
"""Its Sunday has 25 hours."""
SINCE, UNTIL = window_of(WEEK, ZONE)
INCIDENT: Final = SINCE + 2 * DAY + 10 * HOUR
CLOCK: Final = Clock(id="m1", wall_offset_ns=0, opened_at_ns=1)
PLACES: Final = (("product", "edge", "e1"), ("product", "edge", "e2"), ("order", "regional", "r1"))
SPECS: Final = (
    Spec(
        "product-fresh",
        Objective(Measure.READS, Fraction("0.999"), Rolling(28 * DAY), slice_s=HOUR),
        {"product": frozenset({"edge"})},
        owners={"product": "team-catalogue"},
        description="Shoppers see a price at most 2 s old",
    ),
    Spec(
        "order-fresh",
        Objective(Measure.READS, Fraction("0.99"), Rolling(28 * DAY), slice_s=HOUR),
        {"order": frozenset({"regional"})},
        owners={"order": "team-orders"},
    ),
    Spec(
        "stock-fresh",
        Objective(Measure.READS, Fraction("0.99"), Rolling(28 * DAY), slice_s=HOUR),
        {"stock": frozenset({"edge"})},
        owners={"stock": "team-orders"},
    ),
)
BERLIN: Final = Subscription("weekly", ZONE)


def ask(subscription: Subscription = BERLIN, week: Week = WEEK) -> Ask:
    """The report of a week that has been over for a day."""
    return ask_for(subscription, week, UNTIL + DAY)


def seed_month(store: Store, seed: int = 1) -> None:
    """Everything a report tells of, in five weeks that end a week after `WEEK` does."""
    dice = random.Random(seed)
    store.write(Batch(clocks=[CLOCK]))
    _seed_catalogue(store)
    _seed_reads(store, dice)
    _seed_findings(store)
    _seed_alerts(store)
    _seed_messages(store, dice)
    store.write_gaps([GapRow("prices", (SINCE + DAY) * S, (SINCE + DAY + 90) * S, "disconnected")])
    store.fold((UNTIL + 7 * DAY) * S)


def _seed_catalogue(store: Store) -> None:
    began_ns = (SINCE - 28 * DAY) * S
    rows = [node(name, layer, since_at_ns=began_ns) for _, layer, name in PLACES]
    store.write(Batch(nodes=rows))
    for since_s, target in ((SINCE - 28 * DAY, "99.5%"), (SINCE + 5 * HOUR, "99.9%")):
        store.write_catalogue(
            {
                Entry("layer", "edge"): {"owner": "team-edge", "max_staleness_ns": 2 * S},
                Entry("objective", "product-fresh"): {"target": target, "window": "28d"},
            },
            since_s * S,
        )


def _seed_reads(store: Store, dice: random.Random) -> None:
    """A cell an hour and node; what is stale is by 5 s."""
    cells: dict[RollupKey, Rollup] = {}
    for keyspace, layer, name in PLACES:
        for start_s in range(SINCE - 28 * DAY, UNTIL + 7 * DAY, HOUR):
            if keyspace == "order" and SINCE + 3 * DAY <= start_s < SINCE + 3 * DAY + 6 * HOUR:
                continue  # nobody measured
            is_bad = name == "e1" and INCIDENT <= start_s < INCIDENT + 4 * HOUR
            stale = 400 if is_bad else int(dice.random() < 0.1)
            cell = Rollup()
            cell.add(Reads(Verdict.FRESH, 0, S, n=1_000 - stale))
            cell.add(Reads(Verdict.STALE, 5 * S, 6 * S, n=stale))
            key = RollupKey(start_s, keyspace, layer, name, SAMPLED, 2 * S, "d")
            cells[key] = cell
    store.write(Batch(rollups=cells))


def _seed_findings(store: Store) -> None:
    """Two copies at e1, found three seconds after they were too old; one is open at the end."""
    findings, reads = [], []
    for number, key in enumerate(("sku-1", "sku-2"), 1):
        opened_ns = (INCIDENT + 60 * number) * S
        findings.append(
            finding(
                f"f{number}",
                key=key,
                layer="edge",
                node="e1",
                opened_at_ns=opened_ns,
                confirmed_at_ns=opened_ns + S,
                healed_at_ns=opened_ns + HOUR * S if number == 1 else (UNTIL + DAY) * S,
                state="healed",
                lower_ns=HOUR * S,
                cause="lost-invalidation",
            )
        )
        reads += [
            read(
                10 * number + n,
                key=key,
                layer="edge",
                node="e1",
                clock=CLOCK.id,
                start_ns=opened_ns + n * S,
                end_ns=opened_ns + n * S + 1,
                stratum=SAMPLED,
                bounds=Bounds((5 + n) * S, None, 1, None),
                finding=f"f{number}",
            )
            for n in range(5 * number)
        ]
    store.write(Batch(findings=findings, reads=reads))


def _seed_alerts(store: Store) -> None:
    """One long firing that was acknowledged, and one that flaps under a silence."""
    fired_ns = INCIDENT * S + 600 * S
    labels = {"layer": "edge", "node": "e1", "keyspace": "product"}
    long = alert(
        "a1",
        rule="staleness edge",
        labels=labels,
        summary="e1 is stale by 12 s",
        state="resolved",
        firing_since_ns=fired_ns,
        resolved_at_ns=fired_ns + 2 * HOUR * S,
    )
    flapping = alert("a2", rule="order-lag", labels={"keyspace": "order"}, state="resolved")
    steps = [
        transition("a1", fired_ns),
        transition("a1", fired_ns + 2 * HOUR * S, before="firing", after="resolved"),
    ]
    for number in range(3):
        at_ns = (SINCE + 4 * DAY + number * HOUR) * S
        steps += [
            transition("a2", at_ns),
            transition("a2", at_ns + 60 * S, before="firing", after="resolved"),
        ]
    told = [
        notification("n1", state="delivered", created_at_ns=fired_ns, delivered_at_ns=fired_ns),
        notification("n2", state="dead", created_at_ns=fired_ns + S, alerts=("a2",)),
    ]
    store.write_alerts([long, flapping], steps, told)
    store.acknowledge(AckRow("a1", fired_ns, "kim", "on it", fired_ns + 300 * S))
    friday_ns = (SINCE + 4 * DAY) * S
    silence = SilenceRow(
        "s1",
        (Matcher("keyspace", "=", "order"),),
        "kim",
        "a migration",
        friday_ns - S,
        friday_ns + 30 * 60 * S,
        friday_ns - S,
    )
    store.write_silence(silence)


def _seed_messages(store: Store, dice: random.Random) -> None:
    """A hundred messages that e1 and e2 take within two seconds."""
    messages, receipts = [], []
    for number in range(100):
        at_ns = (SINCE + DAY + 600 * number) * S
        messages.append(
            invalidation(number, written_at_ns=at_ns, received_at_ns=at_ns + S // 100, keys=("k",))
        )
        for name in ("e1", "e2"):
            heard_ns = at_ns + dice.randrange(S // 100, 2 * S)
            receipts.append(
                receipt(
                    number,
                    name,
                    layer="edge",
                    at_ns=heard_ns,
                    received_at_ns=heard_ns + S // 100,
                    host="app-1",
                )
            )
    store.write_messages(messages, receipts)
