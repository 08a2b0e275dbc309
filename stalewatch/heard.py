"""Messages on their way: made durable first, and then told to whoever acts on them."""

from collections.abc import Callable, Sequence

from store.messages import InvalidationRow, Messages, ReceiptRow


class Heard:
    """The sink of sources that tell in time. `tell` must not block; any thread may call."""

    def __init__(self, store: Messages, tell: Callable[[Sequence[InvalidationRow]], None]) -> None:
        self._store = store
        self._tell = tell

    def write_messages(
        self, invalidations: Sequence[InvalidationRow], receipts: Sequence[ReceiptRow]
    ) -> None:
        """Make them durable. Raises StoreError, and then nobody is told."""
        self._store.write_messages(invalidations, receipts)
        if invalidations:
            self._tell(invalidations)
