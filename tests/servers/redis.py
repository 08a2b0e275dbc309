"""A real Redis."""

from collections.abc import Mapping, Sequence

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from lab.catalogue import HOST
from tests.servers.process import Server
from tests.servers.tls import Authority

# Of its own accord redis-py tries ten times, for seconds; a test wants the first answer.
NO_RETRY = Retry(NoBackoff(), 0)


class RedisServer(Server):
    """Redis on a free port, without persistence.

    `password` guards the default user; `users` adds ACL users, name -> rules such as
    `on >secret ~product:* +@read`; `tls` serves TLS alone and asks for a client certificate where
    `client_certificates` is set; `options` are further lines of redis.conf.
    """

    binary = "redis-server"

    def __init__(
        self,
        *,
        password: str | None = None,
        users: Mapping[str, str] | None = None,
        tls: Authority | None = None,
        client_certificates: bool = False,
        options: Sequence[str] = (),
    ) -> None:
        super().__init__()
        self.password = password
        self.users = dict(users or {})
        self.tls = tls
        self.client_certificates = client_certificates
        self.options = tuple(options)
        self._client: redis.Redis | None = None

    def command(self) -> Sequence[str]:
        return [str(self.folder / "redis.conf")]

    def prepare(self) -> None:
        self._drop_client()
        lines = [f"bind {HOST}", 'save ""', "appendonly no", f"dir {self.folder}"]
        lines += self._listen_lines()
        if self.password:
            lines.append(f"requirepass {self.password}")
        lines += [f"user {name} {rules}" for name, rules in self.users.items()]
        lines += self.options
        (self.folder / "redis.conf").write_text("\n".join(lines) + "\n")

    def _listen_lines(self) -> list[str]:
        if self.tls is None:
            return [f"port {self.port}"]
        return [
            "port 0",
            f"tls-port {self.port}",
            f"tls-ca-cert-file {self.tls.ca}",
            f"tls-cert-file {self.tls.server.cert}",
            f"tls-key-file {self.tls.server.key}",
            f"tls-auth-clients {'yes' if self.client_certificates else 'no'}",
        ]

    def is_ready(self) -> bool:
        try:
            return bool(self.client.ping())
        except redis.RedisError:
            return False

    @property
    def client(self) -> redis.Redis:
        """A synchronous client of the default user, with text replies."""
        if self._client is None:
            self._client = redis.Redis(
                host=HOST,
                port=self.port,
                password=self.password,
                decode_responses=True,
                retry=NO_RETRY,
                ssl=self.tls is not None,
                ssl_ca_certs=str(self.tls.ca) if self.tls else None,
                ssl_certfile=str(self.tls.client.cert) if self.tls else None,
                ssl_keyfile=str(self.tls.client.key) if self.tls else None,
            )
        return self._client

    @property
    def url(self) -> str:
        """`redis://` or `rediss://`, without credentials."""
        return f"{'rediss' if self.tls else 'redis'}://{self.address}/0"

    def clean(self) -> None:
        """Drop every key."""
        self.client.flushall()

    def stop(self) -> None:
        self._drop_client()
        super().stop()

    def _drop_client(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None
