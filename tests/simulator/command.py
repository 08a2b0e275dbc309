"""Drives the real `stalewatch judge` as a process of its own, many keys in one file."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import NamedTuple

from freshness.model import Order
from tests.simulator.replay import TICKS_PER_SECOND, lines_of
from tests.simulator.world import World, build_world

JUDGE = [str(Path(sys.executable).with_name("stalewatch")), "judge", "--explain"]


class Answer(NamedTuple):
    """One printed line, in ticks."""

    id: str
    verdict: str
    reason: str
    staleness: tuple[int, int | None]
    behind: tuple[int, int | None]


def worlds_for_files(seeds: range, focus: frozenset[str] = frozenset()) -> list[World]:
    """The histories that a file can hold: versions count up by one there, and digests may recur."""
    worlds = [build_world(seed, focus) for seed in seeds]
    return [w for w in worlds if w.dials.order is Order.COUNTER and w.dials.recurs]


def file_of(worlds: Sequence[World], rng: Random) -> list[str]:
    """The lines of several histories, each a key of its own, in any order."""
    lines = [line for world in worlds for line in lines_of(world, key_of(world))]
    rng.shuffle(lines)
    return lines


def key_of(world: World) -> str:
    """The key under which a history stands in a file."""
    return f"k{world.seed}"


def run_judge(lines: Sequence[str], max_staleness: int) -> tuple[int, list[Answer]]:
    """The exit status and the answers, in the printed order."""
    seconds = str(max_staleness / TICKS_PER_SECOND)
    done = subprocess.run(
        [*JUDGE, "--max-staleness", seconds, "-"],
        input="\n".join(lines) + "\n",
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode in {0, 1}, done.stderr
    return done.returncode, [_answer(json.loads(line)) for line in done.stdout.splitlines()]


def _answer(printed: dict[str, object]) -> Answer:
    staleness, behind = printed["staleness"], printed["versions_behind"]
    assert isinstance(staleness, list)
    assert isinstance(behind, list)
    lower, upper = (None if bound is None else _ticks(bound) for bound in staleness)
    assert lower is not None
    return Answer(
        str(printed["id"]),
        str(printed["verdict"]),
        str(printed["reason"]),
        (lower, upper),
        (behind[0], behind[1]),
    )


def _ticks(seconds: float) -> int:
    """Seconds as printed, which must be a whole number of ticks, since the evidence was."""
    ticks = round(seconds * TICKS_PER_SECOND)
    assert abs(seconds - ticks / TICKS_PER_SECOND) < 1e-9, seconds
    return ticks
