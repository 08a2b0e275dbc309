"""The reference in docs/config.md, made from the models: `python -m stalewatch.config.reference`."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from collectors.kinds import CACHES, ORIGINS
from stalewatch.config.model import Keyspace, Layer, Origin, Server, StoreSettings
from stalewatch.config.wording import models_in

MARK = "<!-- Below here: made by `python -m stalewatch.config.reference docs/config.md`. -->"


def reference() -> str:
    """A table of keys for each mapping that a config file may hold."""
    sections = [
        *_tables("server", Server),
        *_tables("store", StoreSettings),
        *_tables("origins.O", Origin),
        *_kinds("origins.O", {name: kind.options for name, kind in ORIGINS.items()}),
        *_tables("layers.L", Layer),
        *_kinds("layers.L", {name: kind.options for name, kind in CACHES.items()}),
        *_tables("keyspaces.K", Keyspace),
        *_kinds("keyspaces.K.origin", {name: kind.binding for name, kind in ORIGINS.items()}),
        *_kinds("keyspaces.K.layers.L", {name: kind.binding for name, kind in CACHES.items()}),
    ]
    return "\n".join(sections)


def _kinds(path: str, models: dict[str, type[BaseModel]]) -> Iterator[str]:
    for name, model in models.items():
        yield from _tables(path, model, f" of kind `{name}`")


def _tables(path: str, model: type[BaseModel], of: str = "") -> Iterator[str]:
    fields = [(field.alias or name, field) for name, field in model.model_fields.items()]
    yield f"### `{path}`{of}\n\n{model.__doc__ or ''}\n"
    yield "| key | where left out | what it is |\n|---|---|---|"
    for key, field in fields:
        if key != "binding":
            yield f"| `{key}` | {_default(field)} | {_said(field)} |"
    yield ""
    for key, field in fields:
        # The options of kinds are tables of their own, named after their kind.
        for inner in () if key in {"binding", "layers"} else models_in(field.annotation):
            yield from _tables(f"{path}.{key}", inner, of)


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    default = field.get_default(call_default_factory=True, validated_data={})
    if default is None or default in ((), {}, "") or isinstance(default, BaseModel):
        return ""
    return f"`{_written(default)}`"


def _written(default: Any) -> str:
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, tuple):
        return "[" + ", ".join(map(str, default)) + "]"
    return str(default)


def _said(field: FieldInfo) -> str:
    return " ".join((field.description or "").replace("|", "\\|").split())


def main(file: Path) -> None:
    """Write the reference into the page, below the mark."""
    head = file.read_text(encoding="utf-8").partition(MARK)[0]
    file.write_text(f"{head}{MARK}\n\n{reference()}", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
