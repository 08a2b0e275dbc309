"""Gaps of a tap as they open and close, as timelines."""

from collectors.taps.coverage import NOT_RUNNING, Coverage
from store.gaps import GapRow


def coverage(*, resumes: bool = False, sure_until_ns: int = 10) -> Coverage:
    return Coverage("bus", resumes, sure_until_ns)


def gap(since_ns: int, until_ns: int | None, why: str = "closed") -> GapRow:
    return GapRow("bus", since_ns, until_ns, why)


def test_the_first_session_opens_no_gap() -> None:
    heard = coverage()
    assert heard.hears_from(12) == 0
    assert heard.take() == ([], [])


def test_a_gap_begins_where_the_last_beat_was_answered() -> None:
    heard = coverage()
    heard.hears_from(12)
    heard.sure(20)
    heard.lost(29, "closed")
    assert heard.take() == ([gap(20, None)], [])
    heard.lost(31, "closed")
    assert heard.take() == ([], [])
    heard.lost(32, "refused")
    assert heard.take() == ([gap(20, None, "refused")], [])
    assert heard.hears_from(40) == 20
    assert heard.take() == ([gap(20, 40, "refused")], [])


def test_nothing_is_sure_while_nothing_is_heard() -> None:
    heard = coverage()
    heard.lost(12, "closed")
    heard.sure(99)
    assert heard.hears_from(50) == 40


def test_a_tap_that_resumes_takes_its_gap_back() -> None:
    heard = coverage(resumes=True)
    heard.lost(12, NOT_RUNNING)
    assert heard.hears_from(40) == 0
    assert heard.take() == ([gap(10, None, NOT_RUNNING)], [gap(10, None, NOT_RUNNING)])


def test_without_a_place_to_go_on_from_the_gap_stays() -> None:
    heard = coverage(resumes=True)
    heard.lost(12, "refused")
    assert heard.hears_from(40, has_place=False) == 30
    assert heard.take() == ([gap(10, None, "refused"), gap(10, 40, "refused")], [])


def test_what_was_missed_is_a_gap_all_the_same() -> None:
    heard = coverage(resumes=True)
    heard.lost(12, "closed")
    assert heard.hears_from(40, "trimmed") == 30
    assert heard.hears_from(60, "trimmed") == 20
    written, withdrawn = heard.take()
    assert written == [gap(10, None), gap(10, 40, "trimmed"), gap(40, 60, "trimmed")]
    assert withdrawn == []


def test_a_wall_clock_that_goes_back_makes_no_gap_that_ends_before_it_begins() -> None:
    heard = coverage(sure_until_ns=100)
    heard.lost(90, "closed")
    assert heard.hears_from(80) == 0
    assert heard.take()[0] == [gap(90, None), gap(90, 90)]
