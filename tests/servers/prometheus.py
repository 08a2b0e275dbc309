"""A real Prometheus and a real Alertmanager."""

import urllib.error
import urllib.request
from collections.abc import Sequence

from tests.servers.process import Server

NO_SCRAPES = "global: {scrape_interval: 1s}\n"
NO_RECEIVERS = "route: {receiver: none}\nreceivers: [{name: none}]\n"


class _ConfiguredServer(Server):
    """A server of the Prometheus family: a YAML file in, `/-/ready` out."""

    def __init__(self, config: str) -> None:
        super().__init__()
        self.config = config

    def prepare(self) -> None:
        (self.folder / "config.yml").write_text(self.config)

    def is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/-/ready", timeout=1) as answer:
                return int(answer.status) == 200
        except urllib.error.HTTPError:
            return False

    @property
    def url(self) -> str:
        return f"http://{self.address}"


class PrometheusServer(_ConfiguredServer):
    """Prometheus on a free port; `config` is its YAML, by default without scrapes."""

    binary = "prometheus"

    def __init__(self, config: str = NO_SCRAPES) -> None:
        super().__init__(config)

    def command(self) -> Sequence[str]:
        return [
            f"--config.file={self.folder}/config.yml",
            f"--storage.tsdb.path={self.folder}/data",
            f"--web.listen-address={self.address}",
            "--web.enable-lifecycle",
            "--web.enable-remote-write-receiver",
        ]


class AlertmanagerServer(_ConfiguredServer):
    """Alertmanager on a free port; `config` is its YAML, by default delivering nowhere."""

    binary = "prometheus-alertmanager"

    def __init__(self, config: str = NO_RECEIVERS) -> None:
        super().__init__(config)

    def command(self) -> Sequence[str]:
        return [
            f"--config.file={self.folder}/config.yml",
            f"--storage.path={self.folder}/data",
            f"--web.listen-address={self.address}",
            "--cluster.listen-address=",
        ]
