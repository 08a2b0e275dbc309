"""`stalewatch judge` as a script meets it."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "evidence.jsonl"


def judge(*arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    program = Path(sys.executable).with_name("stalewatch")
    return subprocess.run(
        [program, "judge", *arguments], input=given, capture_output=True, check=False, cwd=ROOT
    )


def test_the_example_prints_what_its_page_says() -> None:
    done = judge(str(EXAMPLE))
    page = (ROOT / "docs" / "judging.md").read_text(encoding="utf-8")
    assert done.returncode == 1
    assert done.stdout.decode().strip() in page
    assert EXAMPLE.read_text(encoding="utf-8").strip() in page


def test_a_larger_maximum_staleness_leaves_it_undecided_or_fresh() -> None:
    assert b"indeterminate" in judge(str(EXAMPLE), "--max-staleness", "2").stdout
    fresh = judge(str(EXAMPLE), "--max-staleness", "2.1")
    assert b'"fresh"' in fresh.stdout
    assert fresh.returncode == 0


def test_standard_input_and_a_bad_line() -> None:
    done = judge("-", given=EXAMPLE.read_bytes() + b"{\n")
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"line 5: not JSON" in done.stderr


def test_input_without_a_read_says_so() -> None:
    done = judge("-")
    assert (done.returncode, done.stdout) == (0, b"")
    assert b"nothing to judge" in done.stderr


def test_an_option_that_is_no_number_is_refused() -> None:
    done = judge(str(EXAMPLE), "--max-staleness", "soon")
    assert done.returncode == 2
    assert b"--max-staleness takes seconds" in done.stderr
