"""The kinds of taps: a line each."""

from collections.abc import Mapping
from typing import Final

from collectors.taps import (
    nats_core,
    nats_jetstream,
    postgres_decoding,
    postgres_listen,
    postgres_polled,
    redis_keyspace,
    redis_pubsub,
    redis_stream,
)
from collectors.taps.base import TapKind

TAPS: Final[Mapping[str, TapKind]] = {
    "redis-pubsub": TapKind(
        redis_pubsub.RedisPubsubOptions,
        redis_pubsub.RedisPubsubTap,
        redis_pubsub.grants,
        commit_order="declared",
        resumes=False,
    ),
    "redis-stream": TapKind(
        redis_stream.RedisStreamOptions,
        redis_stream.RedisStreamTap,
        redis_stream.grants,
        commit_order="declared",
        resumes=True,
    ),
    "redis-keyspace": TapKind(
        redis_keyspace.RedisKeyspaceOptions,
        redis_keyspace.RedisKeyspaceTap,
        redis_keyspace.grants,
        commit_order="never",
        resumes=False,
    ),
    "nats": TapKind(
        nats_core.NatsCoreOptions,
        nats_core.NatsCoreTap,
        nats_core.grants,
        commit_order="declared",
        resumes=False,
    ),
    "nats-jetstream": TapKind(
        nats_jetstream.JetStreamOptions,
        nats_jetstream.JetStreamTap,
        nats_jetstream.grants,
        commit_order="declared",
        resumes=True,
    ),
    "postgresql-polled": TapKind(
        postgres_polled.PostgresPolledOptions,
        postgres_polled.PostgresPolledTap,
        postgres_polled.grants,
        commit_order="always",
        resumes=True,
    ),
    "postgresql-listen": TapKind(
        postgres_listen.PostgresListenOptions,
        postgres_listen.PostgresListenTap,
        postgres_listen.grants,
        commit_order="declared",
        resumes=False,
    ),
    "postgresql-decoding": TapKind(
        postgres_decoding.PostgresDecodingOptions,
        postgres_decoding.PostgresDecodingTap,
        postgres_decoding.grants,
        commit_order="always",
        resumes=False,
    ),
}
