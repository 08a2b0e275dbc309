"""`stalewatch judge` on files of many histories says what the library says, and nothing false."""

import json
from random import Random

import pytest

from freshness.model import Verdict
from tests.simulator.command import file_of, key_of, run_judge, worlds_for_files
from tests.simulator.library import LibraryJudge
from tests.simulator.truth import truth_of

HISTORIES = range(400)


@pytest.mark.parametrize(
    ("max_staleness", "focus"),
    [
        pytest.param(0, frozenset[str](), id="fresh now"),
        pytest.param(7, frozenset[str](), id="some staleness allowed"),
        pytest.param(0, frozenset({"restore", "recreation"}), id="several lives"),
        pytest.param(0, frozenset({"digests"}), id="no versions"),
        pytest.param(3, frozenset({"second-clock", "new-epoch"}), id="several clocks"),
    ],
)
def test_command_agrees_with_library_and_truth(max_staleness: int, focus: frozenset[str]) -> None:
    worlds = worlds_for_files(HISTORIES, focus)
    lines = file_of(worlds, Random(max_staleness))
    status, answers = run_judge(lines, max_staleness)
    assert [a.id for a in answers] == _reads_in_order(lines)
    assert status == (1 if any(a.verdict == Verdict.STALE for a in answers) else 0)
    told = {answer.id: answer for answer in answers}
    for world in worlds:
        for clock in world.clocks:
            pieces = world.on(clock)
            evidence = [piece.evidence for piece in pieces]
            judge = LibraryJudge(world.dials.order, evidence, world.dials.recurs)
            for read in (r for r in world.reads if r.clock == clock):
                answer, said = told[f"{key_of(world)}/{read.id}"], judge.judge(read, max_staleness)
                assert (answer.verdict, answer.reason) == (said.verdict, said.reason)
                assert (*answer.staleness, *answer.behind) == tuple(said.bounds)
                truth = truth_of(world, read, pieces)
                if answer.verdict == Verdict.STALE and truth.limit is None:
                    assert not read.is_coherent
                    assert truth.staleness is None or truth.staleness > max_staleness
                if answer.verdict == Verdict.FRESH and truth.limit is None:
                    assert truth.staleness is not None
                    assert truth.staleness <= max_staleness


def _reads_in_order(lines: list[str]) -> list[str]:
    decoded = [json.loads(line) for line in lines]
    return [line["id"] for line in decoded if line["type"] == "cache_read"]
