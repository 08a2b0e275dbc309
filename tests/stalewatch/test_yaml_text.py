"""Whatever is written reads back as it was."""

from hypothesis import example, given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from stalewatch.yaml_text import yaml_text


@given(st.text(st.characters(exclude_categories=["Cs"])))
@example("\x85")
@example("a\n b\n")
@example(" \n")
def test_any_text(text: str) -> None:
    values = {"plain": text, "inside": {"text": text, "list": [text, 1, True]}}
    assert YAML(typ="safe", pure=True).load(yaml_text([values])) == values


def test_lines_stand_as_a_block_and_nothing_by_reference() -> None:
    same = {"one": 1}
    written = yaml_text([{"expr": "a\n/ b\n", "x": same, "y": same}, {"z": 1}])
    assert written == "expr: |\n  a\n  / b\nx:\n  one: 1\ny:\n  one: 1\n---\nz: 1\n"
