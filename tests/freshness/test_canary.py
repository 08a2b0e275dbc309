"""Which writes of our own are evidence: only a version that came of that attempt alone."""

import pytest

from freshness.canary import Attempt, Weighed, weigh_attempt
from freshness.model import Order

COUNTER, MONOTONE = Order.COUNTER, Order.MONOTONE


@pytest.mark.parametrize(
    ("attempt", "order", "expected"),
    [
        (Attempt(True, 4, 5, 5), COUNTER, Weighed.EVIDENCE),
        (Attempt(True, 4, None, 5), COUNTER, Weighed.EVIDENCE),
        (Attempt(True, 40, 57, 57), MONOTONE, Weighed.EVIDENCE),
        (Attempt(True, 40, None, 57), MONOTONE, Weighed.UNSEEN),
        (Attempt(False, 4, 5, 5), COUNTER, Weighed.UNACKNOWLEDGED),
        (Attempt(True, 4, 5, 5, is_raced=True), COUNTER, Weighed.RACED),
        (Attempt(True, 4, 5, 5, is_raced=True), MONOTONE, Weighed.RACED),
        (Attempt(True, None, 5, 5), COUNTER, Weighed.UNSEEN),
        (Attempt(True, 4, 5, None), COUNTER, Weighed.UNSEEN),
        (Attempt(True, 4, None, 4), COUNTER, Weighed.NO_CHANGE),
        (Attempt(True, 4, 5, 4), COUNTER, Weighed.NO_CHANGE),
        (Attempt(True, 4, 999, 5), COUNTER, Weighed.DISBELIEVED),
        (Attempt(True, 4, 4, 5), COUNTER, Weighed.DISBELIEVED),
        (Attempt(True, 4, 5, 6), COUNTER, Weighed.SHARED),
        (Attempt(True, 4, 6, 6), COUNTER, Weighed.SHARED),
        (Attempt(True, 40, 57, 58), MONOTONE, Weighed.SHARED),
        (Attempt(True, 4, 5, 5), Order.OPAQUE, Weighed.UNORDERED),
    ],
    ids=[
        "one version, and it is the one told",
        "one version, and none told",
        "a later version, and it is the one told",
        "a later version, and none told: there may have been others",
        "not acknowledged",
        "the attempt before may be what committed",
        "the same where versions do not count",
        "nobody knows what was there before",
        "nobody knows what is there now",
        "nothing was written, and none told",
        "nothing was written, and one told",
        "a version that is not there",
        "the version of before",
        "another came after it",
        "another came before it",
        "another came after it, where versions do not count",
        "versions that do not order",
    ],
)
def test_only_what_the_origin_bears_out_is_evidence(
    attempt: Attempt, order: Order, expected: Weighed
) -> None:
    assert weigh_attempt(attempt, order) is expected
