"""A replica shows the leader's past while it stalls, and its present otherwise."""

import time

from lab.catalogue import Product
from lab.replica import History, Replica


def product(version: int, key: str = "7") -> Product:
    return Product(key, version, "Plain lamp", 500 + version)


def test_the_past_is_what_was_committed_by_then() -> None:
    history = History()
    for version, committed_ns in ((1, 10), (2, 20), (3, 30)):
        history.add(product(version), committed_ns)
    shown = {at_ns: history.read(["7", "no such"], at_ns) for at_ns in (9, 10, 29, 30, 99)}
    versions = {at_ns: [each.version for each in products] for at_ns, products in shown.items()}
    assert versions == {9: [], 10: [1], 29: [2], 30: [3], 99: [3]}


def test_it_shows_the_present_again_when_the_last_stall_is_over() -> None:
    history = History()
    replica = Replica(history)

    def write(version: int) -> None:
        history.add(product(version), time.time_ns())

    def shown() -> int:
        (value,) = replica.read(["7"])
        return value.version

    seen: list[int] = []
    write(1)
    for step in (replica.stall, replica.stall, replica.catch_up, replica.catch_up):
        step()
        write(len(seen) + 2)
        seen.append(shown())
    assert seen == [1, 1, 2, 5]
