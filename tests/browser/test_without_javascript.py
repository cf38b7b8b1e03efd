"""The site is whole without JavaScript: pages, search, ranges, adding a symbol, settings."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.visiting import visiting
from tests.sites import Site


@pytest.fixture
async def page(browser: Browser, sample_site: Site) -> AsyncIterator[Page]:
    options: dict[str, Any] = {"java_script_enabled": False}
    async with visiting(browser, sample_site.url, **options) as (page, _):
        yield page


async def test_links_lead_to_every_page(page: Page) -> None:
    await page.goto("/")
    for path in ("/jobs", "/data", "/about", "/"):
        if not await page.is_visible(f"a[href='{path}']"):
            await page.click(".more")
        await page.click(f"a[href='{path}']:visible >> nth=0")
        await page.wait_for_url(f"**{path}")
        assert await page.locator("h1").count() == 1


async def test_a_symbol_is_found_by_the_search_form(page: Page) -> None:
    await page.goto("/")
    await page.fill("#search", "ibm")
    await page.press("#search", "Enter")
    await page.wait_for_url("**/search?q=ibm")
    await page.click("li[data-symbol='IBM'] a")
    await page.wait_for_url("**/instruments/IBM")


async def test_a_range_is_chosen_by_its_button_and_kept_in_the_address(page: Page) -> None:
    await page.goto("/instruments/AAPL")
    await page.click("button[name='range'][value='5Y']")
    await page.wait_for_url("**range=5Y**")
    pressed = page.locator("button[name='range'][aria-pressed='true']")
    assert await pressed.inner_text() == "5Y"


async def test_the_last_closes_stand_where_the_chart_would_be(page: Page) -> None:
    await page.goto("/instruments/AAPL")
    assert await page.locator(".still svg polyline").count() == 1
    assert await page.locator(".still tbody tr").count() == 60


async def test_a_refused_symbol_says_why_and_keeps_what_was_typed(page: Page) -> None:
    await page.goto("/")
    await page.fill("#track-symbol", "NOPE")
    await page.click("#track button")
    assert "NOPE" in await page.inner_text("#track-error")
    assert await page.input_value("#track-symbol") == "NOPE"


async def test_the_language_can_be_changed_without_losing_the_place(page: Page) -> None:
    await page.goto("/instruments/AAPL?range=5Y")
    form = page.locator("form[action='/settings']", has=page.locator("[value='ko']")).first
    await form.locator("button").first.click()
    await expect(page.locator("html")).to_have_attribute("lang", "ko")
    assert page.url.endswith("/instruments/AAPL?range=5Y")
