"""Messages of pgoutput, cut short and mixed up; whole ones come from a real server elsewhere."""

import pytest

from collectors.taps.pgoutput import Change, Decoder, ProtocolError

RELATION = (
    b"R\x00\x00@\x00public\x00product\x00d\x00\x02"
    b"\x01id\x00\x00\x00\x00\x17\xff\xff\xff\xff\x00name\x00\x00\x00\x00\x19\xff\xff\xff\xff"
)
INSERT = b"I\x00\x00@\x00N\x00\x02t\x00\x00\x00\x0242n"
UNCHANGED = b"U\x00\x00@\x00N\x00\x02t\x00\x00\x00\x0242u"


def test_a_row_is_read_by_its_relation() -> None:
    decoder = Decoder()
    assert list(decoder.changes(RELATION)) == []
    assert list(decoder.changes(INSERT)) == [
        Change("insert", "public", "product", None, {"id": "42", "name": None})
    ]
    [update] = decoder.changes(UNCHANGED)
    assert update.after == {"id": "42"}
    assert list(decoder.changes(b"B" + bytes(20))) == []


@pytest.mark.parametrize("size", range(1, len(INSERT)))
def test_a_message_that_is_cut_short_is_an_error(size: int) -> None:
    decoder = Decoder()
    list(decoder.changes(RELATION))
    if size == INSERT.index(b"N"):
        assert next(decoder.changes(INSERT[:size])).after is None
        return
    with pytest.raises(ProtocolError):
        list(decoder.changes(INSERT[:size]))


def test_a_relation_that_was_not_named_is_an_error() -> None:
    with pytest.raises(ProtocolError, match="not named"):
        list(Decoder().changes(INSERT))
