"""What changed between two documents."""

from typing import Any

import pytest

from freshness.document_diff import Change, compare_documents


@pytest.mark.parametrize(
    ("before", "after", "changes"),
    [
        pytest.param({"a": 1}, {"a": 1}, [], id="nothing"),
        pytest.param({"a": 1}, {"a": 2}, [("a", 1, 2)], id="a value"),
        pytest.param(None, {"b": 1, "a": 2}, [("a", None, 2), ("b", None, 1)], id="new, by path"),
        pytest.param({"a": 1}, None, [("a", 1, None)], id="gone"),
        pytest.param(
            {"a": {"b": 1, "c": 2}}, {"a": {"b": 3, "c": 2}}, [("a.b", 1, 3)], id="inside"
        ),
        pytest.param({"a": [1, 2]}, {"a": [2, 1]}, [("a", [1, 2], [2, 1])], id="order of a list"),
        pytest.param({"a": None}, {}, [], id="null is nothing"),
        pytest.param({"a": 0}, {"a": None}, [("a", 0, None)], id="zero is something"),
        pytest.param({"a": {"b": 1}}, {"a": 1}, [("a", None, 1), ("a.b", 1, None)], id="shape"),
    ],
)
def test_changes(before: Any, after: Any, changes: list[tuple[str, Any, Any]]) -> None:
    assert compare_documents(before, after) == [Change(*each) for each in changes]
