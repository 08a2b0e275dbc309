"""What every connection to a PostgreSQL has in common: its address, its TLS, why it failed."""

import contextlib
import os
import socket
from collections.abc import Mapping
from typing import Any, Final

import psycopg
from psycopg.conninfo import conninfo_to_dict

from collectors.options import shown
from settings import Tls

FAILURES: Final = (psycopg.Error, OSError, UnicodeError, ValueError)
Row = tuple[Any, ...]
Connection = psycopg.AsyncConnection[Row]


def has_no_password(url: str) -> str:
    """An address that names no password. Raises ValueError."""
    try:
        said = conninfo_to_dict(url)
    except psycopg.Error:
        raise ValueError("expected postgresql://USER@HOST:PORT/DATABASE") from None
    if said.get("password"):
        raise ValueError(
            "expected no password in the URL: set password to {env: ...} or {file: ...}"
        )
    return url


def cut(connection: Connection) -> None:
    """Shut the socket under a connection, so that whoever waits for it fails at once."""
    with (
        contextlib.suppress(OSError, psycopg.Error),
        socket.socket(fileno=os.dup(connection.pgconn.socket)) as wire,
    ):
        wire.shutdown(socket.SHUT_RDWR)


def tls_parameters(tls: Tls | None, url: str) -> dict[str, str]:
    """What libpq calls our TLS settings; files are read again with each connection."""
    if tls is None:
        return {}
    files = {"sslrootcert": tls.ca or "system", "sslcert": tls.cert, "sslkey": tls.key}
    parameters = {name: str(file) for name, file in files.items() if file is not None}
    if tls.server_name is not None:
        address = conninfo_to_dict(url).get("host", "")
        parameters |= {"host": tls.server_name, "hostaddr": str(address)}
    return {"sslmode": "verify-full", **parameters}


def why_failed(error: BaseException) -> str:
    """A short reason without anything that differs from one time to the next."""
    if isinstance(error, psycopg.errors.QueryCanceled):
        return "timed out"
    if isinstance(error, psycopg.Error) and error.diag.message_primary:
        return shown(error.diag.message_primary)
    text = str(error)
    for sign, reason in _SIGNS.items():
        if sign in text:
            return reason
    return shown(text.strip().partition("\n")[0]) or type(error).__name__


_SIGNS: Final[Mapping[str, str]] = {
    "Connection refused": "connection refused",
    "password authentication failed": "the password is wrong; check password",
    "no password supplied": "the server asks for a password; set password",
    "certificate verify failed": "the server's certificate is not trusted; check tls.ca",
    "does not match host name": "the server's certificate is another host's; check tls",
    "server does not support SSL": "the server does not speak TLS",
    "server closed the connection": "connection closed",
    "the connection is lost": "connection closed",
}
