"""The truth as it is written and read again."""

from pathlib import Path

import pytest

from lab.truth import Commit, Fault, Holding, Truth, TruthLog

S = 1_000_000_000
APP = ("app", "eu-app-1")
REDIS = ("regional", "eu-redis-1")


@pytest.fixture
def log(tmp_path: Path) -> TruthLog:
    return TruthLog(tmp_path, "one")


def test_a_copy_is_held_until_it_is_replaced_removed_or_expired(
    tmp_path: Path, log: TruthLog
) -> None:
    log.held(APP, "7", 1, 70 * S, at=(10 * S, 0))
    log.held(APP, "7", 2, 80 * S, at=(20 * S, 0))
    log.gone(APP, "7", at=(30 * S, 0))
    log.held(APP, "7", 3, 40 * S, at=(35 * S, 0))
    log.gone(APP, "7", at=(50 * S, 0))
    spans = [(each.version, each.start_s, each.end_s) for each in Truth.load(tmp_path).holdings]
    assert spans == [(1, 10, 20), (2, 20, 30), (3, 35, 40)]


def test_what_is_open_lasts_until_now(tmp_path: Path, log: TruthLog) -> None:
    log.held(APP, "7", 1, 70 * S, at=(10 * S, 0))
    assert Truth.load(tmp_path, now_s=25.0).holdings == (Holding(*APP, "7", 1, 10, 25),)
    assert Truth.load(tmp_path, now_s=99.0).holdings == (Holding(*APP, "7", 1, 10, 70),)


def test_files_of_several_processes_are_one_history(tmp_path: Path, log: TruthLog) -> None:
    other = TruthLog(tmp_path, "other")
    other.gone(REDIS, "7", at=(10 * S, 2))
    log.held(REDIS, "7", 1, 70 * S, at=(10 * S, 1))
    log.held(REDIS, "7", 2, 80 * S, at=(10 * S, 3))
    log.committed("7", 2, 9 * S, 9 * S + 5)
    truth = Truth.load(tmp_path, now_s=20.0)
    assert [each.version for each in truth.holdings if each.end_s > each.start_s] == [2]
    assert truth.commits == (Commit("7", 2, 9.0),)


def test_a_line_that_is_being_written_is_left_for_later(tmp_path: Path, log: TruthLog) -> None:
    log.committed("7", 2, 9 * S, 9 * S + 5)
    with (tmp_path / "truth" / "one.jsonl").open("a") as file:
        file.write('{"e":"com')
    assert len(Truth.load(tmp_path).commits) == 1


def test_a_repaired_fault_and_one_that_lasts(tmp_path: Path, log: TruthLog) -> None:
    log.fault_began(Fault("a", "lost_invalidation", *APP, ("7",), 10.0))
    log.fault_ended("a", ["7"])
    log.fault_began(Fault("b", "partitioned_node", *REDIS, ("1",), 20.0), whole_node=True)
    log.committed("1", 2, 21 * S, 21 * S)
    log.committed("5", 2, 22 * S, 22 * S)
    repaired, lasting = Truth.load(tmp_path).faults
    assert (repaired.keys, repaired.end_s is None) == (("7",), False)
    assert (lasting.keys, lasting.end_s) == (("1", "5"), None)


def test_no_truth_yet(tmp_path: Path) -> None:
    assert Truth.load(tmp_path) == Truth((), ())
