"""Cells of times to live add up, whatever the order."""

from hypothesis import given
from hypothesis import strategies as st

from freshness.ttl_sample import TtlCell

ENTRIES = st.lists(
    st.tuples(st.sampled_from("abc"), st.floats(0, 1e6) | st.just(float("inf")), st.integers(0, 99))
)


def cell(entries: list[tuple[str, float, int]]) -> TtlCell:
    made = TtlCell()
    for entry in entries:
        made.add(*entry)
    return made


@given(ENTRIES, ENTRIES)
def test_two_cells_are_the_cell_of_both(
    some: list[tuple[str, float, int]], more: list[tuple[str, float, int]]
) -> None:
    both, total = cell(some + more), cell(some) + cell(more)
    assert total == both
    finite = [ttl_s for _, ttl_s, _ in some + more if ttl_s != float("inf")]
    assert both.longest_ns == (int(max(finite) * 10**9) if finite else None)
    assert both.n == len(some) + len(more)
    assert both.endless == both.n - len(finite)
