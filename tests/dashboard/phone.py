"""Pages on a phone: in both themes nothing of them is cut off or scrolls sideways."""

from typing import Final

from playwright.async_api import Browser, Page, expect

from tests.dashboard.visiting import visit

WIDTH: Final = 390
_OTHER: Final = {"light": "dark", "dark": "light"}


async def phone_page(browser: Browser) -> Page:
    """A page as wide as a phone."""
    return await browser.new_page(viewport={"width": WIDTH, "height": 800}, color_scheme="light")


async def fit_a_phone(browser: Browser, url: str, *paths: str) -> None:
    """Each of these pages, with its way to the others in sight."""
    page = await phone_page(browser)
    for number, path in enumerate(paths):
        before = await page.title()
        await (visit(page, url + path) if number else page.goto(url + path))
        await expect(page).not_to_have_title(before)  # it comes with what is on the page
        await expect(page.locator("h1")).to_be_visible()
        await expect(page.locator("#nav-alerts")).to_be_in_viewport(ratio=1)
        await fits_in_both_themes(page)
    await page.close()


async def fits_in_both_themes(page: Page, width: int = WIDTH) -> None:
    """The page in the theme that it is in, and in the other; back in the first in the end."""
    for _ in _OTHER:
        scheme = await page.locator("html").get_attribute("data-mantine-color-scheme")
        assert await page.evaluate("document.documentElement.scrollWidth") == width
        await page.click("#theme-toggle")
        other = _OTHER[scheme or ""]
        await expect(page.locator("html")).to_have_attribute("data-mantine-color-scheme", other)
