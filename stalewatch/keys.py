"""Which keys a keyspace has, as its config says."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from collectors.base import Origin, SourceError
from stalewatch.config.model import Keys


async def list_keys(keys: Keys, origin: Origin) -> Sequence[str]:
    """Every key, in order. Raises SourceError where the file or the origin does not tell."""
    if keys.keys is not None:
        return keys.keys
    if keys.range is not None:
        return [str(number) for number in range(keys.range.first, keys.range.to + 1)]
    if keys.file is not None:
        return await asyncio.to_thread(_read, keys.file)
    return await origin.list_keys()


def _read(file: Path) -> Sequence[str]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise SourceError(f"cannot read the keys in {file}: {why}") from None
    return [line for line in lines if line]
