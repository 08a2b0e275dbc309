"""What receipts without a number, as polls bring them, may not prove."""

from store.messages import ReceiptRow, Told
from store.streams import GRACE_NS, SILENT_NS, Streams
from tests.store.rows import S, invalidation, node, receipt

NODE = ("regional", "r1")
MISSED = 20
NOW = 200 * S + GRACE_NS * 2


def messages(*receipts: tuple[int, ReceiptRow]) -> list[Told]:
    """Forty messages, a second apart, with these receipts."""
    return [
        Told(
            invalidation(n, written_at_ns=n * S, received_at_ns=n * S),
            [row for number, row in receipts if number == n],
        )
        for n in range(1, 41)
    ]


def acknowledged(node: str, *numbers: int, **changes: object) -> list[tuple[int, ReceiptRow]]:
    return [(n, receipt(n, node, received_at_ns=(n + 1) * S, **changes)) for n in numbers]


def test_a_gap_in_numbered_receipts_is_proof() -> None:
    heard = acknowledged("r1", *(n for n in range(1, 41) if n != MISSED))
    streams = Streams(messages(*heard), NOW)
    assert streams.has_lost(invalidation(MISSED, written_at_ns=MISSED * S), NODE)


def test_a_gap_at_a_node_with_a_polled_receipt_is_none() -> None:
    heard = acknowledged("r1", *(n for n in range(2, 41) if n != MISSED))
    polled = acknowledged("r1", 1, sequence=None)
    streams = Streams(messages(*polled, *heard), NOW)
    assert not streams.has_lost(invalidation(MISSED, written_at_ns=MISSED * S), NODE)
    assert [gap.gap.is_proof for gap in streams.gaps()] == [False]


def test_a_node_that_holds_a_share_need_not_hear_every_message() -> None:
    heard = acknowledged("r1", *(n for n in range(1, 41) if n != MISSED))
    streams = Streams(messages(*heard), NOW, [node("r1", hears_all=False)])
    assert not streams.has_lost(invalidation(MISSED, written_at_ns=MISSED * S), NODE)
    assert [gap.gap.is_proof for gap in streams.gaps()] == [False]


def test_a_node_with_polled_receipts_is_not_called_silent() -> None:
    others = acknowledged("r2", *range(1, 41))
    frozen = acknowledged("r1", 1)
    late_s = SILENT_NS // S + 100

    def silent(own: list[tuple[int, ReceiptRow]]) -> set[str]:
        told = messages(*own, *others)
        far = [
            Told(
                invalidation(n, written_at_ns=(n + late_s) * S),
                [receipt(n, "r2", received_at_ns=(n + late_s) * S)],
            )
            for n in range(41, 50)
        ]
        streams = Streams([*told, *far], 1000 * S)
        return {each.silence.node for each in streams.silent([NODE])}

    assert silent(frozen) == {"r1"}
    assert silent(acknowledged("r1", 1, sequence=None)) == set()
