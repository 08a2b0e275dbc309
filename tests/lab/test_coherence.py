"""Without faults no copy stays stale: what the lab calls stale is a fault's doing."""

from lab.score import stale_intervals
from lab.truth import Truth
from tests.lab.conftest import StartLab
from tests.servers import wait_until

WATCHED_S = 8.0
# On an idle machine it is a few milliseconds; a test shares its machine with others.
AT_MOST_STALE_S = 1.0


def test_no_copy_stays_stale_without_faults(start: StartLab) -> None:
    lab = start(seed=5)
    began_s = lab.truth().until_s
    wait_until(lambda: Truth.load(lab.dir).until_s > began_s + WATCHED_S, "the time to pass", 60)
    lab.stop()
    truth = lab.truth()
    written = {commit.key for commit in truth.commits if commit.version > 1}
    reached = {holding.node for holding in truth.holdings if holding.version > 1}
    assert (len(written) > 3, len(reached) > 3) == (True, True), "too little happened"
    assert truth.faults == ()
    assert max((each.duration_s for each in stale_intervals(truth)), default=0) < AT_MOST_STALE_S
