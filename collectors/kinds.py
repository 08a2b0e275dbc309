"""The kinds of caches and origins: a line each. Others come in through entry points."""

from collections.abc import Iterable, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final

from collectors import (
    http,
    inprocess,
    memcached,
    memcached_value,
    origin_http,
    origin_redis,
    origin_sql,
    origin_sqlite,
    redis,
    redis_cluster,
    redis_sentinel,
    redis_server,
    redis_value,
)
from collectors.base import CacheKind, OriginKind

GROUP: Final = "stalewatch.collectors"
"""Entry points here name a `CacheKind` or an `OriginKind`; their name is the kind's."""

CACHES: Final[Mapping[str, CacheKind]] = {
    "redis": CacheKind(
        redis_server.RedisLayerOptions,
        redis_value.RedisBinding,
        redis.connect,
        redis.grants,
        placements=("all", "ring", "cluster"),
        cluster=redis_cluster.RedisCluster,
        ask_sentinels=redis_sentinel.ask_sentinels,
    ),
    "http": CacheKind(http.HttpOptions, http.HttpBinding, http.HttpServer, http.grants),
    "varnish": CacheKind(http.VarnishOptions, http.HttpBinding, http.HttpServer, http.grants),
    "nginx": CacheKind(http.NginxOptions, http.HttpBinding, http.HttpServer, http.grants),
    "cdn": CacheKind(http.CdnOptions, http.HttpBinding, http.HttpServer, http.grants, is_pool=True),
    "inprocess": CacheKind(
        inprocess.InprocessOptions,
        inprocess.InprocessBinding,
        inprocess.InprocessServer,
        inprocess.grants,
        ages_own_copies=True,
        speaks_itself=True,
    ),
    "memcached": CacheKind(
        memcached.MemcachedOptions,
        memcached_value.MemcachedBinding,
        memcached.MemcachedServer,
        memcached.grants,
        ttl_resolution_s=memcached.TTL_RESOLUTION_S,
        placements=("all", "ring"),
    ),
}

ORIGINS: Final[Mapping[str, OriginKind]] = {
    "http": OriginKind(
        origin_http.HttpOriginOptions,
        origin_http.HttpOriginBinding,
        origin_http.HttpOriginServer,
        origin_http.grants,
    ),
    "postgresql": OriginKind(
        origin_sql.PostgresOptions,
        origin_sql.PostgresBinding,
        origin_sql.PostgresServer,
        origin_sql.grants,
    ),
    "sqlite": OriginKind(
        origin_sqlite.SqliteOptions,
        origin_sqlite.SqliteBinding,
        origin_sqlite.SqliteServer,
        origin_sqlite.grants,
    ),
    "redis": OriginKind(
        origin_redis.RedisOriginOptions,
        origin_redis.RedisOriginBinding,
        origin_redis.RedisOriginServer,
        origin_redis.grants,
    ),
}

DEFAULT_PORTS: Final[Mapping[str, int]] = {
    "redis": redis_server.DEFAULT_PORT,
    "http": http.DEFAULT_PORT,
    "varnish": http.DEFAULT_PORT,
    "nginx": http.DEFAULT_PORT,
    "cdn": http.CDN_PORT,
    "memcached": memcached.DEFAULT_PORT,
}
"""The usual port of a cache kind's nodes, where it has one."""


class KindError(Exception):
    """An installed kind cannot be used; the message says which."""


def load_kinds(
    points: Iterable[EntryPoint] | None = None,
) -> tuple[Mapping[str, CacheKind], Mapping[str, OriginKind]]:
    """Our own kinds and those that other packages install. Raises KindError."""
    caches, origins = dict(CACHES), dict(ORIGINS)
    for point in entry_points(group=GROUP) if points is None else points:
        kind = _load(point)
        table: dict[str, Any] = caches if isinstance(kind, CacheKind) else origins
        if point.name in table:
            raise KindError(f"the kind {point.name} of {point.value} is there already")
        table[point.name] = kind
    return caches, origins


def _load(point: EntryPoint) -> CacheKind | OriginKind:
    try:
        kind = point.load()
    except (ImportError, AttributeError) as error:
        raise KindError(f"the kind {point.name} cannot be imported: {error}") from None
    if not isinstance(kind, CacheKind | OriginKind):
        raise KindError(f"the kind {point.name} is neither a CacheKind nor an OriginKind")
    return kind
