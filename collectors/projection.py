"""The digest of a declared projection: equal on every side that declares the same values.

A projection is an ordered list of values (of JSON paths, hash fields or columns). Its digest is
BLAKE2b with 16 bytes, in lower-case hex, over the list as canonical JSON (RFC 8785); see
docs/collectors/projection.md for an example in other languages.
"""

from collections.abc import Sequence
from decimal import Decimal
from hashlib import blake2b
from typing import Any

import rfc8785

from collectors.versions import UnreadableError


def digest(values: Sequence[object]) -> str:
    """The digest of a projection's values in their declared order. Raises UnreadableError."""
    try:
        canonical = rfc8785.dumps([_plain(value) for value in values])
    except (rfc8785.CanonicalizationError, RecursionError, UnicodeEncodeError) as error:
        raise UnreadableError(f"projection has no canonical JSON: {_why(error)}") from None
    return blake2b(canonical, digest_size=16).hexdigest()


def _plain(value: object) -> Any:
    """A value as JSON knows it; a database's decimal is the number that JSON would carry."""
    if isinstance(value, Decimal):
        is_whole = value.is_finite() and value == value.to_integral_value()
        return int(value) if is_whole else float(value)
    if value is None or isinstance(value, bool | int | float | str | list | dict):
        return value
    raise UnreadableError(f"projection holds a {type(value).__name__}: cast it to text or a number")


def _why(error: Exception) -> str:
    if isinstance(error, rfc8785.IntegerDomainError):
        return "a whole number beyond 2^53: declare it as text"
    if isinstance(error, rfc8785.FloatDomainError):
        return "not a number, or infinite"
    return "nested too deep, or not text"
