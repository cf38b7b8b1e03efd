"""The screener in Chromium: a screen is built, counted while typing, saved, reloaded, exported."""

from __future__ import annotations

import csv
from pathlib import Path

from tests.browser.visiting import go, visiting

HITS = "#hits-title"


async def test_a_screen_is_built_saved_reloaded_and_exported(browser, member) -> None:
    async with visiting(browser, member.site.url, storage_state=member.state) as (page, watch):
        await go(page, "/screener")
        everything = await page.inner_text(HITS)
        await page.select_option("#add", "close")
        await page.click(".term-add button")
        await page.wait_for_url("**/screener?where=close:..")
        await page.fill("[name='min']", "100")
        await page.wait_for_url("**/screener?where=close:100..")  # nothing was clicked
        await page.wait_for_function(
            f"() => document.querySelector('{HITS}').textContent !== {everything!r}"
        )
        await page.select_option("#add", "kind")
        await page.click(".term-add button")
        await page.select_option("[name='word']:not([type='hidden'])", "EQUITY")
        await page.wait_for_url("**&where=kind:EQUITY")
        found = page.locator("#screen-hits tbody tr")
        await page.wait_for_function(
            "() => document.querySelectorAll('#screen-hits tbody tr').length"
        )
        symbols = [await row.get_attribute("data-symbol") for row in await found.all()]
        assert {"AAPL", "IBM"} <= set(symbols)
        await page.wait_for_function(
            "() => document.querySelector('#save-query').value.endsWith('where=kind:EQUITY')"
        )
        await page.fill("#screen-name", "비싼 주식")
        await page.click(".save-form button")
        await page.wait_for_selector(".saved-list a[aria-current]")
        address = page.url

        await go(page, "/screener")
        assert await page.locator(".term-row").count() == 0
        await page.click(".saved-list a")
        await page.wait_for_url(address)
        await go(page, address)  # a reload gives the same
        assert await page.input_value("[name='min']:not([type='hidden'])") == "100"
        assert [await row.get_attribute("data-symbol") for row in await found.all()] == symbols

        async with page.expect_download() as coming:
            await page.click("#screen-hits a[download]")
        path = await (await coming.value).path()
        with Path(path).open(encoding="utf-8") as file:
            lines = list(csv.DictReader(file))
        assert [line["symbol"] for line in lines] == symbols
        assert all(float(line["close"]) >= 100 for line in lines)

        await page.click(".saved-list button.remove")
        await page.wait_for_function("() => !document.querySelector('.saved-list a')")
        assert await page.evaluate("window.violations") + watch.faults == []


async def test_markers_of_strong_signals_are_drawn_when_wanted(browser, member) -> None:
    async with visiting(browser, member.site.url, storage_state=member.state) as (page, watch):
        await go(page, "/instruments/IBM?panes=signals")
        marks = "document.querySelector('stock-chart').signals.markers()"
        shapes = {mark["shape"] for mark in await page.evaluate(marks)}
        assert shapes <= {"arrowUp", "arrowDown"}
        assert shapes
        await go(page, "/instruments/IBM")
        assert await page.evaluate(marks) == []
        assert watch.faults == []
