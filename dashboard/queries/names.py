"""The names that filters offer: keyspaces that were read of late, and layers of the catalogue."""

from typing import Final

from dashboard.address import Address
from dashboard.wording import SECOND_NS
from store.base import ORIGIN, Store

_DAY_NS: Final = 86_400 * SECOND_NS
_LATELY_NS: Final = 600 * SECOND_NS


def keyspaces(store: Store, address: Address, now_ns: int) -> list[str]:
    """Keyspaces of the last week's days and of the last minutes, and the chosen one."""
    rows = [
        *store.rollups("day", now_ns - 8 * _DAY_NS, now_ns),
        *store.rollups("minute", now_ns - _LATELY_NS, now_ns),
    ]
    chosen = {name for name in (address.keyspace, address.only_keyspace) if name}
    return sorted({key.keyspace for key, _ in rows} | chosen)


def layers(store: Store) -> list[str]:
    """Layers of cache nodes, by name."""
    return sorted({row.layer for row in store.nodes() if row.layer != ORIGIN})
