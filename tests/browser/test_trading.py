"""A portfolio from end to end in Chromium: exchange, buy, watch, sell, export, import."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from playwright.async_api import Browser, Page, WebSocket

from tests.browser.members import Member
from tests.browser.test_accounts import sign_up
from tests.browser.visiting import go, visiting

TICKS = 20
SPAN = 60
"""Replayed days that the story has to itself, before the replay begins again."""

ASK = """(query) => fetch('/graphql', {
  method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ query }),
}).then((answer) => answer.json()).then((answer) => answer.data)"""
PAINTED = """() => {
  const text = (cell) => document.querySelector(cell)?.textContent;
  return [text('[data-p="fxRate"]'), ...['price', 'baseValue', 'baseUnrealisedPnl'].map(
    (name) => text(`[data-of="AAPL"][data-p="${name}"]`))];
}"""
MOVED = f"(before) => JSON.stringify(({PAINTED})()) !== before"
BOUGHT = """{ portfolio(id: %s) {
  transactions(first: 1, kind: BUY) { edges { node { day quantity price amount } } } } }"""


@dataclass(frozen=True)
class Bought:
    """What was bought, and what it has cost in won: exact, by the stored rate of its day."""

    quantity: Decimal
    cost: Decimal

    def paint(self, value: dict[str, Any]) -> tuple[str, ...] | None:
        """Rate, price, value and result as the page has to show them for a frame."""
        row = next((one for one in value["positions"] if one["symbol"] == "AAPL"), None)
        if row is None or not row["price"] or not value["fxRate"]:
            return None
        price, rate = Decimal(row["price"]["value"]), Decimal(value["fxRate"]["value"])
        worth = self.quantity * price * rate
        result = rounded(worth - self.cost, 0)
        signed = f"{result:+,}" if result else "0"
        cells = rounded(rate, 2), rounded(price, 2), rounded(worth, 0)
        return f"{cells[0]:,}", f"{cells[1]:,}", f"₩{cells[2]:,}", signed


class Frames:
    """What the page's subscription has been told."""

    def __init__(self, page: Page) -> None:
        self.values: list[dict[str, Any]] = []
        page.on("websocket", self._follow)

    def _follow(self, socket: WebSocket) -> None:
        socket.on("framereceived", self._take)

    def _take(self, frame: str | bytes) -> None:
        told = (json.loads(frame).get("payload") or {}).get("data") or {}
        if "portfolio" in told:
            self.values.append(told["portfolio"])


def rounded(figure: Decimal, digits: int) -> Decimal:
    """The figure with so many decimals, half up."""
    return figure.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)


async def ask(page: Page, query: str) -> Any:
    """What the API answers to who is signed in."""
    return await page.evaluate(ASK, query)


async def wait_for_time(page: Page) -> None:
    """Returns when the replay will not begin again for a while."""
    while True:
        source = (await ask(page, "{ source { replayDay lastDay } }"))["source"]
        days = (date.fromisoformat(source[name]) for name in ("lastDay", "replayDay"))
        if (next(days) - next(days)).days > SPAN:
            return
        await page.wait_for_timeout(1000)


async def open_portfolio(page: Page, name: str, kind: str, capital: str) -> str:
    """Opens one in won by the form; its address."""
    await go(page, "/portfolios")
    await page.fill("#name", name)
    await page.check(f"input[value='{kind}']")
    await page.select_option("#baseCurrency", "KRW")
    await page.fill("#initialCapital", capital)
    await page.click("form[action='/portfolios'] button")
    await page.wait_for_function("() => /portfolios\\/\\d+$/.test(location.pathname)")
    return page.url


async def exchange(page: Page, own: str, won: str, dollars: str, rate: str) -> None:
    """Records an exchange of the day on which the portfolio was opened."""
    query = f"{{ portfolio(id: {own.rpartition('/')[2]}) {{ openedOn }} }}"
    day = (await ask(page, query))["portfolio"]["openedOn"]
    await go(page, f"{own}/transactions")
    await page.select_option("#kind", "EXCHANGE")
    await page.fill("#day", day)
    await page.fill("#amount", won)
    await page.select_option("#currency", "KRW")
    await page.click("#record summary")
    await page.fill("#amountTo", dollars)
    await page.select_option("#currencyTo", "USD")
    await page.fill("#rate", rate)
    await page.click("#record button[type='submit']")
    await page.wait_for_function("() => document.body.innerText.includes('$10,000.00')")


