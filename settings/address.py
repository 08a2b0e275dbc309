"""Where something listens."""

import ipaddress
import re
from dataclasses import dataclass
from typing import ClassVar, Self

from settings.text import TextValue

_ADDRESS = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([^\s\[\]:/]+)):(\d{1,5})")


@dataclass(frozen=True, slots=True)
class Address(TextValue):
    """A host and a port: `127.0.0.1:8080`, `[::1]:8080`, `cache.internal:6379`."""

    host: str
    port: int

    PATTERN: ClassVar[str] = r"^(\[[0-9A-Fa-f:.]+\]|[^\s\[\]:/]+):\d{1,5}$"
    EXPECTED: ClassVar[str] = "host:port such as 127.0.0.1:8080 or [::1]:8080"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `host:port`; an IPv6 address stands in brackets."""
        match = _ADDRESS.fullmatch(text)
        if match is None or int(match[3]) > 65535:
            raise ValueError(f"expected {cls.EXPECTED}")
        return cls(match[1] or match[2], int(match[3]))

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"
