"""A real Varnish."""

import json
import subprocess
from collections.abc import Sequence

from lab.catalogue import HOST
from lab.ports import free_port
from tests.servers.installed import installed
from tests.servers.process import Server

PLAIN_VCL = """vcl 4.1;
backend default {{ .host = "{host}"; .port = "{port}"; }}
"""


class VarnishServer(Server):
    """Varnish on a free port in front of an origin on a loopback port, or with a VCL of yours."""

    binary = "varnishd"

    def __init__(self, *, origin_port: int | None = None, vcl: str | None = None) -> None:
        super().__init__()
        self.admin_port = free_port()
        self.vcl = vcl or PLAIN_VCL.format(host=HOST, port=origin_port or 1)

    def prepare(self) -> None:
        (self.folder / "default.vcl").write_text(self.vcl)

    def command(self) -> Sequence[str]:
        return [
            *("-F", "-n", str(self.folder / "work"), "-a", self.address, "-S", "none"),
            *("-T", f"{HOST}:{self.admin_port}", "-f", str(self.folder / "default.vcl")),
            *("-s", "malloc,32m", "-j", "none", "-p", "thread_pool_min=5"),
        ]

    @property
    def url(self) -> str:
        return f"http://{self.address}"

    def counters(self) -> dict[str, int]:
        """What varnishstat counts, name -> value."""
        command = [str(installed("varnishstat")), "-n", str(self.folder / "work"), "-j"]
        done = subprocess.run(command, capture_output=True, check=True, timeout=20)
        return {name: entry["value"] for name, entry in json.loads(done.stdout)["counters"].items()}
