"""Where something is told over HTTP: an address in the open, or a secret one."""

import re
from typing import Any, Final, Self
from urllib.parse import urlsplit

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from settings.secret import Secret, SecretError

_EXPECTED: Final = (
    "expected a URL such as https://hooks.example.com/x, or {env: NAME}, {file: PATH}"
)
_URL: Final = re.compile(r"https?://[^\s/?#@\\]+(/[^\s#\\]*)?")


class WebUrl:
    """The URL of one resource; `{env: NAME}` or `{file: PATH}` where knowing it is the permission.

    Text and representation show the scheme and host of an open URL, the source of a secret one.
    """

    __slots__ = ("_open", "_secret")

    def __init__(self, url: str | None = None, *, secret: Secret | None = None) -> None:
        if (url is None) == (secret is None) or (url is not None and not _is_url(url)):
            raise ValueError(_EXPECTED)
        self._open = url
        self._secret = secret

    def reveal(self) -> str:
        """The URL now. Raises SecretError, which never repeats it."""
        if self._secret is None:
            return self._open or ""
        url = self._secret.reveal()
        if not _is_url(url):
            raise SecretError(f"what {self} holds is no http or https URL")
        return url

    @property
    def place(self) -> str:
        """`host` or `host:port`, for people; the source where it cannot be read."""
        try:
            return urlsplit(self.reveal()).netloc
        except SecretError:
            return str(self)

    def __str__(self) -> str:
        if self._secret is not None:
            return " ".join(map(" ".join, self._secret.source().items()))
        parts = urlsplit(self._open or "")
        return f"{parts.scheme}://{parts.netloc}"

    def __repr__(self) -> str:
        return f"WebUrl({self})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, WebUrl) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> tuple[str | None, Secret | None]:
        return self._open, self._secret

    def _source(self) -> str | dict[str, str]:
        return self._secret.source() if self._secret else self._open or ""

    @classmethod
    def _validate(cls, given: object, info: core_schema.ValidationInfo) -> Self:
        if isinstance(given, cls):
            return given
        if isinstance(given, dict):
            return cls(secret=Secret.read(given, info))
        if not isinstance(given, str):
            raise ValueError(_EXPECTED)
        return cls(given)

    @classmethod
    def __get_pydantic_core_schema__(
        cls, _source: type[Any], _handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.with_info_plain_validator_function(
            cls._validate,
            serialization=core_schema.plain_serializer_function_ser_schema(cls._source),
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, _schema: CoreSchema, _handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"type": ["string", "object"], "description": _EXPECTED}


def _is_url(text: str) -> bool:
    try:
        has_host = bool(urlsplit(text).hostname) and urlsplit(text).port != 0
    except ValueError:
        return False
    return has_host and _URL.fullmatch(text) is not None
