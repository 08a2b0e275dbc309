"""A dead man's switch elsewhere: it is pinged while Stalewatch works, and alarms when that ends.

A ping says that copies are read, that rules are looked at and that the store takes what is seen. A
process that merely runs pings nobody.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from pydantic import AfterValidator

from alerts.base import ChannelError
from alerts.exchange import HttpOptions, exchange, reach, told
from settings import Duration, SecretError, WebUrl

NS_PER_S: Final = 1_000_000_000
ROUNDS_LATE: Final = 3
"""So many intervals without a round are a stand-still."""
GRACE_NS: Final = 30 * NS_PER_S
EVALUATION_NS: Final = 60 * NS_PER_S
"""Rules are looked at every few seconds; after so long they are not."""


def _interval(given: Duration) -> Duration:
    if not 5 * NS_PER_S <= given.ns <= 86_400 * NS_PER_S:
        raise ValueError("expected an interval from 5s to 24h")
    return given


class HeartbeatSettings(HttpOptions):
    """A dead man's switch elsewhere, such as Healthchecks, that alarms when pings stay away."""

    url: WebUrl
    """What to ping; `{env: NAME}` or `{file: PATH}` where the address itself is a secret."""
    interval: Annotated[Duration, AfterValidator(_interval)] = Duration.parse("1m")
    """From one ping to the next."""
    method: Literal["GET", "HEAD", "POST"] = "GET"
    """How it is pinged."""


@dataclass(frozen=True, slots=True)
class Signs:
    """Signs of life: instants on a clock that only goes forward, None for never."""

    rounds: Mapping[str, tuple[int | None, int]]
    """Keyspace → when its last round ended, and the interval of its rounds."""
    evaluated_at_ns: int | None
    written_at_ns: int | None
    store_problem: str = ""


def stand_still(signs: Signs, now_ns: int) -> str:
    """What keeps the heart from beating, in words; empty where everything goes on."""
    return "; ".join(_stopped(signs, now_ns))


async def ping(settings: HeartbeatSettings) -> None:
    """Ping once. Raises ChannelError where it is not taken."""
    try:
        url = settings.url.reveal()
    except SecretError as error:
        raise ChannelError(str(error)) from None
    answer = await exchange(settings.method, url, settings)
    if not answer.is_accepted:
        raise ChannelError(told(answer))


async def greet(settings: HeartbeatSettings) -> str:
    """Reach the server without a ping. Raises ChannelError."""
    return await reach(settings.url, settings)


def _stopped(signs: Signs, now_ns: int) -> Iterator[str]:
    if not signs.rounds:
        yield "no keyspace is probed"
    for keyspace, (ended_at_ns, interval_ns) in signs.rounds.items():
        if _is_late(ended_at_ns, _round_limit_ns(interval_ns), now_ns):
            yield f"no round of {keyspace} ended of late"
    if _is_late(signs.evaluated_at_ns, EVALUATION_NS, now_ns):
        yield "no rule was looked at of late"
    write_ns = min((_round_limit_ns(each) for _, each in signs.rounds.values()), default=GRACE_NS)
    if signs.store_problem:
        yield f"the store takes no writes: {signs.store_problem}"
    elif _is_late(signs.written_at_ns, write_ns, now_ns):
        yield "nothing was written of late"


def _round_limit_ns(interval_ns: int) -> int:
    return ROUNDS_LATE * interval_ns + GRACE_NS


def _is_late(at_ns: int | None, limit_ns: int, now_ns: int) -> bool:
    return at_ns is None or now_ns - at_ns > limit_ns
