"""Ids of traces and spans: lowercase hexadecimal outside, half as many bytes in the file."""

from store.base import StoreError


def pack_id(hexadecimal: str) -> bytes | None:
    """The bytes of an id, None for an empty one; a StoreError where it is none."""
    try:
        return bytes.fromhex(hexadecimal) or None
    except ValueError as error:
        shown = repr(hexadecimal[:80])
        raise StoreError(f"not the hexadecimal id of a trace or span: {shown}") from error


def unpack_id(stored: bytes | None) -> str:
    """The inverse of `pack_id`."""
    return stored.hex() if stored else ""
