"""Keys: / searches, ↑ ↓ Enter pick, ? helps, Esc closes; and where the focus goes."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.browser.visiting import Choices, go, ready, visiting

FOCUS = "document.activeElement.id"
CHOSEN = """() => [...document.querySelectorAll('#hits [role="option"]')]
  .findIndex((e) => e.getAttribute('aria-selected') === 'true')"""


async def search(page, text):
    """Types into the search box after `/` and waits for the hits of the whole text."""
    await page.keyboard.press("/")
    assert await page.evaluate(FOCUS) == "search"
    await page.keyboard.type(text)
    await page.wait_for_function(
        "(text) => document.querySelector('#hits .hit')?.dataset.query === text", arg=text
    )


async def test_slash_searches_and_arrows_walk_through_the_hits(browser, yahoo_site):
    async with visiting(browser, yahoo_site.url) as (page, watch):
        await go(page, "/")
        await search(page, "s")
        count = await page.locator("#hits .hit").count()
        assert count > 2
        seen = []
        for key in ["ArrowDown", "ArrowDown", "ArrowUp", "ArrowUp", "ArrowUp"]:
            await page.keyboard.press(key)
            seen.append(await page.evaluate(CHOSEN))
        assert seen == [0, 1, 0, count - 1, count - 2]
        box = page.locator("#search")
        assert await box.get_attribute("aria-expanded") == "true"
        assert await box.get_attribute("aria-activedescendant") == f"hit-{count - 1}"
        await page.keyboard.press("Escape")
        assert await page.locator("#hits .hit").count() == 0
        assert await box.get_attribute("aria-expanded") == "false"
        assert watch.faults == []


@pytest.mark.parametrize(
    ("text", "symbol"),
    [("삼성전자", "005930.KS"), ("000660", "000660.KS"), ("micro", "MSFT"), ("^gs", "^GSPC")],
)
async def test_enter_opens_a_hit_without_a_new_document(browser, yahoo_site, text, symbol):
    async with visiting(browser, yahoo_site.url, Choices("ko")) as (page, watch):
        await go(page, "/about")
        await page.evaluate("window.mark = 1")
        await search(page, text)
        await page.keyboard.press("ArrowDown")
        await page.keyboard.press("Enter")
        await page.wait_for_function(
            "(symbol) => document.querySelector('.instrument-title')?.dataset.symbol === symbol",
            arg=symbol,
        )
        assert await page.evaluate("window.mark") == 1
        assert await page.evaluate(FOCUS) == "main"
        assert await page.input_value("#search") == ""
        assert await page.locator("#hits .hit").count() == 0
        assert symbol in await page.title()
        assert len(watch.sockets) == 1
        assert watch.faults == []


async def test_enter_before_any_hit_goes_to_the_page_of_the_search(browser, yahoo_site):
    async with visiting(browser, yahoo_site.url) as (page, _):
        await go(page, "/about")
        await page.keyboard.press("/")
        await page.keyboard.type("apple")
        await page.keyboard.press("Enter")
        await page.wait_for_selector(".result-list, .instrument-title")


async def test_a_question_mark_opens_the_help_and_escape_closes_it(browser, sample_site):
    async with visiting(browser, sample_site.url, Choices("ko")) as (page, watch):
        await go(page, "/")
        help_ = page.locator("#help")
        await page.keyboard.press("?")
        assert await help_.is_visible()
        await page.keyboard.press("?")
        await page.keyboard.press("/")
        assert await page.evaluate(FOCUS) != "search"
        await page.keyboard.press("Escape")
        assert not await help_.is_visible()
        await page.click("[data-opens=help]")
        box = await help_.bounding_box()
        await page.mouse.click(box["x"] + 5, box["y"] + 5)
        assert await help_.is_visible()
        await page.mouse.click(box["x"] - 20, box["y"] - 20)
        assert not await help_.is_visible()
        await page.keyboard.press("?")
        await page.click("#help [data-closes]")
        assert not await help_.is_visible()
        assert watch.faults == []


async def test_keys_mean_themselves_where_one_types(browser, sample_site):
    async with visiting(browser, sample_site.url) as (page, _):
        await go(page, "/")
        await page.focus("#track-symbol")
        await page.keyboard.type("a/?")
        assert await page.input_value("#track-symbol") == "a/?"
        assert not await page.locator("#help").is_visible()


async def test_the_first_tab_skips_to_the_content(browser, sample_site):
    async with visiting(browser, sample_site.url) as (page, _):
        await go(page, "/about")
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.className") == "skip"
        await page.keyboard.press("Enter")
        await page.wait_for_function("() => location.hash === '#main'")
        assert await page.evaluate(FOCUS) == "main"


async def test_a_boosted_link_keeps_the_document_moves_the_focus_and_back_works(
    browser, sample_site
):
    async with visiting(browser, sample_site.url) as (page, watch):
        await go(page, "/")
        await page.evaluate("window.mark = 1")
        await page.click("#nav > a[href='/signals']")
        await page.wait_for_url("**/signals")
        await page.wait_for_function("() => document.activeElement.id === 'main'")
        assert await page.title() == "Signals · Sise"
        assert await page.locator("#nav > [aria-current=page]").inner_text() == "Signals"
        await page.go_back()
        await page.wait_for_selector("#watchlist")
        await ready(page)
        assert await page.title() == "Dashboard · Sise"
        assert await page.locator("#nav > [aria-current=page]").inner_text() == "Dashboard"
        assert await page.locator("#connection").get_attribute("data-state") == "live"
        assert await page.evaluate("window.mark") == 1
        assert len(watch.sockets) == 1
        assert watch.faults == []


async def test_focus_moves_to_the_content_after_a_navigation(browser, sample_site):
    async with visiting(browser, sample_site.url) as (page, _):
        await go(page, "/")
        before = await page.title()
        await page.click(".more")
        await page.click("#more a[href='/jobs']")
        await page.wait_for_url("**/jobs")
        await page.wait_for_function("() => document.activeElement?.id === 'main'")
        assert await page.title() != before


async def test_a_technical_word_explains_itself_by_the_keyboard(browser, sample_site):
    async with visiting(browser, sample_site.url, java_script_enabled=False) as (page, _):
        await page.goto("/setup?step=follow")
        text = page.locator("#term-index")
        await expect(text).to_be_hidden()
        await page.focus("[popovertarget='term-index']")
        await page.keyboard.press("Enter")
        await expect(text).to_be_visible()
        box, word = (
            await text.bounding_box(),
            await page.locator("[popovertarget='term-index']").bounding_box(),
        )
        assert box is not None
        assert word is not None
        assert 0 <= box["y"] - (word["y"] + word["height"]) < 20
        await page.keyboard.press("Escape")
        await expect(text).to_be_hidden()
