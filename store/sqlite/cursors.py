"""Opaque cursors: where the next page begins, for callers who only hand them back."""

import base64
import binascii
import json

from store.base import CursorError


def encode_cursor(at_ns: int, id: str) -> str:
    """The cursor of the page that follows the row with this time and id."""
    return base64.urlsafe_b64encode(json.dumps([at_ns, id]).encode()).decode().rstrip("=")


def decode_cursor(cursor: str) -> tuple[int, str]:
    """The inverse of `encode_cursor`; a CursorError for anything else."""
    try:
        at_ns, id_ = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        # What SQLite could not be asked for, no page has given.
        is_one = type(at_ns) is int and at_ns.bit_length() < 64 and bool(id_.encode())
    except (ValueError, TypeError, AttributeError, RecursionError, binascii.Error) as error:
        raise CursorError(f"not a cursor of this list: {cursor[:80]!r}") from error
    if not is_one:
        raise CursorError(f"not a cursor of this list: {cursor[:80]!r}")
    return at_ns, id_
