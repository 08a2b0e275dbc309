"""Text from outside, made harmless for a reader: what stands there is seen, and does nothing."""

import re
import unicodedata
from typing import Final

_UNSEEN: Final = {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"}
"""Categories of characters that move, hide or break what stands beside them."""
_LINKED: Final = re.compile(r"(?<=[^\W_])\.(?=[^\W\d_]{2,}(?![\w.-]))|(?<=\bwww)\.", re.IGNORECASE)
"""The dot by which mail programs take a word for the name of a host, and make a link of it."""


def shown(text: str, limit: int = 200) -> str:
    """One line of at most `limit` characters.

    Control and format characters (line ends, marks of direction, zero widths) are written as
    escapes; what a mail program would make a link of on its own is written `[:]//`, `[.]`, `[@]`.
    Markup is left to the template to escape.
    """
    visible = "".join(map(_visible, text[: limit + 1]))
    inert = _LINKED.sub("[.]", visible.replace("://", "[:]//").replace("@", "[@]"))
    return shortened(inert, limit)


def shortened(text: str, limit: int) -> str:
    """At most `limit` characters, an ellipsis where some are left out."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _visible(character: str) -> str:
    if unicodedata.category(character) not in _UNSEEN:
        return character
    code = ord(character)
    return (
        f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 65536 else f"\\U{code:08x}"
    )
