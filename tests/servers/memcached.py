"""A real memcached."""

from collections.abc import Sequence

from lab.catalogue import HOST
from tests.servers.process import Server


class MemcachedServer(Server):
    """memcached on a free port, TCP alone, 64 MB; `options` are further arguments."""

    binary = "memcached"

    def __init__(self, *options: str) -> None:
        super().__init__()
        self.options = options

    def command(self) -> Sequence[str]:
        return ["-l", HOST, "-p", str(self.port), "-U", "0", "-m", "64", *self.options]
