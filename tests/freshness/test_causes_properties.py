"""Whatever is known of a copy, there is an answer; more evidence changes it for a reason alone."""

import math
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from freshness.causes import (
    Absence,
    Cause,
    Clues,
    Heard,
    Life,
    Neighbours,
    Reports,
    Ring,
    Source,
    Standing,
    diagnose,
    reconcile,
)
from freshness.causes.cause import is_narrower
from freshness.causes.decide import CLASSES
from freshness.clock_skew import Shift, Skew
from freshness.fill import Fill
from freshness.model import Value
from freshness.propagation import Commit, Message, Word, judge_claim
from freshness.sequence import Sent, Silence
from freshness.ttl_drift import Drift, Lifetime

ORDER = [cause for cause, _ in CLASSES]
instants = st.integers(0, 12)
maybe = st.none() | instants
fills = st.builds(lambda at, width: Fill(at, at + width), instants, st.integers(0, 3))
commits = st.builds(lambda at, width: Commit(at, at + width), instants, st.integers(0, 3))
outcomes = st.sampled_from(["applied", "duplicate", "superseded", "failed"])
heard = st.builds(Heard, st.sampled_from("abc"), st.integers(3, 6), outcomes, instants, instants)
claims = st.builds(
    lambda words: judge_claim(Message(2, 3, "h", 5), words, 2, 20),
    st.lists(
        st.builds(Word, outcomes, instants, instants, st.sampled_from(["h", "g", ""])), max_size=2
    ),
)
silences = st.builds(
    Silence, st.just("r1"), st.none() | st.builds(Sent, instants, instants), st.integers(3, 9)
)
reports = st.builds(
    Reports,
    words=st.lists(heard, max_size=4).map(lambda words: sorted(words, key=lambda w: w.at)),
    claimed=st.none() | claims,
    is_lost=st.booleans(),
    passed_at=maybe,
    spoke_at=maybe,
    silence=st.none() | silences,
    sent_after_silence=st.booleans(),
    told=st.lists(st.sampled_from(["r1", "r2"]), max_size=2),
)
absences = st.builds(
    Absence, instants, instants, st.none() | st.integers(3, 6), st.booleans(), st.booleans()
)
sources = st.builds(
    Source, st.sampled_from(["db", "below"]), st.booleans(), st.sampled_from(list(Standing))
)
lifetimes = st.sampled_from([Lifetime(90, None), Lifetime(math.inf, None), Lifetime(58, 61)])
PARTS: dict[str, st.SearchStrategy[Any]] = {
    "latest": st.builds(Value, st.integers(4, 6), st.sampled_from(["x", "y"])),
    "takes_messages": st.booleans(),
    "fill": fills,
    "around": st.builds(Neighbours, st.integers(0, 4), st.integers(0, 1)),
    "life": st.builds(Life, maybe, st.none() | st.integers(5, 6), st.none() | absences),
    "reports": reports,
    "sources": st.lists(sources, max_size=2),
    "ring": st.builds(Ring, st.none() | st.just(["r1"])),
    "ttl": st.builds(Drift, lifetimes, st.just(60), st.just(5)),
    "skew": st.builds(Skew, st.just(10**10), st.just(10**10), st.just(Shift(1, 10**11, 5))),
}
bases = st.builds(
    Clues,
    node=st.just("r1"),
    held=st.just(Value(4, "x")),
    commit=commits,
    stale_at=instants,
    limit=st.integers(0, 2),
    unix_offset=st.just(0),
)
known = st.fixed_dictionaries({}, optional=PARTS)


@given(base=bases, parts=known)
def test_there_is_always_one_answer(base: Clues, parts: dict[str, Any]) -> None:
    clues = replace(base, **parts)
    diagnosis = diagnose(clues)
    assert diagnosis.because
    assert diagnosis.cause not in diagnosis.ruled_out
    assert all(diagnosis.ruled_out.values())
    assert diagnose(clues) == diagnosis


@given(base=bases, parts=known, kept=st.sets(st.sampled_from(sorted(PARTS))))
def test_more_evidence_changes_a_class_for_a_reason_alone(
    base: Clues, parts: dict[str, Any], kept: set[str]
) -> None:
    less = diagnose(replace(base, **{name: parts[name] for name in kept & parts.keys()}))
    more = diagnose(replace(base, **parts))
    if less.cause in (Cause.UNDECIDED, more.cause):
        return
    assert (
        is_narrower(more.cause, less.cause)
        or less.cause in more.ruled_out
        or ORDER.index(more.cause) < ORDER.index(less.cause)  # it explains more
    ), (less, more)


@given(base=bases, parts=known, kept=st.sets(st.sampled_from(sorted(PARTS))))
def test_probes_and_all_evidence_agree_on_one_answer(
    base: Clues, parts: dict[str, Any], kept: set[str]
) -> None:
    probed = diagnose(replace(base, **{name: parts[name] for name in kept & parts.keys()}))
    gathered = diagnose(replace(base, **parts))
    said = reconcile(probed, gathered)
    assert said.because
    assert said.cause not in said.ruled_out
    assert said.cause in (probed.cause, gathered.cause, Cause.UNDECIDED)
    if probed.cause is Cause.UNDECIDED and gathered.cause not in probed.ruled_out:
        assert said.cause is gathered.cause
