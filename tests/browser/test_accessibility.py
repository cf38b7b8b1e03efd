"""axe finds nothing on any page in either theme, and nothing moves while a page loads."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser

from tests.browser.relay import relaying
from tests.browser.visiting import PAGES, Choices, all_settings, go, visiting
from tests.sites import Site

SPEC = importlib.util.find_spec("axe_playwright_python")
AXE = Path((SPEC.submodule_search_locations or [""])[0] if SPEC else "") / "axe.min.js"
RUN = """async () => (await window.axe.run({ resultTypes: ['violations'] })).violations
  .map((v) => `${v.id}: ${v.help} ${v.nodes.map((n) => n.html.slice(0, 90)).slice(0, 3)}`)"""


@pytest.mark.parametrize(("locale", "theme", "colors"), all_settings())
async def test_axe_finds_nothing(
    browser: Browser, sample_site: Site, locale: str, theme: str, colors: str
) -> None:
    """The policy is bypassed in this context, and only to bring axe in."""
    choices = Choices(locale, theme, colors, 390 if theme == "dark" else 1440)
    found: dict[str, Any] = {}
    async with visiting(browser, sample_site.url, choices, bypass_csp=True) as (page, _):
        for name, path in PAGES.items():
            await go(page, path)
            await page.add_script_tag(content=AXE.read_text(encoding="utf-8"))
            found[name] = await page.evaluate(RUN)
    assert found == {name: [] for name in PAGES}


async def watch_shifts(
    browser: Browser, url: str, pages: Mapping[str, str], width: int, **options: Any
) -> dict[str, Any]:
    """What moves while these pages load through a slow wire: what is painted in parts would."""
    moved: dict[str, Any] = {}
    async with (
        relaying(url, piece=400) as relay,
        visiting(browser, relay.url, Choices(width=width), **options) as (page, _),
    ):
        for name, path in pages.items():
            await go(page, path)
            await page.wait_for_timeout(300)
            moved[name] = await page.evaluate("window.shifts")
    return {name: shifts for name, shifts in moved.items() if shifts}


@pytest.mark.parametrize("width", [390, 1440])
async def test_nothing_moves_while_a_page_loads(
    browser: Browser, yahoo_site: Site, width: int
) -> None:
    assert await watch_shifts(browser, yahoo_site.url, PAGES, width) == {}


async def test_focus_moves_to_the_content_after_a_navigation(
    browser: Browser, sample_site: Site
) -> None:
    async with visiting(browser, sample_site.url) as (page, _):
        await go(page, "/")
        before = await page.title()
        await page.click(".more")
        await page.click("#more a[href='/jobs']")
        await page.wait_for_url("**/jobs")
        await page.wait_for_function("() => document.activeElement?.id === 'main'")
        assert await page.title() != before
