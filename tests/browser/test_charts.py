"""The chart as a reader uses it: panes, averages, ranges, older bars, comparison, colours."""

from __future__ import annotations

from datetime import date

import pytest

from tests.browser.charting import LEGEND, PANES, SERIES, TIMES, painted, press, wait_for_another
from tests.browser.visiting import Choices, chart, go, ready, visiting
from tests.fakes.listings import load_listings


async def test_panes_averages_and_scale_are_switched_and_stand_in_the_address(browser, yahoo_site):
    async with visiting(browser, yahoo_site.url) as (page, watch):
        await go(page, "/instruments/MSFT")
        every = ["price", "sma_20", "sma_60", "volume", "rsi_14"]
        every += ["macd_histogram", "macd", "macd_signal"]
        assert sorted(await chart(page, SERIES)) == sorted(every)
        assert await chart(page, PANES) == 3
        await press(page, "panes", "volume,macd")
        assert await chart(page, PANES) == 2
        assert "rsi_14" not in await chart(page, SERIES)
        await press(page, "mas", "20,60,120")
        assert "sma_120" in await chart(page, SERIES)
        await press(page, "scale", "log")
        assert await chart(page, "(c) => c.series.get('price').priceScale().options().mode") == 1
        await press(page, "panes", "volume,macd,bollinger")
        assert "bollinger_upper" in await chart(page, SERIES)
        address = page.url
        assert "panes=volume%2Cmacd%2Cbollinger" in address
        assert "mas=20%2C60%2C120" in address
        assert "scale=log" in address
        shown = sorted(await chart(page, SERIES))
        await page.reload()
        await ready(page)
        assert sorted(await chart(page, SERIES)) == shown
        assert len(watch.sockets) == 2
        assert watch.faults == []


async def test_weeks_and_months_are_bars_of_their_own(browser, yahoo_site):
    async with visiting(browser, yahoo_site.url) as (page, _):
        await go(page, "/instruments/MSFT?range=5Y")
        weeks = [date.fromisoformat(day).isocalendar()[:2] for day in await chart(page, TIMES)]
        assert len(weeks) == len(set(weeks)) > 250
        await press(page, "interval", "MONTH")
        months = [day[:7] for day in await chart(page, TIMES)]
        assert 59 <= len(months) == len(set(months)) <= 61
        assert "interval=MONTH" in page.url


@pytest.mark.parametrize("span", ["1M", "YTD", "1Y", "5Y", "MAX"])
async def test_no_range_begins_with_more_than_300_bars(browser, yahoo_site, span):
    async with visiting(browser, yahoo_site.url) as (page, _):
        await go(page, f"/instruments/MSFT?range={span}")
        assert 15 < len(await chart(page, TIMES)) <= 300
        assert await page.get_attribute(f"button[name=range][value='{span}']", "aria-pressed") == (
            "true"
        )


async def test_older_bars_come_when_the_chart_is_moved_to_the_right(browser, yahoo_site):
    closes = load_listings("sample")["MSFT"].bars
    async with visiting(browser, yahoo_site.url) as (page, watch):
        await go(page, "/instruments/MSFT?mas=none&panes=none")
        before = await chart(page, TIMES)
        box = await page.locator("stock-chart").bounding_box()
        await page.mouse.move(box["x"] + 200, box["y"] + 100)
        await page.mouse.down()
        await page.mouse.move(box["x"] + 500, box["y"] + 100, steps=6)
        await page.mouse.up()
        await page.wait_for_function("() => document.querySelector('stock-chart').grown")
        times = await chart(page, TIMES)
        assert times[-len(before) :] == before
        assert len(times) == len(before) + 300
        stored = [str(day) for day in closes["day"]]
        known = [day for day in times if day <= stored[-1]]
        assert known == stored[-len(known) :]
        first = await chart(page, "(c) => c.data.series.close[0]")
        assert first == pytest.approx(
            closes.filter(closes["day"].cast(str) == times[0])["close"][0]
        )
        assert await chart(page, "(c) => c.series.get('price').data().length") == len(times)
        assert watch.faults == []


async def test_compared_instruments_are_lines_from_100(browser, yahoo_site):
    async with visiting(browser, yahoo_site.url) as (page, watch):
        await go(page, "/instruments/MSFT")
        await page.evaluate("() => { document.querySelector('stock-chart').old = true; }")
        await page.fill("#compare", "aapl, ^gspc")
        await page.press("#compare", "Enter")
        await wait_for_another(page)
        assert await chart(page, SERIES) == ["MSFT", "AAPL", "^GSPC"]
        lines = await chart(
            page, "(c) => [...c.series.values()].map((s) => s.data().map((d) => d.value))"
        )
        assert [line[0] for line in lines] == [100, 100, 100]
        bars = load_listings("sample")["AAPL"].bars["close"]
        days = len(lines[1])
        assert lines[1][-1] == pytest.approx(100 * bars[-1] / bars[-days], abs=0.01)
        legend = await page.evaluate(LEGEND)
        assert [item.split()[0] for item in legend[1:]] == ["MSFT", "AAPL", "^GSPC"]
        assert "compare=aapl" in page.url
        await page.click("text=Clear")
        await page.wait_for_function(
            "() => document.querySelector('stock-chart')?.getAttribute('compare') === ''"
        )
        await ready(page)
        assert "price" in await chart(page, SERIES)
        assert watch.faults == []


async def test_an_unknown_symbol_to_compare_is_said_in_the_chart(browser, yahoo_site):
    async with visiting(browser, yahoo_site.url, Choices("ko")) as (page, _):
        await go(page, "/instruments/MSFT?compare=NOPE")
        assert await page.locator("stock-chart").inner_text() == "'NOPE' 종목이 없습니다."


async def test_colours_follow_theme_and_market(browser, yahoo_site):
    """Grid and rising candles, in this order."""
    light, dark = ["#eceff3", "#0a7548"], ["#1b222c", "#3ecb8c"]
    async with visiting(browser, yahoo_site.url) as (page, _):
        await page.context.add_cookies(
            [{"name": "sise_theme", "value": "auto", "url": yahoo_site.url}]
        )
        await go(page, "/instruments/MSFT")
        await painted(page, light)
        await page.emulate_media(color_scheme="dark")
        await painted(page, dark)
        await page.evaluate("() => { document.documentElement.dataset.colors = 'kr'; }")
        await painted(page, [dark[0], "#ff6b70"])
        await page.evaluate("() => { document.documentElement.dataset.theme = 'light'; }")
        await painted(page, [light[0], "#c81e2b"])


async def test_where_there_are_no_minutes_the_buttons_say_why(browser, sample_site):
    async with visiting(browser, sample_site.url, Choices("ko")) as (page, _):
        await go(page, "/")
        for span in ("1D", "1W"):
            button = page.locator(f"button[name=range][value='{span}']")
            assert await button.is_disabled()
            assert await button.get_attribute("title") == "표본에는 일별 가격만 있습니다."
