"""Which cache kinds count, a line each. What our reads add there is declared beside it."""

from collections.abc import Mapping
from typing import Any, Final

from collectors.counters import http, memcached, redis
from collectors.counters.base import CounterKind
from collectors.counters.own import Weigh

COUNTERS: Final[Mapping[str, CounterKind]] = {
    "redis": CounterKind(redis.weigh, redis.connect),
    "memcached": CounterKind(memcached.weigh, memcached.connect),
    "http": CounterKind(http.weigh),
    "varnish": CounterKind(http.weigh),
    "nginx": CounterKind(http.weigh),
}


def weigh(kind: str, options: Any, binding: Any) -> Weigh:
    """What our reads add to the counters of a node; nothing is known of kinds that do not say."""
    row = COUNTERS.get(kind)
    return Weigh(1, 1, "nothing") if row is None else row.weigh(options, binding)
