"""A remote clock as bounds: true ones, whatever the network and the drift."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freshness.offset import DRIFT_PPM, Exchange, LocalInstant, Offset, Reason, bounds_of, observe

MS = 1_000_000
S = 1_000 * MS


class RemoteClock:
    """A clock that runs at its own rate and shows whole multiples of its resolution."""

    def __init__(self, theta_ns: int, drift_ppm: int, resolution_ns: int) -> None:
        self.theta_ns, self.resolution_ns = theta_ns, resolution_ns
        self.rate = 1 + Fraction(drift_ppm, 1_000_000)

    def exact(self, local_ns: int) -> Fraction:
        """What it would show without rounding."""
        return self.theta_ns + local_ns * self.rate

    def exchange(self, sent_ns: int, there_ns: int, back_ns: int) -> Exchange:
        """An exchange with so long a way there and back."""
        arrived = sent_ns + there_ns
        shown = int(self.exact(arrived) // self.resolution_ns * self.resolution_ns)
        resolution = self.resolution_ns if self.resolution_ns > 1 else 1
        return Exchange(sent_ns, shown, arrived + back_ns, resolution)


clocks = st.builds(
    RemoteClock,
    st.integers(-(10**18), 10**18),
    st.integers(-DRIFT_PPM, DRIFT_PPM),
    st.sampled_from([1, 1_000, S]),
)
legs = st.integers(0, 5 * S)
trips = st.lists(st.tuples(st.integers(0, 3_600 * S), legs, legs), min_size=1, max_size=8)


@given(clock=clocks, journeys=trips, later_ns=st.integers(0, 86_400 * S))
def test_bounds_hold_the_truth(
    clock: RemoteClock, journeys: list[tuple[int, int, int]], later_ns: int
) -> None:
    known, now = None, 0
    for pause, there, back in journeys:
        exchange = clock.exchange(now + pause, there, back)
        now = exchange.m2_ns
        known, reason = observe(known, exchange)
        assert reason is not Reason.STEP
        assert known.at(now).low_ns <= clock.exact(now) - now <= known.at(now).high_ns
    assert known is not None
    instant = now + later_ns
    low, high = known.to_local(int(clock.exact(instant)), resolution_ns=1)
    assert low <= instant <= high


@given(clock=clocks, journeys=trips)
def test_an_exchange_never_loosens(
    clock: RemoteClock, journeys: list[tuple[int, int, int]]
) -> None:
    known, now = None, 0
    for pause, there, back in journeys:
        exchange = clock.exchange(now + pause, there, back)
        now = exchange.m2_ns
        before = known.at(now) if known else bounds_of(exchange)
        known, _ = observe(known, exchange)
        after = known.at(now)
        assert before.low_ns <= after.low_ns <= after.high_ns <= before.high_ns


@pytest.mark.parametrize(
    ("known", "exchange", "expected", "reason"),
    [
        pytest.param(
            None, Exchange(0, 50, 10), Offset(40, 51, 10), Reason.FIRST, id="the first exchange"
        ),
        pytest.param(
            Offset(40, 51, 10),
            Exchange(20, 65, 22),
            Offset(43, 46, 22),
            Reason.NARROWED,
            id="a quicker exchange narrows",
        ),
        pytest.param(
            Offset(40, 51, 10),
            Exchange(20, 65, 40),
            Offset(39, 46, 40),
            Reason.NARROWED,
            id="one side narrows; the other drifts on",
        ),
        pytest.param(
            Offset(40, 51, 10),
            Exchange(20, 90, 500),
            Offset(40, 51, 10),
            Reason.NOTHING_NEW,
            id="a slow exchange says nothing new",
        ),
        pytest.param(
            Offset(40, 51, 10),
            Exchange(20, 600, 22),
            Offset(578, 581, 22),
            Reason.STEP,
            id="the remote clock jumped ahead",
        ),
        pytest.param(
            Offset(40, 51, 10),
            Exchange(20, 3, 22),
            Offset(-19, -16, 22),
            Reason.STEP,
            id="the remote clock was set back",
        ),
        pytest.param(
            Offset(40, 51, 10),
            Exchange(1, 600, 9),
            Offset(40, 51, 10),
            Reason.LATE,
            id="an older exchange comes late",
        ),
    ],
)
def test_what_an_exchange_does(
    known: Offset | None, exchange: Exchange, expected: Offset, reason: Reason
) -> None:
    assert observe(known, exchange) == (expected, reason)


def test_bounds_widen_by_200_ppm() -> None:
    assert Offset(0, 0, 0).at(S) == Offset(-200_000, 200_000, S)
    assert Offset(5, 7, S).at(0) == Offset(5 - 200_000, 7 + 200_000, 0)


def test_a_coarse_stamp_says_less() -> None:
    """An HTTP Date is cut to the second."""
    exchange = Exchange(0, 7 * S, 0, resolution_ns=S)
    assert bounds_of(exchange) == Offset(7 * S, 8 * S, 0)


def test_a_remote_stamp_on_the_local_clock() -> None:
    assert Offset(40, 51, 10).to_local(61) == LocalInstant(9, 22)


def test_skew_is_against_a_reference() -> None:
    assert Offset(90, 110, 0).skew(Offset(-1, 1, 0), 0) == (89, 111)


@pytest.mark.parametrize(
    "exchange",
    [
        pytest.param(Exchange(10, 0, 9), id="received before it was sent"),
        pytest.param(Exchange(0, 0, 0, -1), id="a negative resolution"),
    ],
)
def test_an_impossible_exchange_is_refused(exchange: Exchange) -> None:
    with pytest.raises(ValueError, match="exchange"):
        observe(None, exchange)
