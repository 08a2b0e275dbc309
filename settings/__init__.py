"""The values that a config file is written in: resolved late, and never shown where secret."""

from settings.address import Address
from settings.auth import Auth
from settings.duration import Duration
from settings.percent import Percent
from settings.rate import Rate
from settings.secret import Secret, SecretError
from settings.section import FilePath, Section
from settings.size import Size
from settings.tls import ServerTls, Tls, TlsError
from settings.web_url import WebUrl

__all__ = [
    "Address",
    "Auth",
    "Duration",
    "FilePath",
    "Percent",
    "Rate",
    "Secret",
    "SecretError",
    "Section",
    "ServerTls",
    "Size",
    "Tls",
    "TlsError",
    "WebUrl",
]
