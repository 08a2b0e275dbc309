"""Real servers on free loopback ports, one file each."""

from lab.ports import free_port
from tests.servers.chromium import chromium
from tests.servers.memcached import MemcachedServer
from tests.servers.nats import NatsServer
from tests.servers.nginx import NginxServer
from tests.servers.postgres import PostgresServer
from tests.servers.process import Server
from tests.servers.prometheus import AlertmanagerServer, PrometheusServer
from tests.servers.redis import NO_RETRY, RedisServer
from tests.servers.redis_cluster import RedisCluster, RedisNode, SentinelServer
from tests.servers.relay import Relay
from tests.servers.tls import Authority
from tests.servers.varnish import VarnishServer
from tests.servers.waiting import eventually, wait_until

__all__ = [
    "NO_RETRY",
    "AlertmanagerServer",
    "Authority",
    "MemcachedServer",
    "NatsServer",
    "NginxServer",
    "PostgresServer",
    "PrometheusServer",
    "RedisCluster",
    "RedisNode",
    "RedisServer",
    "Relay",
    "SentinelServer",
    "Server",
    "VarnishServer",
    "chromium",
    "eventually",
    "free_port",
    "wait_until",
]
