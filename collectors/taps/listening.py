"""Listens for ever: one session after the other, with a pause that grows where they fail."""

import asyncio
import random
from typing import Final, NoReturn, Protocol

import structlog

from collectors.taps.base import Ear, Tap, TapError

FIRST_S: Final = 0.1
LONGEST_S: Final = 5.0

log = structlog.get_logger()


class LostEar(Ear, Protocol):
    """An ear that is told when a session is over."""

    def lost(self, why: str) -> None:
        """Nothing more is heard: the session is over."""
        ...


async def listen(tap: Tap, ear: LostEar) -> NoReturn:
    """Until cancelled; raises nothing for what the server does."""
    failures = 0
    while True:
        why = "the session ended"
        began = asyncio.get_running_loop().time()
        try:
            await tap.session(ear)
        except TapError as error:
            why = str(error)
        except Exception as error:
            # Whatever it was, a tap that ends in silence would look like a bus that is quiet.
            log.exception("a tap failed", tap=tap.about)
            why = f"failed: {type(error).__name__}"
        ear.lost(why)
        has_lasted = asyncio.get_running_loop().time() - began > LONGEST_S
        failures = 0 if has_lasted else failures + 1
        await asyncio.sleep(pause_s(failures))


def pause_s(failures: int) -> float:
    """From 0.1 s, doubling, to 5 s, each cut at random."""
    whole: float = min(FIRST_S * 2 ** min(failures, 10), LONGEST_S)
    return whole * random.uniform(0.5, 1.0)
