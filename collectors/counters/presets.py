"""What the usual exporters call the counters: PromQL for each, without the label of the node.

`{match}` is a selector of the user's, `{by}` the label that names the node. Names as in oliver006's
redis_exporter, prometheus/memcached_exporter, jonnenauha/prometheus_varnish_exporter,
nginx/nginx-prometheus-exporter, and the module nginx-module-vts.
"""

from collections.abc import Mapping
from typing import Final

UPTIME: Final = "uptime_s"
"""Beside the counters: seconds since the start of the node."""


def _sum(metric: str, selector: str = "", scale: str = "") -> str:
    return f"{scale}sum by ({{by}}) ({metric}{{{{{selector}{{match}}}}}})"


_VTS: Final = 'host="*",'

PRESETS: Final[Mapping[str, Mapping[str, str]]] = {
    "redis_exporter": {
        "hits": _sum("redis_keyspace_hits_total"),
        "misses": _sum("redis_keyspace_misses_total"),
        "evictions": _sum("redis_evicted_keys_total"),
        "expirations": _sum("redis_expired_keys_total"),
        "invalidations": _sum("redis_commands_total", 'cmd=~"del|unlink|getdel",'),
        "requests": _sum("redis_commands_total"),
        "request_us": _sum("redis_commands_duration_seconds_total", scale="1e6 * "),
        "memory_bytes": _sum("redis_memory_used_bytes"),
        "memory_limit_bytes": _sum("redis_memory_max_bytes"),
        "items": _sum("redis_db_keys"),
        UPTIME: _sum("redis_uptime_in_seconds"),
    },
    "memcached_exporter": {
        "hits": _sum("memcached_commands_total", 'command="get",status="hit",'),
        "misses": _sum("memcached_commands_total", 'command="get",status="miss",'),
        "evictions": _sum("memcached_items_evicted_total"),
        "invalidations": _sum("memcached_commands_total", 'command="delete",'),
        "requests": _sum("memcached_commands_total"),
        "memory_bytes": _sum("memcached_current_bytes"),
        "memory_limit_bytes": _sum("memcached_limit_bytes"),
        "items": _sum("memcached_current_items"),
        UPTIME: _sum("memcached_uptime_seconds"),
    },
    "varnish_exporter": {
        "hits": _sum("varnish_main_cache_hit"),
        "misses": _sum("varnish_main_cache_miss"),
        "evictions": _sum("varnish_main_n_lru_nuked"),
        "expirations": _sum("varnish_main_n_expired"),
        "invalidations": (f"{_sum('varnish_main_n_purges')} + {_sum('varnish_main_bans_added')}"),
        "requests": _sum("varnish_main_client_req"),
        "memory_bytes": _sum("varnish_sma_g_bytes", 'type!="Transient",ident!="Transient",'),
        "items": _sum("varnish_main_n_object"),
        UPTIME: _sum("varnish_main_uptime"),
    },
    "nginx_exporter": {
        "requests": _sum("nginx_http_requests_total"),
    },
    "nginx_vts": {
        "hits": _sum(
            "nginx_vts_server_cache_total",
            f'{_VTS}status=~"hit|stale|updating|revalidated",',
        ),
        "misses": _sum("nginx_vts_server_cache_total", f'{_VTS}status=~"miss|expired",'),
        "requests": _sum("nginx_vts_server_requests_total", f'{_VTS}code="total",'),
        "request_us": _sum("nginx_vts_server_request_seconds_total", _VTS, "1e6 * "),
    },
}


def promql(preset: str, label: str, match: str = "") -> dict[str, str]:
    """Counter → PromQL of a preset, for nodes that `label` names, among series that `match`."""
    queries = PRESETS[preset].items()
    return {name: query.format(by=label, match=match) for name, query in queries}
