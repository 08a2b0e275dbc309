"""A real NATS server."""

from collections.abc import Sequence

from lab.catalogue import HOST
from lab.ports import free_port
from tests.servers.process import Server, accepts_connections


class NatsServer(Server):
    """NATS with JetStream on a free port, its monitoring on another."""

    binary = "nats-server"

    def __init__(self) -> None:
        super().__init__()
        self.monitor_port = free_port()

    def command(self) -> Sequence[str]:
        return [
            *("-a", HOST, "-p", str(self.port), "-m", str(self.monitor_port)),
            *("-js", "-sd", str(self.folder / "jetstream")),
        ]

    def is_ready(self) -> bool:
        return accepts_connections(self.port) and accepts_connections(self.monitor_port)

    @property
    def url(self) -> str:
        return f"nats://{self.address}"
