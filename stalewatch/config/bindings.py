"""How each keyspace is read at its origin and on its layers: options of a kind named elsewhere."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from settings import Section
from stalewatch.config.document import Document
from stalewatch.config.kinds import Kinds
from stalewatch.config.problem import Loc, Problem
from stalewatch.config.wording import did_you_mean, told


class Bound(NamedTuple):
    """The file's data with each binding read, and what is wrong with bindings."""

    data: dict[str, Any]
    problems: list[Problem]


class _Reader:
    def __init__(self, document: Document, context: Mapping[str, Any]) -> None:
        self.document = document
        self.context = context
        self.problems: list[Problem] = []

    def kind_of(self, section: str, name: object, loc: Loc) -> str | None:
        """The kind of an origin or a layer by its name, None where the file has no such."""
        entries = self.document.data.get(section)
        if not isinstance(name, str) or not isinstance(entries, dict):
            return None
        if name not in entries:
            guess = did_you_mean(name, map(str, entries))
            text = f"no such entry in {section}{guess}"
            self.problems.append(self.document.problem(loc, text, at_key=section == "layers"))
            return None
        entry = entries[name]
        return str(entry.get("kind")) if isinstance(entry, dict) else None

    def read(self, model: type[BaseModel] | None, given: Any, loc: Loc) -> Any:
        """A binding, or an empty stand-in for one that cannot be read."""
        if model is None:
            return Section()
        try:
            return model.model_validate(given, context=dict(self.context))
        except ValidationError as error:
            self.problems += problems_of(error, model, self.document, loc)
            return Section()


def bind(document: Document, kinds: Kinds, context: Mapping[str, Any]) -> Bound:
    """Read the bindings of every keyspace; what is no mapping is left for the model to refuse."""
    reader = _Reader(document, context)
    keyspaces = document.data.get("keyspaces")
    if not isinstance(keyspaces, dict):
        return Bound(document.data, [])
    bound = {name: _bind_one(reader, kinds, name, one) for name, one in keyspaces.items()}
    return Bound({**document.data, "keyspaces": bound}, reader.problems)


def _bind_one(reader: _Reader, kinds: Kinds, name: Any, keyspace: Any) -> Any:
    if not isinstance(keyspace, dict):
        return keyspace
    bound, loc = dict(keyspace), ("keyspaces", str(name))
    origin, layers = keyspace.get("origin"), keyspace.get("layers")
    if isinstance(origin, dict):
        kind = reader.kind_of("origins", origin.get("name"), (*loc, "origin", "name"))
        origin_kind = kinds.origins.get(kind or "")
        rest = {key: value for key, value in origin.items() if key != "name"}
        binding = reader.read(origin_kind.binding if origin_kind else None, rest, (*loc, "origin"))
        bound["origin"] = {"binding": binding}
        if "name" in origin:
            bound["origin"]["name"] = origin["name"]
    if isinstance(layers, dict):
        bound["layers"] = {
            layer: _bind_layer(reader, kinds, (*loc, "layers", str(layer)), layer, given)
            for layer, given in layers.items()
        }
    return bound


def _bind_layer(reader: _Reader, kinds: Kinds, loc: Loc, layer: Any, given: Any) -> Any:
    kind = kinds.caches.get(reader.kind_of("layers", layer, loc) or "")
    return reader.read(kind.binding if kind else None, given, loc)


def problems_of(
    error: ValidationError, model: type[BaseModel], document: Document, prefix: Loc = ()
) -> Iterator[Problem]:
    """Each error with its place in the file."""
    errors = error.errors(include_url=False)
    for each in errors:
        loc: Loc = each["loc"]
        if each["type"] == "too_short" and _has_inner(errors, loc):
            continue  # the entries are there, and their own mistakes are told
        place = (*prefix, *(loc if prefix else _without_kind(loc)))
        if each["type"].startswith("union_tag"):
            place = (*place, "kind")
        at_key = each["type"] == "extra_forbidden"
        yield document.problem(place, told(each, model, loc, each.get("input")), at_key=at_key)


def _has_inner(errors: Sequence[ErrorDetails], loc: Loc) -> bool:
    return any(len(each["loc"]) > len(loc) and each["loc"][: len(loc)] == loc for each in errors)


def _without_kind(loc: Loc) -> Loc:
    """`layers.edge.http.limit` → `layers.edge.limit`: the library adds the kind to the path."""
    if loc[:2] == ("traces", "poll") and len(loc) > 3 and loc[3] != "[key]":
        return (*loc[:3], *loc[4:])
    has_kinds = {"layers", "origins", "rules", "taps", "channels"}
    is_inside = len(loc) > 2 and loc[0] in has_kinds and loc[2] != "[key]"
    return (*loc[:2], *loc[3:]) if is_inside else loc
