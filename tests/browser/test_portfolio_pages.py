"""The pages of portfolios with something in them: whole at every width, light, and still."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from playwright.async_api import Browser, Page, Route

from app.config import Settings
from app.domain.transactions import PortfolioKind
from app.env import Env
from app.services.people.users import UserRow
from app.services.portfolio.booking import now_of
from app.services.portfolio.portfolios import PortfolioRow, rename_portfolio
from tests.browser.inspecting import audit
from tests.browser.relay import relaying
from tests.browser.visiting import Choices, go, sign_in, visiting
from tests.factories import make_dividend, make_instrument, make_split
from tests.graphql.asking import choose_source
from tests.holdings import BOUGHT, make_holdings, make_prices
from tests.ledgers import keep, read
from tests.people import make_user
from tests.serving import served

KB = 1000
MOST = 160
MOST_OF_A_DIALOG = 10

SORTED = """() => [...document.querySelectorAll('#positions tbody tr')].map((row) => row.dataset.symbol)"""


@dataclass(frozen=True)
class Shown:
    """An address, and the pages of a real account and of a simulated portfolio."""

    url: str
    pages: dict[str, str]
    user: UserRow
    real: PortfolioRow


@pytest.fixture
async def site(env: Env, settings: Settings) -> AsyncIterator[Shown]:
    """Both portfolios hold Apple and Samsung."""
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
        yield Shown(url, pages, alice, real)


@pytest.mark.parametrize(("locale", "width"), [("ko", 390), ("en", 1440)])
async def test_pages_of_portfolios_are_whole_still_and_light(
    browser: Browser, site: Shown, locale: str, width: int
) -> None:
    """Through a slow wire, where what is painted in parts would move.

    Bytes are counted as Chromium does on the wire, of a first visit of each page.
    """
    faults: list[str] = []
    async with (
        relaying(site.url, piece=400) as relay,
        visiting(browser, relay.url, Choices(locale, width=width)) as (page, watch),
    ):
        await sign_in(page)
        session = await page.context.new_cdp_session(page)
        await session.send("Network.enable")
        await session.send("Network.setCacheDisabled", {"cacheDisabled": True})
        received: list[float] = []
        session.on("Network.loadingFinished", lambda e: received.append(e["encodedDataLength"]))
        for name, path in site.pages.items():
            received.clear()
            await page.set_viewport_size({"width": width, "height": 900})
            await go(page, path)
            await page.wait_for_timeout(300)
            assert 0 < sum(received) <= MOST * KB, (name, sum(received))
            faults += [f"{name}: {moved}" for moved in await page.evaluate("window.shifts")]
            faults += await audit(page, name)
        faults += await open_ticket(page, site.pages["simulated"], received)
        assert faults + watch.faults == []


async def open_ticket(page: Page, path: str, received: list[float]) -> list[str]:
    """What is wrong with the dialog of an order: its weight, what moves behind it, its layout."""
    await go(page, path)
    await page.wait_for_timeout(300)
    await page.evaluate("window.shifts = []")
    received.clear()
    await page.click("tr[data-symbol='AAPL'] .row-order")
    await page.wait_for_selector("#dialog[open] #ticket")
    await page.wait_for_timeout(300)
    assert 0 < sum(received) <= MOST_OF_A_DIALOG * KB, sum(received)
    moved = [f"ticket: {one}" for one in await page.evaluate("window.shifts")]
    return moved + [one for one in await audit(page, "ticket") if "text over text" not in one]


async def test_a_table_stays_as_it_was_sorted_when_something_is_bought(
    browser: Browser, site: Shown, env: Env
) -> None:
    """The order, the division of the donut, and the address are those that were chosen last."""
    await make_instrument(env, "MSFT", name="Microsoft")
    async with visiting(browser, site.url) as (page, watch):
        await sign_in(page)
        await go(page, site.pages["portfolio"])
        assert await page.evaluate(SORTED) == ["AAPL", "005930.KS"]
        await page.click("#positions .sorter:has-text('Instrument')")
        await page.wait_for_selector("#positions th[aria-sort='ascending']")
        assert await page.evaluate("document.activeElement.className") == "sorter"
        await page.click("#positions .sorter:has-text('Instrument')")
        await page.wait_for_selector("#positions th[aria-sort='descending'] :text('Instrument')")
        await page.click("#allocation a:has-text('Currency')")
        await page.wait_for_selector("#allocation a[aria-current]:has-text('Currency')")
        assert await page.evaluate(SORTED) == ["005930.KS", "AAPL"]
        assert page.url.endswith("?sort=name&by=CURRENCY")
        await keep(env, site.user, site.real, read("BUY 1 MSFT @ 100", currency="USD"))
        await page.wait_for_selector("tr[data-symbol='MSFT']")
        assert await page.evaluate(SORTED) == ["005930.KS", "MSFT", "AAPL"]
        assert await page.locator("#allocation [aria-current]").inner_text() == "Currency"
        assert watch.faults == []


async def test_tables_whose_answer_was_lost_are_asked_for_again(
    browser: Browser, site: Shown, env: Env
) -> None:
    """Once without an answer, once with one that says no."""
    lost: list[str] = []

    async def lose(route: Route) -> None:
        lost.append(route.request.url)
        await (route.abort() if len(lost) == 1 else route.fulfill(status=503))

    for symbol in ("MSFT", "GOOG"):
        await make_instrument(env, symbol)
    async with visiting(browser, site.url) as (page, _):
        await sign_in(page)
        await go(page, site.pages["portfolio"])
        for symbol in ("MSFT", "GOOG"):
            await page.route(site.url + site.pages["portfolio"], lose, times=1)
            await keep(env, site.user, site.real, read(f"BUY 1 {symbol} @ 100", currency="USD"))
            await page.wait_for_selector(f"tr[data-symbol='{symbol}']")
        assert len(lost) == 2
        assert await page.locator("#positions tr[data-quantity]").count() == 4


async def test_a_fall_that_rounds_to_nothing_has_no_sign(browser: Browser, site: Shown) -> None:
    """In the legend of the equity."""
    async with visiting(browser, site.url) as (page, _):
        await go(page, "/login")
        written = (
            "import('/static/chart-data.js').then((m) => [-0.04, -0.06].map((v) => m.format(v, 1)))"
        )
        assert await page.evaluate(written) == ["0.0", "-0.1"]
