"""What pydantic found wrong, in the words of the config file."""

import re
from collections.abc import Iterable
from difflib import get_close_matches
from types import UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from stalewatch.config.problem import Loc

_PLAIN: Final = {
    "missing": "required, and missing",
    "dict_type": "expected a mapping",
    "model_type": "expected a mapping",
    "model_attributes_type": "expected a mapping",
    "string_type": "expected text; put it in quotes",
    "string_pattern_mismatch": (
        "expected a name of letters, digits, dots, dashes and underscores, 64 at most"
    ),
    "int_type": "expected a whole number",
    "int_parsing": "expected a whole number",
    "int_from_float": "expected a whole number",
    "bool_type": "expected true or false",
    "bool_parsing": "expected true or false",
    "list_type": "expected a list",
    "tuple_type": "expected a list",
    "too_short": "expected at least one entry",
    "path_type": "expected the path of a file",
    "ip_any_network": "expected a network such as 10.0.0.0/8",
}
_LATER_VALUES: Final = {("engine",): {"clickhouse"}}


def told(error: ErrorDetails, model: type[BaseModel], loc: Loc, given: object) -> str:
    """One error in a sentence; `given` is what stands there, and is never repeated."""
    kind, context = error["type"], error.get("ctx", {})
    if kind == "extra_forbidden":
        return _unknown_key(model, loc)
    if kind == "union_tag_invalid":
        tags = re.findall(r"'([^']+)'", str(context["expected_tags"]))
        return f"expected {_listed(tags)}{did_you_mean(_text_at(given, 'kind'), tags)}"
    if kind == "union_tag_not_found":
        return _PLAIN["missing"]
    if kind in {"literal_error", "enum"}:
        return _choice(str(context["expected"]), loc, given)
    if kind == "value_error":
        return str(context["error"])
    return _PLAIN.get(kind) or _plainer(error["msg"])


def _plainer(message: str) -> str:
    said = re.sub(r"^Input should be ", "expected ", message)
    said = said.replace("greater than or equal to", "at least")
    return said.replace("less than or equal to", "at most")


def did_you_mean(written: str, known: Iterable[str]) -> str:
    """`; did you mean X?` where something known is close."""
    close = get_close_matches(written, list(known), n=1)
    return f"; did you mean {close[0]}?" if close else ""


def _unknown_key(model: type[BaseModel], loc: Loc) -> str:
    known = sorted(keys_at(model, loc[:-1]))
    guess = did_you_mean(str(loc[-1]), known)
    return f"unknown key{guess}" if guess else f"unknown key; expected {_listed(known)}"


def _choice(expected: str, loc: Loc, given: object) -> str:
    choices = re.findall(r"'([^']+)'", expected)
    later = _LATER_VALUES.get((str(loc[-1]),), set())
    if isinstance(given, str) and given in later:
        return "not supported by this version of stalewatch; " + f"expected {_listed(choices)}"
    guess = did_you_mean(given, choices) if isinstance(given, str) else ""
    return f"expected {_listed(choices) or expected}{guess}"


def _listed(names: Iterable[str]) -> str:
    return " or ".join(filter(None, [", ".join([*names][:-1]), *[*names][-1:]]))


def _text_at(given: object, key: str) -> str:
    return str(given.get(key, "")) if isinstance(given, dict) else ""


def keys_at(model: type[BaseModel], loc: Loc) -> set[str]:
    """The keys that a mapping at this path may have."""
    types: list[Any] = [model]
    for part in loc:
        types = [inner for outer in types for inner in _inside(outer, part)]
    return {
        field.alias or name
        for outer in types
        for each in _alternatives(outer)
        if _is_model(each)
        for name, field in each.model_fields.items()
    }


def _inside(outer: Any, part: str | int) -> list[Any]:
    """What may stand under a key, at an index, or under the tag of a kind."""
    found: list[Any] = []
    for each in _alternatives(outer):
        if _is_model(each):
            fields = each.model_fields.items()
            found += [f.annotation for name, f in fields if (f.alias or name) == part]
            found += [each] if "kind" in each.model_fields and part in _kinds(each) else []
        elif isinstance(part, int) and get_origin(each) in {list, tuple}:
            found += get_args(each)[:1]
        elif get_origin(each) is dict:
            found += get_args(each)[1:]
    return found


def _alternatives(annotation: Any) -> list[Any]:
    if hasattr(annotation, "__metadata__"):
        return _alternatives(annotation.__origin__)
    if get_origin(annotation) in {Union, UnionType}:
        return [one for arg in get_args(annotation) for one in _alternatives(arg)]
    return [annotation]


def models_in(annotation: Any) -> list[type[BaseModel]]:
    """The models that a value of this type may be, in lists too."""
    found: list[type[BaseModel]] = []
    for each in _alternatives(annotation):
        if _is_model(each):
            found.append(each)
        elif get_origin(each) in {list, tuple}:
            found += models_in(get_args(each)[0])
    return found


def _is_model(each: Any) -> bool:
    return isinstance(each, type) and issubclass(each, BaseModel)


def _kinds(model: type[BaseModel]) -> tuple[Any, ...]:
    annotation = model.model_fields["kind"].annotation
    return get_args(annotation) if get_origin(annotation) is Literal else ()
