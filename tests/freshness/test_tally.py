"""Totals never fall, and what was taken back is made good by what comes."""

from hypothesis import given
from hypothesis import strategies as st

from freshness.counts import Counts, count_events
from freshness.tally import Tally, Total

amounts = st.integers(-5, 20)
deltas = st.builds(
    lambda good, bad, other: Counts(
        good_weight=good, bad_weight=bad, judged_weight=good + bad + other
    ),
    amounts,
    amounts,
    amounts,
)


def test_what_is_taken_back_is_left_out_of_what_comes() -> None:
    tally = Tally().plus(count_events(good=5, indeterminate=2))
    assert tally.told == Total(good=5, bad=0, judged=7)
    tally = tally.plus(count_events(bad=2).minus(count_events(good=1, indeterminate=1)))
    assert tally.net == Total(good=4, bad=2, judged=7)
    assert tally.told == Total(good=5, bad=2, judged=7)
    assert tally.plus(count_events(good=3)).told == Total(good=7, bad=2, judged=10)


@given(st.lists(deltas))
def test_told_never_falls_and_never_lies_below_what_holds(changes: list[Counts]) -> None:
    tally = Tally()
    for delta in changes:
        grown = tally.plus(delta)
        assert all(now >= before for now, before in zip(grown.told, tally.told, strict=True))
        assert all(told >= net for told, net in zip(grown.told, grown.net, strict=True))
        tally = grown
