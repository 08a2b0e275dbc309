"""The base of every part of the config file."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationInfo


class Section(BaseModel):
    """A mapping of the config file: unknown keys are errors, values do not change once read."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        populate_by_name=True,
        # An error must never repeat what stands in the file: it may be a secret in the wrong place.
        hide_input_in_errors=True,
    )


def resolve(path: Path, info: ValidationInfo) -> Path:
    """Make a path of the file absolute: `~` is the home, anything else stands beside the file.

    The directory of the file is `info.context["base"]`; without it the working directory serves.
    """
    base = (info.context or {}).get("base", Path.cwd())
    return Path(base, path.expanduser())


FilePath = Annotated[Path, AfterValidator(resolve)]
"""A path in the config file, relative to the file."""
