"""Recommendations in Chromium: reasons opened on demand, whole at every width, nothing for axe."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser

from app.config import Settings
from app.domain.recommend.markets import MarketKey
from app.env import Env
from app.services.recommend_issue import issue
from tests.browser.test_accessibility import AXE, RUN
from tests.browser.test_layout_dom import audit
from tests.browser.visiting import LOCALES, Choices, go, visiting
from tests.recommending import make_market
from tests.serving import served

PATHS = (
    "/recommendations",
    "/recommendations?market=US",
    "/track-record",
    "/instruments/AAPL",
    "/",
)


@pytest.fixture
async def site(env: Env, settings: Settings) -> AsyncIterator[str]:
    """The address of an installation with a market, its record, and a day that was issued."""
    await make_market(env)
    await issue(env, MarketKey.US)
    with served(settings) as url:
        yield url


async def test_the_reasons_of_a_recommendation_are_opened_by_keyboard_and_by_mouse(
    browser: Browser, site: str
) -> None:
    async with visiting(browser, site) as (page, watch):
        await go(page, "/")
        await page.click("#recommendations .panel-head a")
        await page.wait_for_url("**/recommendations")
        first = page.locator("details.reasons").first
        assert not await first.locator("li").first.is_visible()
        await first.locator("summary").focus()
        await page.keyboard.press("Enter")
        assert await first.locator("li").first.is_visible()
        second = page.locator("details.reasons").nth(1)
        await second.locator("summary").click()
        assert len(await second.locator("li").all_inner_texts()) >= 2
        assert watch.faults == []
    async with visiting(browser, site, java_script_enabled=False) as (page, _):
        await page.goto("/recommendations")
        await page.locator("details.reasons summary").first.click()
        assert await page.locator("details.reasons li").first.is_visible()


@pytest.mark.parametrize("locale", LOCALES)
async def test_the_pages_are_whole_and_axe_finds_nothing(
    browser: Browser, site: str, locale: str
) -> None:
    faults: list[str] = []
    theme, width = ("dark", 390) if locale == "ko" else ("light", 1440)
    choices = Choices(locale, theme, width=width)
    async with visiting(browser, site, choices) as (page, watch):
        for path in PATHS:
            await go(page, path)
            for summary in await page.locator("main summary").all():
                await summary.click()
            faults += await audit(page, path)
        assert faults + watch.faults == [], "\n".join(faults)
    async with visiting(browser, site, choices, bypass_csp=True) as (page, _):
        for path in PATHS:
            await go(page, path)
            await page.add_script_tag(content=AXE.read_text(encoding="utf-8"))
            faults += await page.evaluate(RUN)
    assert faults == []
