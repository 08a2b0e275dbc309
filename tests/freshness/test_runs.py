"""Equal readings in a row are one run."""

from freshness.model import MISS, Reading, Result, Value
from freshness.runs import RunBook


def reading(version: int) -> Reading:
    return Reading(Result.VALUE, Value(version))


def test_a_run_grows_with_equal_readings_and_ends_with_another() -> None:
    book = RunBook(max_gap=100)
    [begun] = book.observe(["a"], [reading(1)], 0, 1)
    assert book.observe(["a"], [reading(1)], 50, 52) == []
    [change] = book.observe(["a"], [reading(2)], 60, 61)
    assert change.ended is begun.begun
    assert change.ended.ended_by == "change"
    run = change.ended
    assert (run.first_start, run.first_end, run.last_start, run.last_end) == (0, 1, 50, 52)
    assert run.count == 2


def test_a_run_does_not_bridge_a_gap() -> None:
    book = RunBook(max_gap=100)
    book.observe(["a"], [reading(1)], 0, 1)
    [change] = book.observe(["a"], [reading(1)], 102, 103)
    assert change.ended is not None
    assert change.ended.ended_by == "gap"


def test_a_remaining_ttl_that_runs_down_breaks_no_run() -> None:
    book = RunBook(max_gap=100)
    book.observe(["a"], [reading(1)._replace(ttl_s=9.0)], 0, 1)
    assert book.observe(["a"], [reading(1)._replace(ttl_s=8.0)], 10, 11) == []


def test_unknown_readings_are_one_run_whatever_the_reasons() -> None:
    book = RunBook(max_gap=100)
    book.observe(["a"], [Reading(Result.UNKNOWN, why="refused")], 0, 1)
    assert book.observe(["a"], [Reading(Result.UNKNOWN, why="timed out")], 10, 11) == []
    assert len(book.observe(["a"], [MISS], 20, 21)) == 1


def test_closing_ends_every_run_with_the_reason() -> None:
    book = RunBook(max_gap=100)
    book.observe(["a", "b"], [reading(1), MISS], 0, 1)
    assert [(key, run.ended_by) for key, run in book.close("restart")] == [
        ("a", "restart"),
        ("b", "restart"),
    ]
    assert len(book) == 0
