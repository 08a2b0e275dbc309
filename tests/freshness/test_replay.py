"""Evidence as JSON lines: what is read is what was written, and bad lines are named."""

import json

import pytest

from freshness.evidence import Evidence, Invalidation, OriginRead, Write
from freshness.model import Order, Value
from freshness.replay import EvidenceError, parse, seconds, ticks, verdict_line
from freshness.transcript import evidence_lines, read_line

LINES = b"""\
{"type":"write","key":"k","version":3,"start":10.0,"end":10.2}
{"type":"invalidation","key":"k","version":3,"received":10.4}
{"type":"origin_read","key":"k","version":3,"start":11.0,"end":11.1,"linearizable":true}
{"type":"cache_read","id":"r1","key":"k","node":"n1","version":2,"start":12.0,"end":12.1}
"""


def judged(lines: bytes, max_staleness: int = 0, settling: int = 0) -> list[dict[str, object]]:
    replay = parse(lines.split(b"\n"), settling)
    return [verdict_line(read, judgement) for read, judgement in replay.judge(max_staleness)]


def test_the_documented_example() -> None:
    assert judged(LINES) == [
        {
            "id": "r1",
            "key": "k",
            "node": "n1",
            "verdict": "stale",
            "staleness": [1.8, 2.1],
            "versions_behind": [1, None],
        }
    ]


def test_the_order_of_the_lines_does_not_matter() -> None:
    assert judged(b"\n".join(reversed(LINES.split(b"\n")))) == judged(LINES)


def test_stamps_of_another_clock_are_no_evidence() -> None:
    other = LINES.replace(b'"key":"k","version":3', b'"key":"k","clock":"b","version":3')
    assert judged(other)[0]["staleness"] == [0.0, None]


def test_settling_is_added_to_what_was_received() -> None:
    message = b'{"type":"invalidation","key":"k","version":3,"received":10.4}\n'
    read = LINES.split(b"\n")[3]
    assert judged(message + read, settling=ticks(1))[0]["staleness"] == [0.6, None]


def test_equal_stamps_stay_equal_whatever_their_digits() -> None:
    stamp = b"1700000000.123456789012"
    lines = (
        b'{"type":"origin_read","key":"k","version":2,"start":1,"end":' + stamp + b"}\n"
        b'{"type":"cache_read","id":"r","key":"k","node":"n","version":1,"start":' + stamp + b","
        b'"end":1800000000}'
    )
    assert judged(lines)[0]["versions_behind"] == [1, None]
    assert judged(lines)[0]["staleness"] == [0.0, None]


BAD = [
    (b"{", "not JSON"),
    (b"[]", "must be a JSON object"),
    (b"\xff", "not UTF-8"),
    (b'{"type":"look"}', "'type' must be"),
    (b'{"key":"k"}', "'type' is missing"),
    (b'{"type":"write","type":"write"}', "twice"),
    (b'{"type":"write","key":"k","start":1}', "needs 'version'"),
    (b'{"type":"write","key":"k","version":1.5,"start":1}', "'version' must be an integer"),
    (b'{"type":"write","key":"k","version":true,"start":1}', "'version' must be an integer"),
    (b'{"type":"write","key":"k","version":1}', "'start' is missing"),
    (b'{"type":"write","key":"k","version":1,"start":2,"end":1}', "'end' is before 'start'"),
    (b'{"type":"write","key":"k","version":1,"start":"2"}', "'start' must be a number"),
    (b'{"type":"write","key":"k","version":1,"start":true}', "'start' must be a number"),
    (b'{"type":"write","key":7,"version":1,"start":2}', "'key' must be a string"),
    (b'{"type":"write","key":"k","version":1,"start":NaN}', "NaN is not a number"),
    (b'{"type":"write","key":"k","version":1,"start":1e999}', "no time in seconds"),
    (b'{"type":"write","key":"k","version":1,"start":1e99999999999999999999}', "1e99"),
    (b'{"type":"origin_read","key":"k","version":1,"start":1}', "'end' is missing"),
    (
        b'{"type":"origin_read","key":"k","version":1,"start":1,"end":2,"linearizable":"yes"}',
        "'linearizable' must be true or false",
    ),
    (b'{"type":"cache_read","key":"k","node":"n","version":1,"start":1,"end":2}', "'id' is"),
    (b'{"type":"invalidation","key":"k","version":1}', "'received' is missing"),
    (b"[" * 100_000, "line 2"),
]


@pytest.mark.parametrize(("line", "problem"), BAD, ids=[bad[1] for bad in BAD])
def test_a_bad_line_is_named_and_nothing_of_the_file_counts(line: bytes, problem: str) -> None:
    with pytest.raises(EvidenceError, match=r"^line 2: ") as caught:
        parse([LINES.split(b"\n")[0], line])
    assert problem in str(caught.value)


def test_all_bad_lines_are_told_at_once() -> None:
    with pytest.raises(EvidenceError) as caught:
        parse([b"{", b"", b"]"])
    assert [problem.split(":")[0] for problem in caught.value.problems] == ["line 1", "line 3"]


def test_what_is_written_is_what_is_read() -> None:
    evidence: list[Evidence] = [
        Write(Value(3), 10_000_000_001, 10_200_000_000),
        Write(Value(4, absent=True), 12_345_678_901_234_567_891),
        Invalidation(3, 10_400_000_000),
        OriginRead(Value(None, "aa"), 11_000_000_000, 11_100_000_000, linearizable=True),
    ]
    lines = evidence_lines("k", evidence)
    read = read_line("r", "k", "n", Value(2), 12_000_000_000, 12_100_000_000, Order.MONOTONE)
    replay = parse(line.encode() for line in [*lines, read])
    found = replay.evidence["k", None]
    factor = 10**9
    assert found[0] == Write(Value(3), 10_000_000_001 * factor, 10_200_000_000 * factor)
    assert found[1] == Write(Value(4, absent=True), 12_345_678_901_234_567_891 * factor)
    assert found[3] == OriginRead(
        Value(None, "aa"), 11_000_000_000 * factor, 11_100_000_000 * factor, linearizable=True
    )
    assert replay.reads[0].order is Order.MONOTONE
    assert json.loads(read)["order"] == "monotone"


def test_seconds_are_printed_as_people_write_them() -> None:
    assert seconds(ticks(12) - ticks(10) - ticks(1) // 5) == 1.8
    assert seconds(None) is None
