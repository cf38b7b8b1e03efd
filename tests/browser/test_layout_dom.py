"""The layout as the browser has it: nothing clipped, nothing overlapping, the words in one language."""

from __future__ import annotations

import re

import pytest

from tests.browser.inspecting import AUDIT, ask_axe, audit
from tests.browser.visiting import LOCALES, Choices, go, visiting

DECIMALS = """() => [...document.querySelectorAll('[data-f="price"], [data-f="change"]')]
  .map((cell) => [cell.dataset.q, cell.textContent])"""
INDEX_OR_RATE = re.compile(r"\^|=")


@pytest.mark.parametrize("locale", LOCALES)
async def test_pages_of_both_markets_are_whole(browser, yahoo_site, locale):
    paths = ("/", "/instruments/005930.KS", "/jobs", "/search?q=000", "/markets", "/universe")
    faults: list[str] = []
    async with visiting(browser, yahoo_site.url, Choices(locale)) as (page, _):
        for path in paths:
            await go(page, path)
            faults += await audit(page, path)
    assert faults == []


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


FAINT = """<html lang="en"><head><title>Texts</title></head><body><main><h1>Texts</h1>
  <p>plain</p><p>as plain</p><p style="color:#bbb">faint</p><p style="background:#555">dark</p>
  <div style="opacity:.3"><p>thin</p></div><img src="data:,"></main></body></html>"""


async def test_axe_finds_what_is_wrong(browser):
    context = await browser.new_context()
    page = await context.new_page()
    await page.set_content(FAINT)
    contrast, picture = sorted(await ask_axe(page, "here", "light", 390))
    await context.close()
    words = ("plain", "faint", "dark", "thin")
    assert [word in contrast for word in words] == [False, True, True, True]
    assert contrast.startswith("here: color-contrast")
    assert picture.startswith("here: image-alt")
