"""An alert from the chart to the bell: a click sets the price, a replayed tick fires it, the page tells."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Browser, Page

from tests.browser.inspecting import ask_axe, audit
from tests.browser.members import Member
from tests.browser.visiting import go, visiting

PRICE = "#main [data-q='AAPL'][data-f='price']"
HEIGHT_OF = """(part) => {
  const view = document.querySelector('stock-chart');
  const price = Number(document.querySelector("[data-q='AAPL'][data-f='price']").textContent) * part;
  const box = view.getBoundingClientRect();
  return [box.x + box.width / 3, box.y + view.series.get('price').priceToCoordinate(price), price];
}"""
NOTE = """() => {
  window.told = null;
  new MutationObserver(() => {
    const line = document.querySelector('#status a');
    if (line && !window.told) window.told = { text: line.textContent, at: Date.now() };
  }).observe(document.getElementById('status'), { childList: true });
}"""
ASK = """async ([query, variables]) => (await (await fetch('/graphql', {
  method: 'POST', headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify({ query, variables }),
})).json()).data"""
SAVE = "mutation ($i: AlertRuleInput!) { saveAlertRule(input: $i) { id armed } }"
NEWEST = "{ alerts(first: 1) { edges { node { createdAt sentence } } } alertRules { id } }"
CLEAR = "mutation ($id: ID!) { deleteAlertRule(id: $id) }"
ABOVE, BELOW = 1.02, 0.98  # of the price: further than it goes while the alert is being made
WITHIN = 20.0  # seconds; ten times the promise


@pytest.fixture
async def page(browser: Browser, member: Member) -> Any:
    async with visiting(browser, member.site.url, storage_state=member.state) as (page, _):
        yield page


async def set_from_chart(page: Page) -> float:
    """Clicks the chart a little above the newest price and makes the alert; its level."""
    x, y, wanted = await page.evaluate(HEIGHT_OF, ABOVE)
    await page.mouse.click(x, y)
    button = page.locator("form[data-alert-at] button")
    assert "Alert at" in await button.inner_text()
    await button.click()
    level = page.locator("#dialog #rule-level")
    await level.wait_for()
    chosen = float(await level.input_value())
    assert chosen == pytest.approx(wanted, rel=0.01)
    await page.click("#dialog button.primary")
    await page.locator("#dialog #made-title").wait_for()
    return chosen


async def test_a_price_of_the_chart_becomes_an_alert_that_the_page_tells(page: Page) -> None:
    before = await go_to_instrument(page)
    level = await set_from_chart(page)
    await page.evaluate(NOTE)
    below = {"kind": "PRICE_BELOW", "symbol": "AAPL", "level": f"{level / ABOVE * BELOW:.2f}"}
    await page.evaluate(ASK, [SAVE, {"i": below}])  # whichever way the recorded price goes
    await page.wait_for_function("() => window.told !== null", timeout=90_000)
    told = await page.evaluate("window.told")
    found = await page.evaluate(ASK, [NEWEST, {}])
    node = found["alerts"]["edges"][0]["node"]
    stored = await page.evaluate("(text) => Date.parse(text)", node["createdAt"])
    print(f"\nstored to shown: {(told['at'] - stored) / 1000:.2f} s")
    assert (told["at"] - stored) / 1000 < WITHIN
    assert "AAPL" in told["text"] or "Apple" in told["text"]
    assert int(await page.get_attribute("[data-bell]", "data-bell") or 0) > before
    await page.keyboard.press("Escape")
    await page.click("[data-bell]")
    await page.wait_for_url("**/alerts")
    assert told["text"] in await page.inner_text("#history")
    for rule in found["alertRules"]:
        await page.evaluate(ASK, [CLEAR, {"id": rule["id"]}])
    await page.click("#history button[value='all']")
    await page.wait_for_function("() => document.querySelector('[data-bell]').dataset.bell === '0'")


async def go_to_instrument(page: Page) -> int:
    """The page of AAPL with its prices moving; how many alerts are unread."""
    await go(page, "/instruments/AAPL")
    await page.locator("#connection[data-state='live']").wait_for()
    return int(await page.get_attribute("[data-bell]", "data-bell") or 0)


async def test_the_page_works_without_javascript(browser: Browser, member: Member) -> None:
    options: dict[str, Any] = {"java_script_enabled": False, "storage_state": member.state}
    async with visiting(browser, member.site.url, **options) as (page, _):
        await page.goto("/instruments/AAPL")
        await page.click("form[data-alert-at] button")
        await page.fill("#rule-level", "77777")
        await page.click("#new button.primary")
        await page.wait_for_url("**/alerts#rules")
        assert "77,777.00" in await page.inner_text("#rules")
        row = page.locator("#rules li", has_text="77,777.00")
        await row.locator("a.button").click()
        await page.wait_for_url("**/alerts?edit=*")
        edited = page.url
        await page.fill("#rule-level", "88888")
        await page.click("#new button.primary")
        row = page.locator("#rules li", has_text="88,888.00")
        async with page.expect_navigation():
            await row.locator("[value=pause]").click()
        assert "paused" in await row.inner_text()
        async with page.expect_navigation():
            await row.locator("[value=resume]").click()
        assert "paused" not in await row.inner_text()
    options = {"storage_state": member.state}
    async with visiting(browser, member.site.url, **options) as (page, _):
        await go(page, edited)
        assert await audit(page, "edit") == []
        assert await ask_axe(page, "edit", "light", 1440) == []
        await page.locator("#rules li", has_text="88,888.00").locator("[value=delete]").click()
        await page.wait_for_function("() => location.pathname === '/alerts' && !location.search")
        assert "88,888.00" not in await page.inner_text("#rules")
