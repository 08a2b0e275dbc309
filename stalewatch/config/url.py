"""The address at which users see the server."""

from dataclasses import dataclass
from typing import ClassVar, Final, Self
from urllib.parse import urlsplit

from settings.text import TextValue

OWN_PATHS: Final = ("api", "assets", "healthz", "key", "metrics", "readyz")
"""What the server has at its root: a path that begins so could not be told from it."""


@dataclass(frozen=True, slots=True)
class ExternalUrl(TextValue):
    """`https://ops.example.com/stalewatch/`; `origin` has no path, `path` ends with a slash."""

    origin: str
    path: str

    PATTERN: ClassVar[str] = r"^https?://[^/?#@\s]+(/[^?#\s]*)?$"
    EXPECTED: ClassVar[str] = "an address such as https://ops.example.com/stalewatch/"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a URL without user, query or fragment."""
        try:
            parts = urlsplit(text)
            has_host = bool(parts.hostname) and parts.port != 0
        except ValueError:
            has_host = False
        if not has_host or parts.scheme not in {"http", "https"} or "@" in parts.netloc:
            raise ValueError(f"expected {cls.EXPECTED}")
        if parts.query or parts.fragment or set(parts.path) & set(' %"<>\\'):
            raise ValueError(f"expected {cls.EXPECTED}, without query and escapes")
        inside = parts.path.strip("/")
        if inside.split("/")[0] in OWN_PATHS or inside.startswith("_dash"):
            raise ValueError("expected a path that begins with none of " + ", ".join(OWN_PATHS))
        origin = f"{parts.scheme}://{parts.netloc.lower()}"
        return cls(origin, f"/{inside}/" if inside else "/")

    def __str__(self) -> str:
        return self.origin + self.path
