"""A portfolio from end to end in Chromium: sign up, exchange, buy, watch, sell, export, import."""

from __future__ import annotations

import json
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from playwright.async_api import Browser, Page, WebSocket

from tests.browser.members import Member
from tests.browser.test_accounts import sign_up
from tests.browser.visiting import go, visiting

TICKS = 20
ASK = """(query) => fetch('/graphql', {
  method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ query }),
}).then((answer) => answer.json()).then((answer) => answer.data)"""
PAINTED = """() => {
  const text = (name) => document.querySelector(`[data-of="AAPL"][data-p="${name}"]`)?.textContent;
  return [text('price'), text('baseUnrealisedPnl')];
}"""
MOVED = f"(before) => JSON.stringify(({PAINTED})()) !== JSON.stringify(before)"
VALUED = "{ portfolio(id: %s) { positions { symbol baseCost } } }"
HELD = "() => document.querySelector('tr[data-symbol=\"AAPL\"]')"


class Frames:
    """What the page's subscription has been told, the newest last."""

    def __init__(self, page: Page) -> None:
        self.values: list[dict[str, Any]] = []
        page.on("websocket", self._follow)

    def _follow(self, socket: WebSocket) -> None:
        socket.on("framereceived", self._take)

    def _take(self, frame: str | bytes) -> None:
        told = (json.loads(frame).get("payload") or {}).get("data") or {}
        if "portfolio" in told:
            self.values.append(told["portfolio"])

    def results(self, cost: Decimal) -> set[tuple[str, str]]:
        """Price and result as they should be painted: quantity x price x rate - cost, in won."""
        found = set()
        for value in self.values:
            for row in value["positions"]:
                if row["symbol"] == "AAPL" and row["price"] and value["fxRate"]:
                    price = Decimal(row["price"]["value"])
                    rate = Decimal(value["fxRate"]["value"])
                    result = Decimal(row["quantity"]) * price * rate - cost
                    won = result.quantize(Decimal(1), ROUND_HALF_UP)
                    found.add((f"{price:,.2f}", f"{won:+,}" if won else "0"))
        return found


async def ask(page: Page, query: str) -> Any:
    """What the API answers to who is signed in."""
    return await page.evaluate(ASK, query)


async def open_portfolio(page: Page, name: str, kind: str, capital: str) -> str:
    """Opens one by the form; its address."""
    await go(page, "/portfolios")
    await page.fill("#name", name)
    await page.check(f"input[value='{kind}']")
    await page.select_option("#baseCurrency", "KRW")
    await page.fill("#initialCapital", capital)
    await page.click("form[action='/portfolios'] button")
    await page.wait_for_function("() => /portfolios\\/\\d+$/.test(location.pathname)")
    return page.url


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


async def test_a_portfolio_is_traded_watched_exported_and_imported(
    browser: Browser, member: Member
) -> None:
    async with visiting(browser, member.site.url) as (page, watch):
        frames = Frames(page)
        await sign_up(page, "trader")
        own = await open_portfolio(page, "Practice", "PRACTICE", "20,000,000")
        number = own.rpartition("/")[2]
        opened = (await ask(page, f"{{ portfolio(id: {number}) {{ openedOn }} }}"))["portfolio"]
        await go(page, f"{own}/transactions")
        await page.select_option("#kind", "EXCHANGE")
        await page.fill("#day", opened["openedOn"])
        await page.fill("#amount", "11,000,000")
        await page.select_option("#currency", "KRW")
        await page.click("#record summary")
        await page.fill("#amountTo", "10000")
        await page.select_option("#currencyTo", "USD")
        await page.fill("#rate", "1100")
        await page.click("#record button[type='submit']")
        await page.wait_for_function("() => document.body.innerText.includes('$10,000.00')")

        await go(page, own)
        await trade(page, "#positions a[href$='/order']", "10", symbol="AAPL")
        await page.wait_for_function(HELD, timeout=30_000)  # it comes by itself once it is filled
        held = await ask(page, VALUED % number)
        cost = Decimal(held["portfolio"]["positions"][0]["baseCost"])
        seen: list[tuple[str, str]] = []
        for _ in range(TICKS):
            before = await page.evaluate(PAINTED)
            await page.wait_for_function(MOVED, arg=before, timeout=30_000)
            price, result = await page.evaluate(PAINTED)
            seen.append((price, result))
        assert [one for one in seen if one not in frames.results(cost)] == []
        assert len({result for _, result in seen}) > TICKS // 2

        await trade(page, "tr[data-symbol='AAPL'] a:has-text('Sell')", "4")
        await page.wait_for_selector("#sales tbody.group, #sales tr.group", timeout=30_000)
        assert "AAPL" in await page.inner_text("#positions")

        written = await (await page.request.get(f"{own}/export.csv")).body()
        copy = await open_portfolio(page, "Copy", "TRACKED", "")
        await go(page, f"{copy}/transactions")
        file = {"name": "sise.csv", "mimeType": "text/csv", "buffer": written}
        await page.set_input_files("#file", file)
        await page.check("[name='dryRun'][value='false']")
        await page.click("#files form[enctype] button[type='submit']")
        await page.wait_for_selector("#report")
        same = await (await page.request.get(f"{copy}/export.csv")).body()
        assert same == written
        assert watch.faults == []
