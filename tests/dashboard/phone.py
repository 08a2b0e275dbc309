"""A page on a phone: in both themes nothing of it is cut off or scrolls sideways."""

from typing import Final

from playwright.async_api import Browser, Page, expect

WIDTH: Final = 390
SCHEMES: Final = ("light", "dark")


async def phone_page(browser: Browser) -> Page:
    """A page as wide as a phone."""
    return await browser.new_page(viewport={"width": WIDTH, "height": 800}, color_scheme="light")


async def fits_in_both_themes(page: Page, width: int = WIDTH) -> None:
    """The page as it was opened, light, and in the other theme."""
    for scheme in SCHEMES:
        if scheme != SCHEMES[0]:
            await page.click("#theme-toggle")
        await expect(page.locator("html")).to_have_attribute("data-mantine-color-scheme", scheme)
        assert await page.evaluate("document.documentElement.scrollWidth") == width
