"""What the values that are written as one short text have in common."""

from typing import Any, ClassVar, Self

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema


class TextValue:
    """A value that a config file writes as text, such as `2s` or `64KiB`.

    A subclass gives `parse`, which raises ValueError with what was expected, and `__str__`, which
    gives text that `parse` takes back. `PATTERN` is the regular expression an editor checks with.
    """

    PATTERN: ClassVar[str]
    EXPECTED: ClassVar[str]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the text. Raises ValueError that says what was expected."""
        raise NotImplementedError

    @classmethod
    def _validate(cls, given: object) -> Self:
        if isinstance(given, cls):
            return given
        if isinstance(given, str):
            return cls.parse(given)
        raise ValueError(f"expected {cls.EXPECTED}")

    @classmethod
    def __get_pydantic_core_schema__(
        cls, _source: type[Any], _handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls._validate, serialization=core_schema.to_string_ser_schema()
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, _schema: CoreSchema, _handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"type": "string", "pattern": cls.PATTERN, "description": cls.EXPECTED}
