"""Which Redis is the master and which are its replicas, as Sentinels say."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from collectors.base import NowNs, SourceError
from collectors.discovery import SentinelOptions, split_address
from collectors.options import shown
from collectors.redis_link import RedisLink, error_word

DEFAULT_PORT: Final = 26379
MOST_REPLICAS: Final = 100

Told = Mapping[bytes, bytes]


class _Word(NamedTuple):
    """One Sentinel's word: of all of them that with the newest epoch holds."""

    epoch: int
    nodes: Sequence[tuple[str, int]]


async def ask_sentinels(options: SentinelOptions, now_ns: NowNs) -> Sequence[tuple[str, int]]:
    """Host and port of the master, and of each replica, those that are down too.

    All Sentinels are asked, since one that was cut off tells an old story. Raises SourceError.
    """
    words, whys = [], []
    for word in await asyncio.gather(*(_ask(one, options, now_ns) for one in options.sentinels)):
        if isinstance(word, _Word):
            words.append(word)
        else:
            whys.append(word)
    if not words:
        raise SourceError("; ".join(whys))
    return list(dict.fromkeys(max(words, key=lambda word: word.epoch).nodes))


async def _ask(address: str, options: SentinelOptions, now_ns: NowNs) -> _Word | str:
    host, port = split_address(address)
    link = RedisLink(host, port or DEFAULT_PORT, options, now_ns)
    try:
        return await _word_of(link, options.name)
    except (SourceError, KeyError, ValueError) as error:
        why = error if isinstance(error, SourceError) else "not the answer of a Sentinel"
        return f"{shown(address, 80)}: {why}"
    finally:
        await link.close()


async def _word_of(link: RedisLink, name: str) -> _Word:
    """Raises SourceError, KeyError, ValueError."""
    done = await link.exchange([("SENTINEL", "MASTER", name), ("SENTINEL", "SLAVES", name)])
    if done.why:
        raise SourceError(done.why)
    master, replicas = done.replies
    if word := error_word(master) or error_word(replicas):
        is_unknown = "No such master" in str(master)
        raise SourceError(f"knows no master {shown(name, 80)}" if is_unknown else word)
    if not isinstance(replicas, list) or len(replicas) > MOST_REPLICAS:
        raise ValueError
    told = _fields(master)
    nodes = [_address(each) for each in (told, *map(_fields, replicas))]
    return _Word(int(told[b"config-epoch"]), nodes)


def _fields(reply: object) -> Told:
    """Names and values in turn. Raises ValueError."""
    if not isinstance(reply, list) or not all(isinstance(each, bytes) for each in reply):
        raise ValueError
    return dict(zip(reply[::2], reply[1::2], strict=True))


def _address(told: Told) -> tuple[str, int]:
    return shown(told[b"ip"].decode(), 255), int(told[b"port"])
