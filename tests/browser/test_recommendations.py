"""Recommendations in Chromium: reasons opened on demand, whole at every width, nothing for axe."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, expect
from sqlalchemy import text

from app.config import Settings
from app.domain.recommend.markets import MarketKey
from app.env import Env
from app.services.recommend.recommend_issue import issue
from app.services.signals.signal_worth import refresh_worth
from tests.browser.inspecting import ask_axe, audit, watch_shifts
from tests.browser.visiting import LOCALES, Choices, go, sign_in, visiting
from tests.ledgers import keep, make_portfolio
from tests.people import make_user
from tests.recommending import make_market
from tests.serving import served
from tests.trust_rows import make_job

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


@pytest.mark.parametrize("width", [390, 1440])
async def test_nothing_moves_on_the_pages_of_somebody_who_has_signed_in(
    browser: Browser, env: Env, site: str, width: int
) -> None:
    """Portfolios, strong signals and recommendations are there when the dashboard is painted."""
    alice = await make_user(env)
    portfolio = await make_portfolio(env, alice, currency="USD")
    await keep(env, alice, portfolio, "DEPOSIT 10000")
    async with env.db.write() as db:
        await db.execute(text("UPDATE signal SET strength = 2"))
        await db.execute(text("UPDATE screen_row SET strength = 2"))
    async with visiting(browser, site) as (page, _):
        await sign_in(page)
        for part in (".portfolio-strip", "#strong-signals tbody tr", "#recommendations tbody tr"):
            assert await page.locator(part).count()
        state = await page.context.storage_state()
    pages = dict(zip(PATHS, PATHS, strict=True)) | {"/signals": "/signals"}
    assert await watch_shifts(browser, site, pages, width, storage_state=state) == {}


@pytest.mark.parametrize("locale", LOCALES)
async def test_a_first_computation_has_a_bar_and_the_page_comes_by_itself(
    browser: Browser, env: Env, settings: Settings, locale: str
) -> None:
    await make_market(env)
    now = env.clock.now()
    await make_job(env, "AAPL", "DONE", due_at=now, done_at=now, attempts=1)
    await make_job(env, "MSFT", "PENDING", due_at=now)
    theme, width = ("light", 390) if locale == "ko" else ("dark", 1440)
    choices = Choices(locale, theme, width=width)
    with served(settings) as url:
        async with visiting(browser, url, choices) as (page, watch):
            await go(page, "/recommendations")
            assert await page.locator("#under-way progress").count() == 3
            assert await audit(page, "/recommendations") == []
            assert await ask_axe(page, "/recommendations", theme, width) == []
            async with env.db.write() as db:
                await db.execute(text("DELETE FROM job WHERE symbol = 'MSFT'"))
            await expect(page.locator("#under-way progress")).to_have_count(2, timeout=60_000)
            await refresh_worth(env)
            await issue(env, MarketKey.US)
            await page.wait_for_selector("#market-US")
            assert await page.locator("#under-way").count() == 0
            assert page.url == f"{url}/recommendations"
            assert watch.faults == []


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
            faults += await ask_axe(page, path, theme, width)
        assert faults + watch.faults == [], "\n".join(faults)
