"""A YAML file as plain values, with the place of every key in it."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Self

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from stalewatch.config.problem import ConfigError, Loc, Problem, written

_LARGEST_BYTES = 4 * 2**20


class Document:
    """The file as it was read. `data` is made of dicts, lists and scalars."""

    def __init__(self, file: Path, root: Node, data: dict[str, Any]) -> None:
        self.file = file
        self.data = data
        self._root = root

    @classmethod
    def read(cls, file: Path) -> Self:
        """Read YAML 1.2. Raises ConfigError for what is no mapping of text keys, each once."""
        root, data = _parse(file, _text(file))
        if not isinstance(root, MappingNode):
            raise ConfigError(file, [Problem(1, 1, "", "expected a mapping of sections")])
        return cls(file, root, data)

    @classmethod
    def read_all(cls, file: Path, text: str | None = None) -> list[Self]:
        """Every mapping of a file of several documents, or in a list; places are of the file.

        `text` is what the file says where it was read already. Raises ConfigError as `read` does.
        """
        found: list[Self] = []
        problems: list[Problem] = []
        for root, data in _parse_all(file, _text(file) if text is None else text):
            is_list = isinstance(root, SequenceNode)
            for node, one in zip(root.value, data, strict=True) if is_list else [(root, data)]:
                if isinstance(node, MappingNode):
                    found.append(cls(file, node, one))
                else:
                    mark = node.start_mark
                    place = mark.line + 1, mark.column + 1
                    problems.append(Problem(*place, "", "expected a document with apiVersion"))
        if problems:
            raise ConfigError(file, problems)
        return found

    def problem(self, loc: Loc, text: str, *, at_key: bool = False) -> Problem:
        """A problem at a path; of a path that is not there, at the nearest part that is."""
        node, mark = self._root, self._root.start_mark
        path: list[str | int] = []
        for part in loc:
            found = _child(node, part)
            if found is None:
                continue
            key, node = found
            path.append(part)
            mark = key.start_mark if at_key or len(path) < len(loc) else node.start_mark
        return Problem(mark.line + 1, mark.column + 1, written(loc), text)

    def has(self, loc: Loc) -> bool:
        """Whether the path is in the file."""
        node = self._root
        for part in loc:
            found = _child(node, part)
            if found is None:
                return False
            node = found[1]
        return True


def _text(file: Path) -> str:
    try:
        if file.stat().st_size > _LARGEST_BYTES:
            raise ConfigError(file, [Problem(1, 1, "", "expected a file of at most 4 MiB")])
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(file, [Problem(1, 1, "", f"cannot read: {error.strerror}")]) from None
    except UnicodeDecodeError:
        raise ConfigError(file, [Problem(1, 1, "", "expected UTF-8 text")]) from None


def _parse(file: Path, text: str) -> tuple[Node, Any]:
    parsed = _parse_all(file, text, lambda yaml: [yaml.compose(text)])
    if not parsed:
        raise ConfigError(file, [Problem(1, 1, "", "expected a mapping, the file is empty")])
    return parsed[0]


def _parse_all(
    file: Path, text: str, compose: Callable[[YAML], Iterable[Node | None]] | None = None
) -> list[tuple[Node, Any]]:
    yaml = YAML(typ="safe", pure=True)
    try:
        composed = yaml.compose_all(text) if compose is None else compose(yaml)
        roots = [root for root in composed if root is not None]
        if faults := [fault for root in roots for fault in _faults(root, (), set())]:
            raise ConfigError(file, faults)
        return [(root, yaml.constructor.construct_document(root)) for root in roots]
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        # The snippet that the library prints of the file is left out: it may show a secret.
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise ConfigError(file, [Problem(line, column, "", _said(error))]) from None
    except (YAMLError, ValueError, RecursionError):
        raise ConfigError(file, [Problem(1, 1, "", "not YAML")]) from None


def _said(error: MarkedYAMLError) -> str:
    return f"not YAML: {error.problem or error.context}"


def _faults(node: Node, loc: Loc, seen: set[int]) -> Iterator[Problem]:
    """Keys that stand twice or are not text; each node is looked at once, whatever refers to it."""
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, SequenceNode):
        for index, item in enumerate(node.value):
            yield from _faults(item, (*loc, index), seen)
    elif isinstance(node, MappingNode):
        keys: set[str] = set()
        for key, value in node.value:
            mark = key.start_mark
            if not isinstance(key, ScalarNode):
                yield Problem(mark.line + 1, mark.column + 1, written(loc), "expected a plain key")
                continue
            if key.value in keys:
                path = written((*loc, key.value))
                yield Problem(mark.line + 1, mark.column + 1, path, "this key stands here twice")
            keys.add(key.value)
            yield from _faults(value, (*loc, key.value), seen)


def _child(node: Node, part: str | int) -> tuple[Node, Node] | None:
    if isinstance(node, MappingNode):
        pairs = ((key, value) for key, value in node.value if key.value == str(part))
        return next(pairs, None)
    if isinstance(node, SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part], node.value[part]
    return None
