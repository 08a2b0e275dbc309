"""A real nginx."""

import signal
from collections.abc import Sequence

from tests.servers.process import Server

CONFIG = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  proxy_cache_path {folder}/cache keys_zone=cache:4m use_temp_path=off;
  {http}
  server {{
    listen {address};
    {server}
  }}
}}
"""

CACHING = """
location / {{
  proxy_pass http://127.0.0.1:{port};
  proxy_cache cache;
  proxy_cache_valid 200 10m;
  add_header X-Cache $upstream_cache_status;
}}
"""


class NginxServer(Server):
    """nginx on a free port: a cache before `origin_port`, or with a `server` block of yours.

    The zone `cache` is there for `proxy_cache`; `http` adds to the http block.
    """

    binary = "nginx"

    def __init__(
        self, *, origin_port: int | None = None, server: str | None = None, http: str = ""
    ) -> None:
        super().__init__()
        self.server = server or CACHING.format(port=origin_port or 1)
        self.http = http

    def prepare(self) -> None:
        text = CONFIG.format(
            folder=self.folder, address=self.address, http=self.http, server=self.server
        )
        (self.folder / "nginx.conf").write_text(text)

    def command(self) -> Sequence[str]:
        folder = str(self.folder)
        return ["-p", folder, "-c", f"{folder}/nginx.conf", "-e", f"{folder}/boot.log"]

    def reload(self) -> None:
        """Have it read its files again (SIGHUP): new workers take over, old ones end."""
        assert self._process is not None
        self._process.send_signal(signal.SIGHUP)

    @property
    def url(self) -> str:
        return f"http://{self.address}"
