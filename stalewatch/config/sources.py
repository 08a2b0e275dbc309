"""Whether the secrets, certificates and files that a config names are there."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic import BaseModel

from settings import Secret, SecretError, ServerTls, Tls, TlsError, WebUrl
from stalewatch.config.model import Config, Keys, TrafficSettings
from stalewatch.config.problem import Loc

Absent = tuple[Loc, str]


def absent(config: Config) -> Iterator[Absent]:
    """What cannot be read, and why: never what it holds."""
    yield from _absent(config, ())


def _absent(value: object, loc: Loc) -> Iterator[Absent]:
    yield from _unreadable(value, loc)
    for part, inner in _parts(value):
        yield from _absent(inner, (*loc, *part))


def _unreadable(value: object, loc: Loc) -> Iterator[Absent]:
    try:
        if isinstance(value, Secret | WebUrl):
            value.reveal()
        elif isinstance(value, Tls | ServerTls):
            value.context()
        elif isinstance(value, Keys | TrafficSettings) and value.file is not None:
            _open(value.file)
    except (SecretError, TlsError) as error:
        yield loc, str(error)
    except OSError as error:
        yield (*loc, "file"), f"cannot read {error.filename}: {error.strerror}"


def _parts(value: object) -> Iterator[tuple[Loc, object]]:
    """What is inside, each with what its path is longer by."""
    if isinstance(value, BaseModel):
        for name, field in type(value).model_fields.items():
            # A binding stands in the file beside the name of what it binds to.
            part = () if name == "binding" else (field.alias or name,)
            yield part, getattr(value, name)
    elif isinstance(value, Mapping):
        yield from (((str(key),), inner) for key, inner in value.items())
    elif isinstance(value, tuple | list):
        yield from (((index,), inner) for index, inner in enumerate(value))


def _open(file: Path) -> None:
    with file.open("rb"):
        pass
