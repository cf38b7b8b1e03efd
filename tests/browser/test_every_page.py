"""Every page: whole at every width, clean for axe, quiet in the console, and still while it loads."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser

from tests.browser.inspecting import ask_axe, audit, watch_shifts
from tests.browser.visiting import HEIGHTS, PAGES, Choices, all_settings, go, visiting
from tests.sites import Site

CHOSEN = "(({ lang, dataset: d }) => [lang, d.theme, d.colors])(document.documentElement)"
LIVE = "() => document.getElementById('connection').dataset.state === 'live'"


@pytest.mark.parametrize(("locale", "theme", "colors"), all_settings())
async def test_every_page_is_whole_clean_and_quiet(
    browser: Browser, sample_site: Site, locale: str, theme: str, colors: str
) -> None:
    """Quiet: no error, no report of the content policy, no request to another host."""
    found: dict[str, list[str]] = {}
    choices = Choices(locale, theme, colors)
    async with visiting(browser, sample_site.url, choices) as (page, watch):
        for number, (name, path) in enumerate(PAGES.items()):
            width = 390 if number % 2 == (theme == "dark") else 1440
            await page.set_viewport_size({"width": width, "height": HEIGHTS[width]})
            await go(page, path)
            assert await page.evaluate(CHOSEN) == [locale, theme, colors]
            await page.wait_for_function(LIVE)
            faults = await audit(page, name)
            faults += await ask_axe(page, name, theme, 390 if theme == "dark" else 1440)
            expected = [f for f in watch.faults if name == "missing" and "status of 404" in f]
            assert watch.faults == expected, name
            found[name] = faults + await page.evaluate("window.violations")
            watch.faults.clear()
    assert found == {name: [] for name in PAGES}


@pytest.mark.parametrize("width", [390, 1440])
async def test_nothing_moves_while_a_page_loads(
    browser: Browser, yahoo_site: Site, width: int
) -> None:
    assert await watch_shifts(browser, yahoo_site.url, PAGES, width) == {}
