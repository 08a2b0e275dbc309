"""A real server for each kind of tap, with something to say on it."""

import asyncio
import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import nats

from stalewatch_sdk.message import Invalidation, encode
from tests.servers import NatsServer, PostgresServer, RedisServer, Server

KEY = "42"


def message(version: int | str, **changes: Any) -> bytes:
    """One message in the SDK's format."""
    given: dict[str, Any] = {
        "id": f"m{version}",
        "keyspace": "product",
        "key": KEY,
        "version": version,
        "publisher_id": "shop-1",
        "publisher_sequence": 1,
        **changes,
    }
    return encode(Invalidation(**given))


class Bus(ABC):
    """A server, what a config says of it as a tap, and a way to say that a version exists."""

    kind: ClassVar[str]
    resumes: ClassVar[bool]
    has_versions: ClassVar[bool] = True
    server: Server

    @abstractmethod
    def options(self, port: int) -> dict[str, Any]:
        """The tap's section, at this port."""

    @abstractmethod
    async def say(self, version: int) -> None:
        """That this version of KEY exists."""

    async def prepare(self) -> None:  # noqa: B027  # not every server needs it
        """What a server must have before anybody can listen."""

    def section(self, port: int | None = None, **changes: Any) -> dict[str, Any]:
        """The tap as the config has it."""
        return {"kind": self.kind, **self.options(port or self.server.port), **changes}


class RedisPubsub(Bus):
    kind, resumes = "redis-pubsub", False

    def __init__(self) -> None:
        self.server: RedisServer = RedisServer()

    def options(self, port: int) -> dict[str, Any]:
        return {"host": "127.0.0.1", "port": port, "channels": ["inv"], "patterns": ["more.*"]}

    async def say(self, version: int) -> None:
        channel = "inv" if version % 2 else "more.inv"
        self.server.client.publish(channel, message(version))

    def say_raw(self, payload: bytes) -> None:
        self.server.client.publish("inv", payload)


class RedisKeyspace(Bus):
    kind, resumes, has_versions = "redis-keyspace", False, False

    def __init__(self) -> None:
        self.server: RedisServer = RedisServer(options=["notify-keyspace-events Egx"])

    def options(self, port: int) -> dict[str, Any]:
        return {
            **{"host": "127.0.0.1", "port": port, "keyspace": "product"},
            **{"key": "product:{key}", "node": "regional/r1"},
        }

    async def say(self, version: int) -> None:
        for name in ("other:1", "product:", f"product:{version}"):
            self.server.client.set(name, "x")
            self.server.client.delete(name)


class RedisStream(Bus):
    kind, resumes = "redis-stream", True

    def __init__(self) -> None:
        self.server: RedisServer = RedisServer(options=["appendonly yes", "appendfsync always"])

    def options(self, port: int) -> dict[str, Any]:
        return {"host": "127.0.0.1", "port": port, "stream": "inv"}

    async def say(self, version: int) -> None:
        self.server.client.xadd("inv", {"message": message(version)})

    def say_raw(self, payload: bytes) -> None:
        self.server.client.xadd("inv", {"message": payload})


class NatsCore(Bus):
    kind, resumes = "nats", False

    def __init__(self) -> None:
        self.server: NatsServer = NatsServer()

    def options(self, port: int) -> dict[str, Any]:
        return {"url": f"nats://127.0.0.1:{port}", "subjects": ["inv.>"]}

    async def say(self, version: int) -> None:
        await self.say_bytes(message(version))

    async def say_bytes(self, payload: bytes) -> None:
        client = await nats.connect(self.server.url)
        await client.publish("inv.product", payload)
        await client.drain()


class JetStream(NatsCore):
    kind, resumes = "nats-jetstream", True

    def options(self, port: int) -> dict[str, Any]:
        return {"url": f"nats://127.0.0.1:{port}", "stream": "INV", "subject": "inv.>"}

    async def prepare(self) -> None:
        await self.make(subjects=["inv.>", "other.>"])

    async def make(self, name: str = "INV", **config: Any) -> None:
        client = await nats.connect(self.server.url)
        await client.jetstream().add_stream(name=name, **config)
        await client.close()

    async def say_bytes(self, payload: bytes) -> None:
        client = await nats.connect(self.server.url)
        await client.jetstream().publish("inv.product", payload)
        await client.close()


PRODUCTS = """
CREATE TABLE product (
  id INTEGER PRIMARY KEY, version INTEGER, name TEXT DEFAULT 'x',
  updated_at TIMESTAMPTZ NOT NULL DEFAULT now());
INSERT INTO product VALUES (42, 0, 'x', now() - interval '1 day');
CREATE PUBLICATION stalewatch FOR TABLE product (id, version);
CREATE ROLE stalewatch LOGIN REPLICATION;
GRANT SELECT (id, version, updated_at) ON product TO stalewatch;
CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  PERFORM pg_notify('inv', json_build_object('id', NEW.id, 'version', NEW.version)::text);
  RETURN NULL;
END $$;
CREATE TRIGGER tell AFTER INSERT OR UPDATE ON product FOR EACH ROW EXECUTE FUNCTION tell();
"""


class Postgres(Bus):
    """A product table with a publication and a trigger; each test has a server of its own."""

    def __init__(self, options: Sequence[str] = ()) -> None:
        wanted = ("wal_level=logical", "max_slot_wal_keep_size=64MB", *options)
        self.server: PostgresServer = PostgresServer(options=wanted)

    async def prepare(self) -> None:
        self.server.execute(PRODUCTS)

    def options(self, port: int) -> dict[str, Any]:
        return {"url": f"postgresql://stalewatch@127.0.0.1:{port}/postgres"}

    async def say(self, version: int) -> None:
        self.sql(f"UPDATE product SET version = {version}, updated_at = now() WHERE id = 42")

    def sql(self, statement: str) -> None:
        self.server.execute(statement)


class PostgresPolled(Postgres):
    kind, resumes = "postgresql-polled", True

    def options(self, port: int) -> dict[str, Any]:
        table = {"table": "product", "keyspace": "product", "key": "id", "version": "version"}
        return {**super().options(port), **table, "interval": "100ms", "settle": "5s"}


class PostgresListen(Postgres):
    kind, resumes = "postgresql-listen", False

    def options(self, port: int) -> dict[str, Any]:
        mapping = {"keyspace": "product", "key": "$.id", "version": "$.version"}
        return {**super().options(port), "channels": ["inv"], "message": mapping}

    def say_raw(self, payload: bytes) -> None:
        self.sql(f"NOTIFY inv, '{payload.decode()}'")


class PostgresDecoding(Postgres):
    kind, resumes = "postgresql-decoding", False

    def options(self, port: int) -> dict[str, Any]:
        tables = {"product": {"keyspace": "product", "key": "id", "version": "version"}}
        return {**super().options(port), "tables": tables, "interval": "50ms"}


BUSES: list[type[Bus]] = [
    RedisPubsub, RedisStream, RedisKeyspace, NatsCore, JetStream, PostgresPolled, PostgresListen,
    PostgresDecoding,
]  # fmt: skip


async def say_raw(bus: Any, payload: bytes) -> None:
    """Anything at all."""
    if hasattr(bus, "say_bytes"):
        await bus.say_bytes(payload)
    else:
        await asyncio.to_thread(bus.say_raw, payload)


def as_json(**document: Any) -> bytes:
    return json.dumps(document).encode()
