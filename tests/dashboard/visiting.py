"""From page to page as the links of the application lead: nothing is loaded anew."""

from playwright.async_api import Page

_GO = """to => {
    history.pushState({}, "", to);
    dispatchEvent(new CustomEvent("_dashprivate_pushstate"));
}"""


async def visit(page: Page, address: str) -> None:
    """Go to another address of the application that is open."""
    await page.evaluate(_GO, address)
