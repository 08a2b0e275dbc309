"""The contract of whatever writes canaries: one timed write of one key, by the user's own means."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import orjson

from collectors.base import VersionType
from collectors.decode import Shape, from_json
from collectors.options import JsonVersion
from collectors.versions import UnreadableError

LONGEST_OUTPUT: Final = 64 * 1024
"""Bytes that are taken of what a write says."""


@dataclass(frozen=True, slots=True)
class Written:
    """One attempt. `start_ns` was taken before it began, `end_ns` after it had ended.

    `why` is empty where it was acknowledged. `output` is what it said, at most `LONGEST_OUTPUT`
    bytes; `is_whole` whether that is all.
    """

    start_ns: int
    end_ns: int
    output: bytes = b""
    is_whole: bool = True
    why: str = ""

    @property
    def is_acknowledged(self) -> bool:
        """Whether it is known to have succeeded."""
        return not self.why


class CanaryWriter(Protocol):
    """Writes canary keys in one way. Nothing that the command or the server does raises."""

    async def write(self, key: str) -> Written:
        """Write a new version of a key, once: a failed attempt is not tried again."""
        ...

    async def check(self) -> str:
        """What is wrong with it, found out without writing; empty where nothing is."""
        ...

    @property
    def address(self) -> str:
        """What it is called in messages; no secret is in it."""
        ...


class CanaryVersion(JsonVersion):
    """Where the version that was written stands in what the write says."""


def version_told(
    written: Written, place: CanaryVersion | None, written_as: VersionType
) -> tuple[int | None, str]:
    """The version that a write told, and why it cannot be read where it should have been."""
    if place is None or not written.is_acknowledged:
        return None, ""
    if not written.is_whole:
        return None, f"it says more than {LONGEST_OUTPUT} bytes"
    try:
        fields = from_json(place.json_path)(written.output)
        return Shape(written_as, place.unit).value(fields).version, ""
    except (UnreadableError, orjson.JSONDecodeError) as error:
        return None, f"the version that it should tell: {error}"


def with_key(templates: Sequence[str], key: str) -> list[str]:
    """Texts with the key in place of `{key}`."""
    return [text.replace("{key}", key) for text in templates]
