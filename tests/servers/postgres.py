"""A real PostgreSQL."""

import atexit
import os
import shutil
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import psycopg

from lab.catalogue import HOST
from tests.servers.process import Server
from tests.servers.tls import Authority

# Without fsync a commit is cheap, and still outlives the death of the process.
OPTIONS = ("fsync=off", "full_page_writes=off", "max_connections=50")


class PostgresServer(Server):
    """PostgreSQL on a free port with a cluster of its own; the superuser is `postgres`.

    `password` makes every connection prove it (SCRAM), else all are trusted; `tls` offers TLS;
    `options` are further settings, such as `wal_level=logical`.
    """

    binary = "postgres"

    def __init__(
        self,
        *,
        password: str | None = None,
        tls: Authority | None = None,
        options: Sequence[str] = (),
    ) -> None:
        super().__init__()
        self.password = password
        self.tls = tls
        self.options = tuple(options)
        self.data = self.folder / "data"

    def prepare(self) -> None:
        if self.data.exists():
            return
        if self.password:
            secret = self.folder / "password"
            secret.write_text(self.password)
            self._make_cluster(self.data, "-A", "scram-sha-256", f"--pwfile={secret}")
        else:
            template = _template_folder() / "data"
            if not template.exists():
                self._make_cluster(self.data, "-A", "trust")
                shutil.copytree(self.data, template)
            else:
                shutil.copytree(template, self.data)
        self._write_tls()

    def _make_cluster(self, data: Path, *arguments: str) -> None:
        common = ["-D", str(data), "-U", "postgres", "-E", "UTF8", "--locale=C", "--no-sync"]
        self.run_as_server(str(self.path.with_name("initdb")), *common, *arguments)

    def _write_tls(self) -> None:
        if self.tls is None:
            return
        (self.data / "server.crt").write_bytes(self.tls.server.cert.read_bytes())
        key = self.data / "server.key"
        key.touch(mode=0o600)
        key.write_bytes(self.tls.server.key.read_bytes())

    def command(self) -> Sequence[str]:
        options = [
            *OPTIONS,
            *self.options,
            f"listen_addresses={HOST}",
            f"ssl={'on' if self.tls else 'off'}",
        ]
        flags = [flag for option in options for flag in ("-c", option)]
        return ["-D", str(self.data), "-p", str(self.port), "-k", str(self.folder), *flags]

    def is_ready(self) -> bool:
        try:
            self.execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def dsn(self, database: str = "postgres", user: str = "postgres") -> str:
        """A `postgresql://` URL without a password."""
        return f"postgresql://{user}@{self.address}/{database}"

    def connect(self, database: str = "postgres") -> psycopg.Connection:
        """A connection of the superuser, in autocommit."""
        return psycopg.connect(
            self.dsn(database), password=self.password, autocommit=True, connect_timeout=5
        )

    def execute(self, statement: str, database: str = "postgres") -> None:
        """Run statements as the superuser."""
        with self.connect(database) as connection:
            connection.execute(statement.encode())

    def create_database(self, name: str | None = None) -> str:
        """Make an empty database and return its name."""
        name = name or f"test_{os.urandom(6).hex()}"
        self.execute(f'CREATE DATABASE "{name}"')
        return name

    def drop_database(self, name: str) -> None:
        """Drop a database, whoever is connected to it."""
        self.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@cache
def _template_folder() -> Path:
    """Where this process keeps an empty cluster: making one takes seconds, copying it does not."""
    folder = Path(tempfile.mkdtemp(prefix="postgres-template-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
