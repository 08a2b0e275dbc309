"""TLS of a connection that we open, and of one that we take."""

import ssl
from pathlib import Path
from typing import Self

from pydantic import PrivateAttr, model_validator

from settings.section import FilePath, Section
from settings.watched import Stamp, stamp


class TlsError(Exception):
    """The certificates cannot be used; the message says which file and why."""


class Tls(Section):
    """How a connection to a server is secured. `tls: {}` trusts what the machine trusts."""

    ca: FilePath | None = None
    """File of the authorities to trust instead of the machine's, PEM."""
    cert: FilePath | None = None
    """File of the certificate to show, PEM, with its chain; needs `key`."""
    key: FilePath | None = None
    """File of the certificate's private key, PEM, not encrypted."""
    server_name: str | None = None
    """Name that the server's certificate must carry, where it is not the host we connect to."""

    _stamp: Stamp | None = PrivateAttr(default=None)
    _context: ssl.SSLContext | None = PrivateAttr(default=None)

    @model_validator(mode="after")
    def _has_both_halves(self) -> Self:
        if (self.cert is None) != (self.key is None):
            raise ValueError("expected both cert and key, or neither")
        return self

    def context(self) -> ssl.SSLContext:
        """The client context; made anew once one of the files has changed. Raises TlsError."""
        try:
            now = stamp([path for path in (self.ca, self.cert, self.key) if path])
        except OSError as error:
            raise TlsError(f"cannot read {error.filename}: {error.strerror}") from None
        if self._context is None or now != self._stamp:
            self._context, self._stamp = self._load(), now
        return self._context

    def _load(self) -> ssl.SSLContext:
        try:
            context = ssl.create_default_context(cafile=self.ca)
        except (OSError, ssl.SSLError) as error:
            raise TlsError(f"cannot use {self.ca} as authorities: {_why(error)}") from None
        if self.cert is not None and self.key is not None:
            _show(context, self.cert, self.key)
        return context


class ServerTls(Section):
    """How connections to a port of ours are secured."""

    cert: FilePath
    """File of the certificate to show, PEM, with its chain."""
    key: FilePath
    """File of the certificate's private key, PEM, not encrypted."""
    client_ca: FilePath | None = None
    """File of the authorities, PEM, one of which must have signed each client's certificate."""

    def context(self) -> ssl.SSLContext:
        """The server context, as the files are now. Raises TlsError."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        _show(context, self.cert, self.key)
        if self.client_ca is not None:
            try:
                context.load_verify_locations(self.client_ca)
            except (OSError, ssl.SSLError) as error:
                raise TlsError(
                    f"cannot use {self.client_ca} as authorities: {_why(error)}"
                ) from None
            context.verify_mode = ssl.CERT_REQUIRED
        return context


def _show(context: ssl.SSLContext, cert: Path, key: Path) -> None:
    def refuse_to_ask() -> str:
        raise TlsError(f"cannot use {key}: the key is encrypted; give one that is not")

    try:
        context.load_cert_chain(cert, key, password=refuse_to_ask)
    except (OSError, ssl.SSLError) as error:
        raise TlsError(f"cannot use {cert} with {key}: {_why(error)}") from None


def _why(error: OSError) -> str:
    reason = getattr(error, "reason", None)
    return str(reason or error.strerror or error).lower().replace("_", " ")
