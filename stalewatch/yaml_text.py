"""Plain values as YAML text: long texts as blocks, nothing by reference."""

from collections.abc import Iterable
from io import StringIO
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.representer import RoundTripRepresenter

_WIDE = 4096


class _Representer(RoundTripRepresenter):
    """Text of several lines stands as a block."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002  # as the library calls it
        """Values that happen to be the same object are written out each time."""
        return True

    def represent_str(self, data: str) -> ScalarNode:
        """As a block where that can hold the text as it is, with escapes where nothing else can."""
        is_plain = all(each.isprintable() for each in data.split("\n"))
        is_block = is_plain and "\n" in data and not data.startswith((" ", "\n"))
        style = "|" if is_block else None if is_plain else '"'
        node: ScalarNode = self.represent_scalar("tag:yaml.org,2002:str", data, style=style)
        return node


_Representer.add_representer(str, _Representer.represent_str)


def yaml_text(documents: Iterable[Any]) -> str:
    """One document after the other."""
    yaml = YAML()
    yaml.Representer = _Representer
    yaml.width = _WIDE
    written = StringIO()
    yaml.dump_all(list(documents), written)
    return written.getvalue()
