"""A real Redis Cluster, and a real Sentinel."""

from collections.abc import Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

from lab.catalogue import HOST
from lab.ports import free_port
from tests.servers.redis import RedisServer
from tests.servers.waiting import wait_until

SLOTS = 16384
NODE_TIMEOUT_MS = 1000


class RedisNode(RedisServer):
    """One node of a cluster; it is in none until it has met the others."""

    def __init__(self) -> None:
        self.bus_port = free_port()
        lines = ("cluster-enabled yes", f"cluster-port {self.bus_port}")
        super().__init__(options=(*lines, f"cluster-node-timeout {NODE_TIMEOUT_MS}"))

    def run(self, *words: str | int) -> Any:
        """A command's reply."""
        return self.client.execute_command(*map(str, words))  # type: ignore[no-untyped-call]

    @property
    def id(self) -> str:
        """What the cluster calls it."""
        return str(self.run("CLUSTER MYID"))


class RedisCluster:
    """Masters that share all slots evenly, and replicas of the first of them."""

    def __init__(self, masters: int = 3, replicas: int = 1) -> None:
        self.masters = [RedisNode() for _ in range(masters)]
        self.replicas = [RedisNode() for _ in range(replicas)]
        self._stack = ExitStack()

    @property
    def nodes(self) -> Sequence[RedisNode]:
        return [*self.masters, *self.replicas]

    def owner(self, slot: int) -> RedisNode:
        """The master that served the slot when the cluster was made."""
        return self.masters[slot * len(self.masters) // SLOTS]

    def move_slot(self, slot: int, to: RedisNode, *, only_begin: bool = False) -> None:
        """Move a slot with its keys, as `redis-cli --cluster reshard` does; or all but the end."""
        source = self.owner(slot)
        to.run("CLUSTER SETSLOT", slot, "IMPORTING", source.id)
        source.run("CLUSTER SETSLOT", slot, "MIGRATING", to.id)
        for key in source.run("CLUSTER GETKEYSINSLOT", slot, 1000):
            source.run("MIGRATE", HOST, to.port, key, 0, 5000)
        if not only_begin:
            self.end_move(slot, to)

    def end_move(self, slot: int, to: RedisNode) -> None:
        """Say that the slot has arrived, first where it is now."""
        for node in (to, *(each for each in self.masters if each is not to)):
            node.run("CLUSTER SETSLOT", slot, "NODE", to.id)

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            for node in self.nodes:
                stack.enter_context(node)
            self._introduce()
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def _introduce(self) -> None:
        for number, node in enumerate(self.masters):
            node.run("CLUSTER SET-CONFIG-EPOCH", number + 1)
            # Rounded as in `owner`.
            begin, end = (-(-SLOTS * n // len(self.masters)) for n in (number, number + 1))
            node.run("CLUSTER ADDSLOTSRANGE", begin, end - 1)
        first = self.masters[0]
        for node in self.nodes[1:]:
            node.run("CLUSTER MEET", HOST, first.port, first.bus_port)
        count = len(self.nodes)
        wait_until(lambda: all(_known(node) == count for node in self.nodes), "all have met")
        for replica in self.replicas:
            replica.run("CLUSTER REPLICATE", first.id)
        wait_until(lambda: all(map(self._is_up, self.nodes)), "the cluster is up")

    def _is_up(self, node: RedisNode) -> bool:
        flags = [each["flags"] for each in node.run("CLUSTER NODES").values()]
        replicas = sum("slave" in each for each in flags)
        is_linked = "slave" not in node.run("ROLE")[0] or node.run("ROLE")[3] == "connected"
        info = node.run("CLUSTER INFO")
        return info["cluster_state"] == "ok" and replicas == len(self.replicas) and is_linked


def _known(node: RedisNode) -> int:
    flags = [each["flags"] for each in node.run("CLUSTER NODES").values()]
    return sum("handshake" not in each for each in flags)


class SentinelServer(RedisServer):
    """One Sentinel that watches over `shop` at a master, and holds it for dead after a second."""

    def __init__(self, master: RedisServer) -> None:
        super().__init__()
        self._master = master

    def command(self) -> Sequence[str]:
        return [str(self.folder / "redis.conf"), "--sentinel"]

    def prepare(self) -> None:
        lines = [f"bind {HOST}", f"port {self.port}", f"dir {self.folder}"]
        lines += [f"sentinel monitor shop {HOST} {self._master.port} 1"]
        lines += [
            "sentinel down-after-milliseconds shop 1000",
            "sentinel failover-timeout shop 3000",
        ]
        self._drop_client()
        (self.folder / "redis.conf").write_text("\n".join(lines) + "\n")
