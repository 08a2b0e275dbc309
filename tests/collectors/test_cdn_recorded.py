"""The cache kind `cdn` on recorded heads of answers: no network is asked.

Each head is as the documentation named beside it prints it or spells its words; the version header
is ours.
"""

import time
from typing import Any, NamedTuple

import pytest
from pydantic import ValidationError

from collectors.base import Keyspace, ProbeEffect, Target
from collectors.discovery import Discovery, NodeEntry
from collectors.http import PASSED, PAST_ITS_TIME, CdnOptions, HttpBinding, HttpServer
from collectors.kinds import CACHES, DEFAULT_PORTS
from freshness.model import Reading, Result, Value
from tests.collectors.web import Asked, serving

BY_HEADER = HttpBinding.model_validate({"key": "/p/{key}", "version": {"header": "X-Version"}})
PRODUCT = Keyspace("product")
FASTLY_CURL = "docs.fastly.com/guides/debugging/curl-and-other-caching-verification-methods"
FASTLY_SHIELD = "docs.fastly.com/guides/understanding-cache-hit-and-miss-headers-with-shielding"
CLOUDFLARE = "developers.cloudflare.com/cache/concepts/cache-responses"
CLOUDFRONT = "docs.aws.amazon.com/AmazonCloudFront standard-logs-reference x-edge-result-type"
AKAMAI = "techdocs.akamai.com/edge-diagnostics/docs/pragma-headers"
AKAMAI_HEAD = "docs.catchpoint.com/docs/akamai-debug-header"
RAY = {"CF-RAY": "230b030023ae2822-SJC"}
POP = {"X-Amz-Cf-Pop": "FRA56-P4"}
GHOST = "from a69-174-50-208 (AkamaiGHost/5.7.2-5726413) (-)"
PLACES = "cache-jfk1041-JFK, cache-ord1720-ORD"


class Recorded(NamedTuple):
    dialect: str
    source: str
    head: dict[str, str]
    filled: bool | None
    """None where no copy was seen."""
    identity: str
    age_s: float | None = None
    is_past: bool = False


HEADS = [
    Recorded(
        "fastly", FASTLY_CURL,
        {"Age": "142", "X-Served-By": PLACES, "X-Cache": "HIT, HIT", "X-Cache-Hits": "1, 7",
         "Cache-Control": "max-age=60", "Surrogate-Key": "articles articles/1"},
        False, "cache-ord1720-ORD", 142,
    ),
    Recorded(
        "fastly", FASTLY_SHIELD,
        {"X-Served-By": "cache-iad2120-IAD, cache-sjc3120-SJC", "X-Cache": "MISS, HIT",
         "X-Cache-Hits": "0, 1"},
        False, "cache-sjc3120-SJC",
    ),
    Recorded(
        "fastly", FASTLY_SHIELD,
        {"X-Served-By": "cache-iad2120-IAD, cache-sjc3120-SJC", "X-Cache": "HIT, MISS",
         "X-Cache-Hits": "1, 0"},
        True, "cache-sjc3120-SJC",
    ),
    Recorded("cloudflare", CLOUDFLARE, {"CF-Cache-Status": "HIT", "Age": "8", **RAY},
             False, "SJC", 8),
    Recorded("cloudflare", CLOUDFLARE, {"CF-Cache-Status": "MISS", **RAY}, True, "SJC"),
    Recorded("cloudflare", CLOUDFLARE, {"CF-Cache-Status": "EXPIRED", **RAY}, True, "SJC"),
    Recorded("cloudflare", CLOUDFLARE, {"CF-Cache-Status": "REVALIDATED", **RAY}, True, "SJC"),
    Recorded("cloudflare", CLOUDFLARE, {"CF-Cache-Status": "STALE", **RAY}, False, "SJC",
             is_past=True),
    Recorded("cloudflare", CLOUDFLARE, {"CF-Cache-Status": "UPDATING", **RAY}, False, "SJC",
             is_past=True),
    Recorded("cloudflare", CLOUDFLARE, {"CF-Cache-Status": "DYNAMIC", **RAY}, None, "SJC"),
    Recorded("cloudflare", CLOUDFLARE, {"CF-Cache-Status": "BYPASS", **RAY}, None, "SJC"),
    Recorded("cloudfront", CLOUDFRONT, {"X-Cache": "Hit from cloudfront", "Age": "34", **POP},
             False, "FRA56-P4", 34),
    Recorded("cloudfront", CLOUDFRONT, {"X-Cache": "Miss from cloudfront", **POP},
             True, "FRA56-P4"),
    Recorded("cloudfront", CLOUDFRONT, {"X-Cache": "RefreshHit from cloudfront", **POP},
             True, "FRA56-P4"),
    Recorded("cloudfront", CLOUDFRONT, {"X-Cache": "OriginShieldHit from cloudfront", **POP},
             True, "FRA56-P4"),
    Recorded("cloudfront", CLOUDFRONT,
             {"X-Cache": "FunctionGeneratedResponse from cloudfront", **POP}, None, "FRA56-P4"),
    Recorded("akamai", AKAMAI_HEAD,
             {"X-Cache": f"TCP_MEM_HIT {GHOST}", "X-Check-Cacheable": "YES", "Age": "9",
              "Cache-Control": "max-age=120"},
             False, "a69-174-50-208"),
    Recorded("akamai", AKAMAI, {"X-Cache": f"TCP_HIT {GHOST}"}, False, "a69-174-50-208"),
    Recorded("akamai", AKAMAI, {"X-Cache": f"TCP_NEGATIVE_HIT {GHOST}"}, False, "a69-174-50-208"),
    Recorded("akamai", AKAMAI, {"X-Cache": f"TCP_MISS {GHOST}"}, True, "a69-174-50-208"),
    Recorded("akamai", AKAMAI, {"X-Cache": f"TCP_REFRESH_HIT {GHOST}"}, True, "a69-174-50-208"),
    Recorded("akamai", AKAMAI, {"X-Cache": f"TCP_REFRESH_MISS {GHOST}"}, True, "a69-174-50-208"),
    Recorded("akamai", AKAMAI, {"X-Cache": f"TCP_REFRESH_FAIL_HIT {GHOST}"},
             False, "a69-174-50-208", is_past=True),
    Recorded("akamai", AKAMAI, {}, True, ""),
    Recorded("generic", "RFC 9211", {"Cache-Status": "edge; hit; ttl=9"}, False, ""),
]  # fmt: skip


