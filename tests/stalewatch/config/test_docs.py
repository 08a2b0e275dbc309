"""docs/config.md describes every key that a config file may hold."""

from pathlib import Path

from stalewatch.config.model import Config
from stalewatch.config.reference import MARK, reference

PAGE = Path(__file__).parents[3] / "docs" / "config.md"


def test_the_reference_is_up_to_date() -> None:
    written = PAGE.read_text(encoding="utf-8").partition(MARK)[2].strip()
    advice = "run: python -m stalewatch.config.reference docs/config.md"
    assert written == reference().strip(), advice


def test_every_section_of_the_file_is_in_it() -> None:
    told = [line.split("`")[1] for line in reference().splitlines() if line.startswith("### ")]
    sections = {name.partition(".")[0] for name in told}
    assert sections == set(Config.model_fields)


def test_every_key_says_what_it_is() -> None:
    rows = [line for line in reference().splitlines() if line.startswith("| `")]
    assert [row for row in rows if row.endswith("|  |")] == []
