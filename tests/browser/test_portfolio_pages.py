"""The pages of portfolios with something in them: whole at every width, light, and still."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from playwright.async_api import Browser, Page

from app.config import Settings
from app.domain.transactions import PortfolioKind
from app.env import Env
from app.services.booking import now_of
from app.services.portfolios import rename_portfolio
from tests.browser.test_layout_dom import audit
from tests.browser.visiting import LOCALES, Choices, go, visiting
from tests.factories import make_dividend, make_split
from tests.graphql.asking import choose_source
from tests.holdings import BOUGHT, make_holdings, make_prices
from tests.ledgers import keep, read
from tests.people import PASSWORD, make_user
from tests.serving import served

KB = 1000
MOST = 160


@pytest.fixture
async def site(env: Env, settings: Settings) -> AsyncIterator[tuple[str, dict[str, str]]]:
    """An address, and the pages of a real account and of a simulated portfolio."""
    await choose_source(env)
    await make_prices(env)
    await make_split(env, "AAPL", BOUGHT, 2)
    await make_dividend(env, "AAPL", BOUGHT, 1)
    alice = await make_user(env)
    real = await make_holdings(env, alice, PortfolioKind.TRACKED)
    paper = await make_holdings(env, alice)
    for number, row in enumerate((real, paper)):
        await rename_portfolio(env, alice.id, str(row.id), f"{2025 + number}")
        await keep(env, alice, row, "DIVIDEND 36100 005930.KS tax 5559")
        late = now_of(env).today["KRW"] + timedelta(days=2)
        sold = replace(read("SELL 1 005930.KS @ 70100 fee 10 tax 140", late), note="2026")
        await keep(env, alice, row, sold)
    pages = {
        "portfolios": "/portfolios",
        "portfolio": f"/portfolios/{real.id}",
        "simulated": f"/portfolios/{paper.id}",
        "transactions": f"/portfolios/{real.id}/transactions",
        "order": f"/portfolios/{paper.id}/order?symbol=AAPL&side=BUY",
    }
    with served(settings) as url:
        yield url, pages


async def sign_in(page: Page) -> None:
    await go(page, "/login")
    await page.fill("#username", "alice")
    await page.fill("#password", PASSWORD)
    await page.press("#password", "Enter")
    await page.wait_for_selector(".person")


@pytest.mark.parametrize("locale", LOCALES)
async def test_pages_of_portfolios_are_whole_still_and_light(
    browser: Browser, site: tuple[str, dict[str, str]], locale: str
) -> None:
    """Bytes are counted as Chromium does on the wire, of a first visit of each page."""
    url, pages = site
    faults: list[str] = []
    async with visiting(browser, url, Choices(locale)) as (page, watch):
        await sign_in(page)
        session = await page.context.new_cdp_session(page)
        await session.send("Network.enable")
        await session.send("Network.setCacheDisabled", {"cacheDisabled": True})
        received: list[float] = []
        session.on("Network.loadingFinished", lambda e: received.append(e["encodedDataLength"]))
        for name, path in pages.items():
            received.clear()
            await go(page, path)
            await page.wait_for_timeout(300)
            assert 0 < sum(received) <= MOST * KB, (name, sum(received))
            faults += [f"{name}: {moved}" for moved in await page.evaluate("window.shifts")]
            faults += await audit(page, name)
        assert faults + watch.faults == []