def connect(port: int, dialect: str, **options: Any) -> HttpServer:
    options = {"dialect": dialect, "tls": None, **options}
    target = Target("c1", "127.0.0.1", port)
    return HttpServer(target, CdnOptions.model_validate(options), time.monotonic_ns)


@pytest.mark.parametrize(
    "recorded", HEADS, ids=lambda one: f"{one.dialect}-{'-'.join([*one.head.values()][:1])}"
)
async def test_recorded_heads_tell_hit_age_and_place(recorded: Recorded) -> None:
    with serving(lambda _: (200, {"X-Version": "4", **recorded.head}, b"page")) as web:
        node = connect(web.port, recorded.dialect)
        reply = await node.open(BY_HEADER, PRODUCT).read(["1"])
        await node.close()
    assert reply.identity == recorded.identity
    if recorded.filled is None:
        assert list(reply.readings) == [Reading(Result.UNKNOWN, why=PASSED)]
        return
    ttl_s = 9 if recorded.dialect == "generic" else None
    why = PAST_ITS_TIME if recorded.is_past else ""
    expected = Reading(Result.VALUE, Value(4), ttl_s, recorded.age_s, why, recorded.filled)
    assert list(reply.readings) == [expected]


async def test_akamai_is_asked_to_tell() -> None:
    def answer(asked: Asked) -> tuple[int, dict[str, str], bytes]:
        is_told = "akamai-x-cache-on" in asked.headers.get("pragma", "")
        return 200, {"X-Version": "4", **({"X-Cache": f"TCP_HIT {GHOST}"} if is_told else {})}, b""

    with serving(answer) as web:
        node = connect(web.port, "akamai")
        assert not (await node.open(BY_HEADER, PRODUCT).read(["1"])).readings[0].filled
        assert (await node.check()).problem == ""
        await node.close()
        silent = connect(web.port, "akamai", request={"headers": {"Pragma": "none"}})
        assert "neither hit nor miss" in (await silent.check()).problem
        await silent.close()


async def test_a_batch_answered_from_two_places_names_none() -> None:
    def answer(asked: Asked) -> tuple[int, dict[str, str], bytes]:
        place = "FRA" if asked.path == "/p/1" else "SJC"
        return 200, {"X-Version": "4", "CF-Cache-Status": "HIT", "CF-Ray": f"7d-{place}"}, b""

    with serving(answer) as web:
        node = connect(web.port, "cloudflare")
        cache = node.open(BY_HEADER, PRODUCT)
        assert (await cache.read(["1"])).identity == "FRA"
        assert (await cache.read(["1", "2"])).identity == ""
        assert cache.effect is ProbeEffect.FILLS
        await node.close()


async def test_a_cdn_is_a_pool_over_tls_on_443() -> None:
    assert CACHES["cdn"].is_pool
    assert not any(kind.is_pool for name, kind in CACHES.items() if name != "cdn")
    assert CdnOptions.model_validate({"dialect": "fastly"}).tls is not None
    entry = NodeEntry.model_validate({"static": "www.example.com"})
    found = await Discovery((entry,), DEFAULT_PORTS["cdn"]).discover()
    assert [target.port for target in found.targets] == [443]


def test_only_cached_is_refused() -> None:
    with pytest.raises(ValidationError, match="a CDN fetches what it is asked for"):
        CdnOptions.model_validate({"dialect": "fastly", "request": {"only_cached": True}})
