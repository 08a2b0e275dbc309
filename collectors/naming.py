"""What the store calls a key: itself, or a digest where keys are kept hashed."""

import hashlib
from collections.abc import Callable

Naming = Callable[[str], str]


def plain(key: str) -> str:
    """The key as it is."""
    return key


def hashed(key: str) -> str:
    """BLAKE2b of 128 bits, hexadecimal: the same key has the same name wherever it is met."""
    return hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
