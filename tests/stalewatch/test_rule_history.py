"""Rules on generated histories of which the truth is known: they fire exactly when they should."""

import json
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from alerts.rules import Drift, MeasurementLost, Rule, Silent, Staleness, Unreachable
from alerts.state import Timing
from freshness.model import Result as Read
from freshness.model import Verdict
from freshness.rollup import Reads, Rollup, RollupKey
from stalewatch.cli import alerts
from stalewatch.rule_history import Stretch, run_rule
from store.base import Batch, FindingRow, Store
from store.sqlite import SqliteStore
from tests.stalewatch.config.configs import GOOD
from tests.store.rows import S, finding, invalidation, node, receipt

MIN = 60 * S
T0 = 1_800_000_000 * S // MIN * MIN
LENGTH = 240
STRETCH = Stretch(T0, T0 + LENGTH * MIN, MIN)
NODES = ("r1", "r2")
Span = tuple[int, int | None]


@dataclass
class World:
    """Minutes of a made-up past; `bad` has the minutes in which each node is at fault."""

    seed: int
    bad: dict[str, list[tuple[int, int]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        chance = random.Random(self.seed)
        for name in NODES:
            at = chance.randrange(5, 30)
            self.bad[name] = []
            while at < LENGTH - 60:
                end = at + chance.randrange(1, 25)
                self.bad[name].append((at, end))
                at = end + chance.randrange(8, 40)

    def is_bad(self, name: str, minute: int) -> bool:
        return any(since <= minute < until for since, until in self.bad[name])


def cells(read: dict[tuple[str, int], Reads]) -> dict[RollupKey, Rollup]:
    made = {}
    for (name, minute), reads in read.items():
        cell = Rollup()
        cell.add(reads)
        start_s = T0 // S + 60 * minute
        made[RollupKey(start_s, "product", "regional", name, "walk", 2 * S, "d")] = cell
    return made


FRESH = Reads(Verdict.FRESH, n=50)
AWAY = Reads(Verdict.UNKNOWN, result=Read.UNKNOWN, n=50)


@pytest.fixture
def store() -> Iterator[Store]:
    opened = SqliteStore(":memory:")
    yield opened
    opened.close()


def fired(rule: Rule, store: Store) -> dict[str, list[Span]]:
    done = run_rule(rule, store, STRETCH, {})
    found: dict[str, list[Span]] = {name: [] for name in NODES}
    for each in done.firings:
        until = None if each.until_ns is None else (each.until_ns - T0) // MIN
        found[each.labels["node"]].append(((each.since_ns - T0) // MIN, until))
    return found


@pytest.mark.parametrize("seed", range(5))
def test_staleness_fires_exactly_while_a_confirmed_finding_was_open(
    seed: int, store: Store
) -> None:
    world = World(seed)
    rows: list[FindingRow] = []
    for name in NODES:
        for since, until in world.bad[name]:
            confirmed = T0 + since * MIN
            rows.append(
                finding(
                    f"{name}-{since}",
                    node=name,
                    opened_at_ns=confirmed - 30 * S,
                    confirmed_at_ns=confirmed,
                    healed_at_ns=T0 + until * MIN,
                    state="healed",
                )
            )
        # One that healed at its second read was never confirmed, and never fires.
        row = finding(f"{name}-x", node=name, opened_at_ns=T0 + 2 * MIN, confirmed_at_ns=None)
        rows.append(replace(row, state="healed-on-read", healed_at_ns=T0 + 3 * MIN))
    read = {(name, at): FRESH for name in NODES for at in range(-5, LENGTH)}
    store.write(Batch(nodes=[node(n) for n in NODES], findings=rows, rollups=cells(read)))
    rule = Staleness(name="stale", layer="regional")
    assert fired(rule, store) == world.bad
    waits = Staleness(name="stale", layer="regional", timing=Timing(for_ns=5 * MIN))
    assert fired(waits, store) == {
        name: [(since + 5, until) for since, until in spans if until - since > 5]
        for name, spans in world.bad.items()
    }


@pytest.mark.parametrize("seed", range(5))
def test_unreachable_fires_exactly_when_no_read_was_answered_for_its_time(
    seed: int, store: Store
) -> None:
    world = World(seed)
    read = {
        (name, at): AWAY if at >= 0 and world.is_bad(name, at) else FRESH
        for name in NODES
        for at in range(-5, LENGTH)
    }
    since_ns = T0 + LENGTH * MIN  # how they stand now says nothing of the past
    rows = [node(name, since_at_ns=since_ns) for name in NODES]
    store.write(Batch(nodes=rows, rollups=cells(read)))
    rule = Unreachable(name="away", timing=Timing(for_ns=5 * MIN))
    # A minute tells of itself once it has ended.
    assert fired(rule, store) == {
        name: [(since + 6, until + 1) for since, until in spans if until - since > 5]
        for name, spans in world.bad.items()
    }


@pytest.mark.parametrize("seed", range(3))
def test_silent_fires_exactly_while_a_node_said_nothing_in_the_window(
    seed: int, store: Store
) -> None:
    world = World(seed)
    sent, words, n = [], [], 0
    for at in range(-6, LENGTH + 1):
        for k in range(4):
            n += 1
            at_ns = T0 + at * MIN + k * 10 * S + S
            sent.append(invalidation(n, written_at_ns=at_ns, received_at_ns=at_ns))
            is_deaf = at >= 0 and world.is_bad("r1", at)
            names = ("r3",) if is_deaf else ("r1", "r3")
            words += [receipt(n, name, at_ns=at_ns, received_at_ns=at_ns) for name in names]
    rows = [node(name, since_at_ns=T0 - 60 * MIN) for name in ("r1", "r3")]
    store.write(Batch(nodes=rows))
    store.write_messages(sent, words)
    rule = Silent(name="deaf", layer="regional", node="r1", window_ns=5 * MIN)
    # Its last word before minute `since` came at since − 1 min + 31 s: out of the window 5 min on.
    assert fired(rule, store)["r1"] == [
        (since + 5, until + 1) for since, until in world.bad["r1"] if until - since >= 5
    ]


def test_a_loss_of_measurement_is_found_in_the_past(store: Store) -> None:
    read = {("r1", at): FRESH for at in range(-40, LENGTH) if not 100 <= at < 130}
    store.write(Batch(nodes=[node("r1", since_at_ns=T0 - 60 * MIN)], rollups=cells(read)))
    rule = MeasurementLost(name="lost", intervals_ns={"product": S}, layers=("regional",))
    done = run_rule(rule, store, STRETCH, {})
    (firing,) = done.firings
    assert firing.labels == {"keyspace": "product"}
    # Two of fifteen minutes are missing at 102; but one is left in the window at 144.
    since, until = (firing.since_ns - T0) // MIN, ((firing.until_ns or 0) - T0) // MIN
    assert (since, until) == (102, 144)
    assert done.unknown_looks == 0


def test_staleness_is_unknown_where_nothing_was_read(store: Store) -> None:
    known = finding("f1", opened_at_ns=T0 - MIN, confirmed_at_ns=T0 - MIN)
    store.write(Batch(nodes=[node("r1")], findings=[known]))
    done = run_rule(Staleness(name="stale", layer="regional"), store, STRETCH, {})
    assert (done.firings, done.is_blind) == ([], True)


def test_minutes_that_are_no_longer_kept_are_unknown_and_not_lost(store: Store) -> None:
    store.write(Batch(nodes=[node("r1")]))
    rule = MeasurementLost(name="lost", intervals_ns={"product": S})
    done = run_rule(rule, store, STRETCH, {"minute": STRETCH.until_ns})
    assert (done.firings, done.is_blind) == ([], True)
    assert done.unknown == {"minutes that old are no longer kept": LENGTH + 1}


def test_what_cannot_be_replayed_says_so(store: Store) -> None:
    store.write(Batch(nodes=[node("r1"), node("r2")], findings=[finding("f1", opened_at_ns=T0)]))
    done = run_rule(Drift(name="apart", layer="regional"), store, STRETCH, {})
    assert done.is_blind
    assert all("not kept as they were" in why for why in done.unknown)


@pytest.mark.parametrize(
    ("length", "step", "says"),
    [
        (3_600, 61, "from 1s to 1m"),
        (3_600, 0, "from 1s to 1m"),
        (30, 60, "one step at least"),
        (2_000_000, 1, "at most"),
    ],
)
def test_a_stretch_that_cannot_be(length: int, step: int, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Stretch.before(T0, length * S, step * S)


def test_a_stretch_looks_at_whole_steps() -> None:
    stretch = Stretch.before(T0 + 7 * S, 3 * MIN, MIN)
    assert [(at - T0) // MIN for at in stretch.instants] == [-3, -2, -1, 0]


RUNNER = CliRunner()


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A config whose store has an hour of reads, and a finding of ten minutes in it."""
    file = _config(tmp_path)
    now_ns = time.time_ns()
    begun_ns = now_ns - 30 * MIN
    cell = Rollup()
    cell.add(FRESH)
    keys = [
        RollupKey(now_ns // MIN * 60 - 60 * n, "product", "regional", "r1", "walk", 2 * S, "d")
        for n in range(60)
    ]
    row = finding("f1", opened_at_ns=begun_ns, confirmed_at_ns=begun_ns)
    row = replace(row, state="healed", healed_at_ns=begun_ns + 10 * MIN)
    store = SqliteStore(str(tmp_path / "sw.db"))
    store.write(Batch(nodes=[node("r1")], findings=[row], rollups=dict.fromkeys(keys, cell)))
    store.close()
    return file


def test_the_command_tells_when_a_rule_would_have_fired(config: Path) -> None:
    done = run(config, "staleness:regional", "--since", "50m", "--json")
    assert done.exit_code == 1, done.output
    (told,) = json.loads(done.stdout)
    assert (told["rule"], told["kind"], told["count"]) == ("staleness:regional", "staleness", 1)
    assert (told["unknown_looks"], told["blind"], told["longest_s"]) == (0, False, 600)
    assert told["share"] == pytest.approx(0.2)
    (firing,) = told["firings"]
    assert firing["labels"] == {"layer": "regional", "node": "r1"}
    assert (firing["until_ns"] - firing["since_ns"], firing["began_before"]) == (600 * S, False)
    shown = run(config, "staleness:regional", "--since", "50m")
    assert "Fires when a node of regional holds a copy" in shown.output


def test_the_command_is_fine_where_nothing_would_have_fired(config: Path) -> None:
    calm = run(config, "staleness:regional", "--since", "10m")
    assert calm.exit_code == 0, calm.output
    assert "staleness:regional" in calm.output


def test_the_command_says_where_nothing_can_be_told(config: Path) -> None:
    blind = run(config, "staleness:edge", "--since", "10m")
    assert blind.exit_code == 0
    assert "whether it would have fired cannot be told: no looks" in blind.output


def test_the_command_runs_every_rule_and_writes_nothing(config: Path) -> None:
    every = run(config, "--since", "10m", "--json")
    names = {each["rule"] for each in json.loads(every.stdout)}
    assert {"staleness:edge", "unreachable:all", "measurement-lost:all"} <= names
    store = SqliteStore(str(config.parent / "sw.db"))
    assert (store.alerts(), store.transitions()) == ([], [])
    store.close()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["staleness:regiona"], "there is no rule staleness:regiona; did you mean"),
        (["--step", "2m"], "--step: expected a step from 1s to 1m"),
        (["--since", "a week"], "--since: expected a duration such as"),
        ([], "there is no store"),
    ],
)
def test_bad_usage(arguments: list[str], says: str, tmp_path: Path) -> None:
    done = run(_config(tmp_path), *arguments)
    assert done.exit_code == 2
    assert says in done.output


def _config(folder: Path) -> Path:
    file = folder / "stalewatch.yaml"
    file.write_text(GOOD + "store: {path: sw.db}\n")
    return file


def run(config: Path, *arguments: str) -> Result:
    app = typer.Typer()
    app.add_typer(alerts.app, name="alerts")
    return RUNNER.invoke(app, ["alerts", "test", *arguments, "--config", str(config)])
