"""The pages on data with every state in them: their layout, and decisions with and without htmx."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from playwright.async_api import Browser
from sqlalchemy import text

from app.config import Settings
from app.env import Env
from tests.browser.inspecting import ask_axe, audit
from tests.browser.visiting import LOCALES, Choices, go, visiting
from tests.clocks import StillClock
from tests.serving import served
from tests.showcase import HELD, NOW, make_showcase

PATHS = (
    "/data",
    "/data?rows=MENDED",
    "/data?state=LATE",
    "/instruments/AAPL/data",
    "/instruments/000660.KS/data",
    "/instruments/AAPL",
    "/jobs",
    "/",
    "/search?q=Filler",
)


@pytest.fixture
async def site(env: Env, settings: Settings) -> AsyncIterator[str]:
    """The address of an installation in which every state is there."""
    await make_showcase(env, more=35)
    with served(replace(settings, clock=StillClock(start=NOW))) as url:
        yield url


@pytest.mark.parametrize("locale", LOCALES)
async def test_pages_in_which_every_state_is_shown_are_whole(
    browser: Browser, site: str, locale: str
) -> None:
    faults: list[str] = []
    theme, colors, width = ("dark", "kr", 390) if locale == "ko" else ("light", "us", 1440)
    async with visiting(browser, site, Choices(locale, theme, colors)) as (page, watch):
        for path in PATHS:
            await go(page, path)
            faults += await audit(page, path)
            if path in PATHS[:5]:
                faults += await ask_axe(page, path, theme, width)
        assert faults + watch.faults == []


async def test_a_decision_takes_the_row_away_and_leaves_the_page_where_it_is(
    browser: Browser, env: Env, site: str
) -> None:
    async with visiting(browser, site) as (page, watch):
        await go(page, "/data")
        assert await page.locator(".held").count() == len(HELD)
        await page.evaluate("window.kept = true")
        card = page.locator(".held", has_text="High and low contradict")
        await card.get_by_role("button", name="Drop").click()
        await card.wait_for(state="detached")
        assert await page.locator(".held").count() == len(HELD) - 1
        assert page.url.endswith("/data")
        assert await page.evaluate("window.kept") is True
        assert watch.faults == []
    async with env.db.read() as db:
        query = text(
            "SELECT symbol FROM quarantine WHERE state = 'DROPPED' AND reason = 'UNORDERED'"
        )
        assert await db.scalar(query) == "AAPL"


async def test_a_decision_that_comes_too_late_says_so_in_its_panel(
    browser: Browser, env: Env, site: str
) -> None:
    async with visiting(browser, site) as (page, _):
        await go(page, "/instruments/AAPL/data")
        async with env.db.write() as db:
            await db.execute(text("UPDATE quarantine SET state = 'MENDED' WHERE state = 'HELD'"))
        await page.locator(".held").first.get_by_role("button", name="Drop").click()
        await page.wait_for_selector("#quarantine [role='alert']")
        assert "not held any more" in await page.inner_text("#quarantine [role='alert']")
        assert await page.locator("#revisions").count() == 1


async def test_without_javascript_a_decision_leads_back_to_the_page(
    browser: Browser, site: str
) -> None:
    async with visiting(browser, site, java_script_enabled=False) as (page, _):
        await page.goto("/instruments/AAPL/data")
        async with page.expect_navigation():
            await page.locator(".held").first.get_by_role("button", name="Drop").click()
        assert page.url.endswith("/instruments/AAPL/data")
        assert await page.locator(".held [data-quarantine='DROPPED']").count() == 1


async def test_a_list_goes_on_in_its_own_panel(browser: Browser, site: str) -> None:
    async with visiting(browser, site) as (page, _):
        await go(page, "/data")
        first = await page.locator("#freshness tbody tr[data-symbol]").first.inner_text()
        await page.click("#freshness .pager a")
        await page.wait_for_url("**/data?after=*")
        await page.wait_for_selector("#freshness .pager >> text=From the start")
        assert await page.locator("#freshness tbody tr[data-symbol]").first.inner_text() != first
        assert await page.locator(".held").count() == len(HELD)
