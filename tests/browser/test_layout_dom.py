"""The layout as the browser has it: nothing clipped, nothing overlapping, the words in one language."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page

from tests.browser.visiting import HEIGHTS, LOCALES, PAGES, THEMES, WIDTHS, Choices, go, visiting

AUDIT = (Path(__file__).parent / "audit.js").read_text(encoding="utf-8").partition("\n")[2]
DECIMALS = """() => [...document.querySelectorAll('[data-f="price"], [data-f="change"]')]
  .map((cell) => [cell.dataset.q, cell.textContent])"""
INDEX_OR_RATE = re.compile(r"\^|=")


async def audit(page: Page, where: str) -> list[str]:
    """What is wrong at each width; of a page in both languages, each width is seen in both themes."""
    faults: list[str] = []
    first = LOCALES.index(await page.evaluate("document.documentElement.lang"))
    for place, width in enumerate(WIDTHS, first):
        theme = THEMES[place % 2]
        await page.evaluate("(theme) => { document.documentElement.dataset.theme = theme; }", theme)
        await page.set_viewport_size({"width": width, "height": HEIGHTS[width]})
        found = await page.evaluate(AUDIT)
        faults += [f"{where} {theme} {width}: {fault}" for fault in found]
    return faults


async def audit_all(browser: Browser, url: str, locale: str, paths: Iterable[str]) -> list[str]:
    """What is wrong with any of these pages, one after the other in one window."""
    faults: list[str] = []
    async with visiting(browser, url, Choices(locale)) as (page, _):
        for path in paths:
            await go(page, path)
            faults += await audit(page, path)
    return faults


@pytest.mark.parametrize("locale", LOCALES)
async def test_every_page_of_the_sample_is_whole(browser, sample_site, locale):
    assert await audit_all(browser, sample_site.url, locale, PAGES.values()) == []


@pytest.mark.parametrize("locale", LOCALES)
async def test_pages_of_both_markets_are_whole(browser, yahoo_site, locale):
    paths = ("/", "/instruments/005930.KS", "/jobs", "/search?q=000", "/markets", "/universe")
    assert await audit_all(browser, yahoo_site.url, locale, paths) == []


@pytest.mark.parametrize("locale", LOCALES)
async def test_a_page_with_everything_open_is_whole(browser, sample_site, locale):
    """All indicators and averages, a comparison that may be cleared, hits, an error at a field."""
    async with visiting(browser, sample_site.url, Choices(locale)) as (page, _):
        every = "panes=volume,rsi,macd,bollinger&mas=5,20,60,120"
        await go(page, f"/instruments/IBM?{every}")
        faults = await audit(page, "every indicator")
        await go(page, "/instruments/IBM?compare=AAPL,GOOG,MSFT,FB")
        faults += await audit(page, "comparison")
        await go(page, "/")
        await page.fill("#track-symbol", "NOPE.KS")
        await page.click("#track button")
        await page.wait_for_selector("#track-error")
        faults += await audit(page, "error at the field")
        await page.fill("#search", "o")
        await page.wait_for_selector("#hits .hit")
        faults += [f for f in await audit(page, "hits") if "text over text" not in f]
        assert faults == []


@pytest.mark.parametrize("locale", LOCALES)
async def test_prices_have_the_decimals_of_their_currency(browser, yahoo_site, locale):
    async with visiting(browser, yahoo_site.url, Choices(locale)) as (page, _):
        for path in ("/", "/instruments/005930.KS", "/instruments/AAPL", "/search?q=0"):
            await go(page, path)
            cells = await page.evaluate(DECIMALS)
            assert cells
            for symbol, text in cells:
                won = symbol.endswith((".KS", ".KQ")) and not INDEX_OR_RATE.search(symbol)
                decimals = "" if won else r"\.\d\d"
                assert re.fullmatch(rf"[+-]?\d{{1,3}}(,\d{{3}})*{decimals}", text), (symbol, text)


PLANTED = """<body lang="ko" style="margin:0; font:16px/20px sans-serif"><main>
  <div style="width:40px; overflow:hidden; white-space:nowrap">긴 글자가 잘린 곳</div>
  <p style="margin:0">위에 놓인 글</p><p style="margin:-12px 0 0">아래에 놓인 글</p>
  <div style="height:20px; overflow:auto"><p style="margin:0">값</p><p style="margin:0">밀려난 줄</p></div>
  <p style="margin:0">밀려난 줄 밑의 글</p><p>Volume is low</p><p>값 NaN</p>
  <div style="width:2000px">넓은 곳</div></main></body>"""


async def test_the_audit_finds_what_is_wrong(browser):
    context = await browser.new_context(viewport={"width": 390, "height": 844})
    page = await context.new_page()
    await page.set_content(PLANTED)
    faults = " ".join(await page.evaluate(AUDIT))
    await context.close()
    for fault in (
        "scrolls sideways",
        "text cut by",
        "text over text",
        "boxes overlap",
        "English on a Korean page",
        "a word of the machine",
    ):
        assert fault in faults
    assert "밀려난" not in faults  # what is scrolled away lies over nothing
