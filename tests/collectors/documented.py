"""What a page documents, taken from it word for word."""

from pathlib import Path

PAGES = Path(__file__).parents[2] / "docs" / "collectors"


def snippets(page: str, language: str) -> list[str]:
    """The code blocks of a page in one language, in their order."""
    parts = (PAGES / page).read_text().split(f"```{language}\n")[1:]
    return [part.partition("```")[0] for part in parts]
