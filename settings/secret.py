"""Secrets: where they are kept, never what they are."""

import os
from pathlib import Path
from typing import Any, Self

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from settings.section import resolve
from settings.watched import Stamp, stamp

_EXPECTED = "expected {env: NAME} or {file: PATH}"


class SecretError(Exception):
    """A secret is not where the config says; the message says where that is."""


class Secret:
    """A secret by its source, `{env: NAME}` or `{file: PATH}`.

    Text, representation and JSON show the source alone. `reveal` gives the secret itself.
    """

    __slots__ = ("_revealed", "_stamp", "env", "file")

    def __init__(self, *, env: str | None = None, file: Path | None = None) -> None:
        if (env is None) == (file is None):
            raise ValueError(_EXPECTED)
        self.env = env
        self.file = file
        self._stamp: Stamp = ()
        self._revealed = ""

    def reveal(self) -> str:
        """The secret now; a file is read again once it has changed. Raises SecretError.

        One line end at the end of a file is not part of the secret.
        """
        if self.file is not None:
            return self._read(self.file)
        secret = os.environ.get(self.env or "")
        if not secret:
            raise SecretError(f"the environment variable {self.env} is not set or empty")
        return secret

    def _read(self, file: Path) -> str:
        try:
            now = stamp([file])
            if now != self._stamp:
                self._revealed = file.read_text().removesuffix("\n").removesuffix("\r")
                self._stamp = now
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
            raise SecretError(f"cannot read the secret file {file}: {why}") from None
        if not self._revealed:
            raise SecretError(f"the secret file {file} is empty")
        return self._revealed

    def source(self) -> dict[str, str]:
        """Where the secret is kept, as the config file writes it."""
        return {"env": self.env} if self.env is not None else {"file": str(self.file)}

    def __repr__(self) -> str:
        return f"Secret({self.source()})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self.source() == other.source()

    def __hash__(self) -> int:
        return hash((self.env, self.file))

    @classmethod
    def read(cls, given: object, info: core_schema.ValidationInfo) -> Self:
        """A secret as the config file writes it."""
        if isinstance(given, cls):
            return given
        if isinstance(given, str | int | float):
            raise PydanticCustomError(
                "secret_in_file",
                _EXPECTED + ": a secret is never written into the config file, which is copied,"
                " shown and committed",
            )
        if not isinstance(given, dict) or len(given) != 1 or not set(given) <= {"env", "file"}:
            raise PydanticCustomError("secret", _EXPECTED)
        ((kind, where),) = given.items()
        if not isinstance(where, str) or not where:
            raise PydanticCustomError("secret", _EXPECTED)
        return cls(env=where) if kind == "env" else cls(file=resolve(Path(where), info))

    @classmethod
    def __get_pydantic_core_schema__(
        cls, _source: type[Any], _handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.with_info_plain_validator_function(
            cls.read,
            serialization=core_schema.plain_serializer_function_ser_schema(cls.source),
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, _schema: CoreSchema, _handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {
            "type": "object",
            "properties": {"env": {"type": "string"}, "file": {"type": "string"}},
            "additionalProperties": False,
            "minProperties": 1,
            "maxProperties": 1,
        }