async def trade(page: Page, button: str, quantity: str, symbol: str = "") -> None:
    """Orders by the dialog that a button opens."""
    await page.click(button)
    await page.wait_for_selector("#dialog[open]")
    if symbol:
        await page.fill("#dialog #symbol", symbol)
    await page.fill("#dialog #quantity", quantity)
    await page.click("#dialog #ticket button[type='submit']")
    await page.click("#dialog #preview button[name='place']")
    await page.wait_for_selector("#dialog #placed-title")
    await page.click("#dialog [data-closes]")


async def find_tickets(browser: Browser, page: Page) -> None:
    """The ticket opens from an instrument and from both watchlists, without JavaScript as a page."""
    ticket = "main a[href='/order?symbol=MSFT&side=BUY']"
    await go(page, "/watchlists?symbol=MSFT")
    await page.fill("#name", "Tickets")
    await page.click("main form button.primary")
    await page.wait_for_selector(".ordered tr[data-symbol='MSFT']")
    own = page.url
    for address in (own, "/", "/instruments/MSFT"):
        await go(page, address)
        await page.click(ticket)
        await page.wait_for_selector("#dialog[open] #ticket")
        assert await page.input_value("#dialog #symbol") == "MSFT"
        await page.click("#dialog [data-closes]")
    state = await page.context.storage_state()
    async with visiting(browser, own, java_script_enabled=False, storage_state=state) as (plain, _):
        await plain.goto(own)
        await plain.click(ticket)
        assert await plain.input_value("#ticket #symbol") == "MSFT"


async def find_bought(page: Page, own: str) -> Bought:
    """The purchase, with its cost by the rate that is stored for its day."""
    found = await ask(page, BOUGHT % own.rpartition("/")[2])
    (edge,) = found["portfolio"]["transactions"]["edges"]
    row = edge["node"]
    day = f'fxRate(base: "USD", quote: "KRW", on: "{row["day"]}")'
    rate = Decimal((await ask(page, f"{{ {day} {{ rate }} }}"))["fxRate"]["rate"])
    assert Decimal(row["quantity"]) * Decimal(row["price"]) == Decimal(row["amount"])
    return Bought(Decimal(row["quantity"]), Decimal(row["amount"]) * rate)


async def watch_ticks(page: Page) -> list[tuple[str, ...]]:
    """What the page shows after each of the next changes, all cells read at one instant."""
    seen: list[tuple[str, ...]] = []
    for _ in range(TICKS):
        before = await page.evaluate(f"() => JSON.stringify(({PAINTED})())")
        await page.wait_for_function(MOVED, arg=before, timeout=30_000)
        seen.append(tuple(await page.evaluate(PAINTED)))
    return seen


async def test_a_portfolio_is_traded_watched_exported_and_imported(
    browser: Browser, member: Member
) -> None:
    """For 20 ticks value and result are quantity x price x rate (- cost), to the won."""
    async with visiting(browser, member.site.url) as (page, watch):
        frames = Frames(page)
        await sign_up(page, "trader")
        await wait_for_time(page)
        own = await open_portfolio(page, "Practice", "PRACTICE", "20,000,000")
        await exchange(page, own, "11,000,000", "10000", "1100")

        await go(page, own)
        await trade(page, "#positions a[href$='/order']", "10", symbol="AAPL")
        await page.wait_for_selector("tr[data-symbol='AAPL']")  # by itself, once it is filled
        bought = await find_bought(page, own)
        seen = await watch_ticks(page)
        right = {bought.paint(value) for value in frames.values}
        assert [one for one in seen if one not in right] == []
        assert len({result for *_, result in seen}) > TICKS // 2

        await trade(page, "tr[data-symbol='AAPL'] a:has-text('Sell')", "4")
        await page.wait_for_selector("#sales tbody tr:has-text('Apple') .amount:has-text('4')")
        await page.wait_for_selector("tr[data-symbol='AAPL'][data-quantity='6']")

        await find_tickets(browser, page)

        written = await (await page.request.get(f"{own}/export.csv")).body()
        copy = await open_portfolio(page, "Copy", "TRACKED", "")
        await go(page, f"{copy}/transactions")
        file = {"name": "sise.csv", "mimeType": "text/csv", "buffer": written}
        await page.set_input_files("#file", file)
        await page.check("[name='dryRun'][value='false']")
        await page.click("#files form[enctype] button[type='submit']")
        await page.wait_for_selector("#report")
        assert await (await page.request.get(f"{copy}/export.csv")).body() == written
        assert watch.faults == []
