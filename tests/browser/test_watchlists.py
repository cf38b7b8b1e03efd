"""A watchlist in a real browser: pasted, put in order by pointer and keys, live, and on a phone."""

from __future__ import annotations

from itertools import count

import pytest
from playwright.async_api import Page, expect

from tests.browser.members import Member
from tests.browser.visiting import Choices, go, ready, visiting

NUMBERS = count(1)


@pytest.fixture
def site(member: Member) -> str:
    """The address of the installation in which somebody has signed in."""
    return member.site.url


async def make_list(page: Page, symbols: str = "AAPL IBM MSFT GOOG") -> str:
    """A new list by the forms of the pages; its address."""
    await page.goto("/watchlists")
    await page.fill("#name", f"List {next(NUMBERS)}")
    await page.click("main form button.primary")
    await page.wait_for_url("**/watchlists/*")
    await page.fill("#symbols", symbols)
    await page.click("#paste button")
    await page.wait_for_selector("table.ordered")
    return page.url


async def order(page: Page) -> list[str]:
    """The symbols in the order that is seen."""
    return await page.eval_on_selector_all(
        ".ordered tbody tr", "(rows) => rows.map((row) => row.dataset.symbol)"
    )


async def shows(page: Page, *symbols: str) -> None:
    """Waits for the page with these symbols in this order, which a button's form leads to."""
    await expect(page.locator(".ordered tbody th .code")).to_have_text(list(symbols))


async def order_kept(page: Page, *symbols: str) -> None:
    """The order is this one, and still is once the page was loaded anew."""
    assert await order(page) == list(symbols)
    await page.wait_for_load_state("networkidle")
    await page.reload()
    assert await order(page) == list(symbols)


async def test_a_list_is_pasted_put_in_order_and_follows_the_prices(browser, member, site):
    async with visiting(browser, site, storage_state=member.state) as (page, watch):
        await make_list(page, "AAPL, IBM\nMSFT GOOG NOPE")
        assert "NOPE" in await page.inner_text("#report")
        assert await page.input_value("#symbols") == "NOPE"
        await page.goto(page.url)
        await ready(page)
        assert await page.locator(".ordered .sparkline polyline").count() == 4

        handle = page.locator("tr[data-symbol=GOOG] button.handle")
        box, top = await handle.bounding_box(), await page.locator(".ordered tbody").bounding_box()
        assert box is not None
        assert top is not None
        await page.mouse.move(box["x"] + 10, box["y"] + 10)
        await page.mouse.down()
        await page.mouse.move(box["x"] + 10, top["y"] + 60, steps=5)
        await page.mouse.move(box["x"] + 10, top["y"] + 2, steps=5)
        await page.mouse.up()
        await order_kept(page, "GOOG", "AAPL", "IBM", "MSFT")

        await page.focus("tr[data-symbol=GOOG] button.handle")
        for key in ("ArrowDown", "ArrowDown", "ArrowUp"):
            await page.keyboard.press(key)
        assert await page.evaluate("document.activeElement.closest('tr').dataset.symbol") == "GOOG"
        assert await page.inner_text("#status") == "GOOG: place 2 of 4"
        await page.keyboard.press("End")
        await page.keyboard.press("ArrowDown")  # at the end it stays
        await page.click("tr[data-symbol=MSFT] [data-act=up]")
        await order_kept(page, "AAPL", "MSFT", "IBM", "GOOG")

        await page.wait_for_selector(".ordered .price[data-tick]")  # the replay goes on
        assert watch.faults == []
        assert await page.evaluate("window.violations") == []

        await page.click("text=Show on the dashboard")
        await page.wait_for_url("**/?watchlist=*")
        shown = await page.eval_on_selector_all(
            ".watchlist tbody tr", "(rows) => rows.map((row) => row.dataset.symbol)"
        )
        assert shown == ["AAPL", "MSFT", "IBM", "GOOG"]
        await page.select_option("select[name=watchlist]", "")
        await page.wait_for_selector("tr[data-symbol='FB'], tr[data-symbol='^KS11']")


async def test_an_order_that_the_server_refuses_gives_way_to_what_is_there(browser, member, site):
    async with visiting(browser, site, storage_state=member.state) as (page, _):
        address = await make_list(page)
        async with visiting(browser, site, storage_state=member.state) as (other, _):
            await other.goto(f"{address}?edit=1")
            await other.click("tr[data-symbol=AAPL] [data-act=take]")
            await other.wait_for_url("**taken=AAPL")
        await page.focus("tr[data-symbol=AAPL] button.handle")
        await page.keyboard.press("ArrowDown")
        await page.wait_for_function(
            "() => document.querySelectorAll('.ordered tbody tr').length === 3"
        )
        assert await order(page) == ["IBM", "MSFT", "GOOG"]


async def test_without_javascript_rows_move_and_go_by_buttons_and_come_back(browser, member, site):
    options = {"java_script_enabled": False, "storage_state": member.state}
    async with visiting(browser, site, Choices(width=390), **options) as (page, _):
        await make_list(page)
        await page.click("text=Edit")
        await expect(page.locator("button.handle").first).to_be_hidden()
        await page.click("tr[data-symbol=GOOG] [data-act=up]")
        await shows(page, "AAPL", "IBM", "GOOG", "MSFT")
        await page.click("tr[data-symbol=IBM] [data-act=take]")
        await shows(page, "AAPL", "GOOG", "MSFT")
        await page.click("text=Put it back")
        await shows(page, "AAPL", "GOOG", "MSFT", "IBM")
        await page.click(".delete-list summary")
        await page.click("text=Delete it for good")
        await page.wait_for_url("**/watchlists")


async def test_an_instrument_is_put_on_a_list_from_its_page(browser, member, site):
    async with visiting(browser, site, storage_state=member.state) as (page, watch):
        await make_list(page, "IBM")
        name = await page.inner_text("h1")
        await go(page, "/instruments/AAPL")
        await page.click("[popovertarget=watch]")
        await page.click(f"#watch button:has-text('{name}')")
        await page.wait_for_load_state("networkidle")
        await page.click("[popovertarget=watch]")
        pressed = page.locator(f"#watch button:has-text('{name}')")
        await expect(pressed).to_have_attribute("aria-pressed", "true")
        assert watch.faults == []
