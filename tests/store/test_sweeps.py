"""What every engine does with sweeps. Engines are in `conftest.py`."""

from dataclasses import replace

from store.base import Batch, Store
from store.sweeps import NodeSwept, SweepRow

ROW = SweepRow("s1", "product", "regional", "", "asked", 10, 10)
NODES = [
    NodeSwept("r1", is_over=True, walked=9, right=8, wrong=1),
    NodeSwept("r2", cursor="abc.17", walked=3, right=2, gone=1, why="it is down"),
]


def test_a_sweep_comes_back_as_it_was(store: Store) -> None:
    full = replace(ROW, node="r1", state="running", started_at_ns=11, expected=9, nodes=NODES)
    store.write(Batch(sweeps=[full]))
    assert store.sweep("s1") == full
    assert store.sweep("s2") is None


def test_sweeps_are_listed_newest_first(store: Store) -> None:
    for n, state in enumerate(("done", "failed", "paused", "running", "asked")):
        store.ask_sweep(replace(ROW, id=f"s{n}", state=state, asked_at_ns=n))  # type: ignore[arg-type]
    assert [row.id for row in store.sweeps()] == ["s4", "s3", "s2", "s1", "s0"]
    assert [row.id for row in store.sweeps(open_only=True)] == ["s4", "s3", "s2"]
    assert [row.id for row in store.sweeps(limit=1)] == ["s4"]


def test_a_sweeper_does_not_overwrite_that_it_is_to_rest(store: Store) -> None:
    store.ask_sweep(ROW)
    store.pause_sweep("s1", is_paused=True)
    store.write(Batch(sweeps=[replace(ROW, state="running", nodes=NODES)]))
    assert store.is_sweep_paused("s1")
    store.pause_sweep("s1", is_paused=False)
    assert not store.is_sweep_paused("s1")
    assert not store.is_sweep_paused("nobody")
