"""The chart as a reader uses it: panes, averages, ranges, comparison, the crosshair, live prices."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from tests.browser.visiting import Choices, chart, go, ready, visiting
from tests.fakes.listings import load_listings

LEGEND = "() => [...document.querySelectorAll('.chart-legend span')].map((e) => e.textContent)"
SERIES = "(c) => [...c.series.keys()]"
TIMES = "(c) => c.data.series.time"
PANES = "(c) => c.chart.panes().length"
LAST = "(c) => ((d) => [d.time, d.close])(c.series.get('price').data().at(-1))"


async def press(page, name, value):
    """Presses a button of the controls and waits for the chart that it asks for."""
    await page.evaluate("() => { document.querySelector('stock-chart').old = true; }")
    await page.click(f"button[name={name}][value='{value}']")
    await page.wait_for_function("() => !document.querySelector('stock-chart').old")
    await ready(page)


async def hover(page, share=0.5):
    """Moves the mouse over the chart, so far from its left."""
    box = await page.locator("stock-chart").bounding_box()
    await page.mouse.move(box["x"] + box["width"] * share, box["y"] + 80)


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
        assert 20 < len(await chart(page, TIMES)) <= 300
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
        stored = [str(day) for day in closes["day"] if str(day) <= times[-1]]
        assert times == stored[-len(times) :]
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
        await page.wait_for_function("() => !document.querySelector('stock-chart').old")
        await ready(page)
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
        assert "compare=AAPL%2C%5EGSPC" in page.url
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


async def test_the_crosshair_freezes_the_legend_while_prices_move(browser, yahoo_site, yahoo_peer):
    async with visiting(browser, yahoo_site.url) as (page, _):
        await go(page, "/instruments/NVDA")
        await hover(page)
        await page.wait_for_function("() => document.querySelector('stock-chart').hovered !== null")
        frozen = await page.evaluate(LEGEND)
        day = frozen[0]
        bars = load_listings("sample")["NVDA"].bars
        row = bars.filter(bars["day"].cast(str) == day).row(0, named=True)
        assert frozen[1:5] == [
            f"{letter} {row[name]:,.2f}"
            for letter, name in zip("OHLC", ("open", "high", "low", "close"), strict=True)
        ]
        assert [item.rpartition(" ")[0] for item in frozen[5:]] == [
            *("V", "MA20", "MA60", "RSI", "MACD", "Signal line"),
        ]
        yahoo_peer.tick("NVDA", 57.25)
        await page.wait_for_function(
            "() => document.querySelector('.headline-price').textContent.trim() === '57.25'"
        )
        assert await page.evaluate(LEGEND) == frozen
        await page.mouse.move(5, 5)
        await page.wait_for_function("() => document.querySelector('stock-chart').hovered === null")
        newest = await page.evaluate(LEGEND)
        assert newest[0] == "2013-03-04"
        assert "C 57.25" in newest


async def test_ticks_move_the_last_bar_and_the_averages(browser, yahoo_site, yahoo_peer):
    async with visiting(browser, yahoo_site.url) as (page, watch):
        await go(page, "/instruments/SPY?range=1M&mas=5&panes=none")
        count = len(await chart(page, TIMES))
        for price in (152.5, 154.75, 151.0, 153.0):
            yahoo_peer.tick("SPY", price)
            await page.wait_for_function(
                "(p) => document.querySelector('stock-chart').data.series.close.at(-1) === p",
                arg=price,
            )
        bar = await chart(page, "(c) => c.series.get('price').data().at(-1)")
        assert {k: bar[k] for k in ("time", "open", "high", "low", "close")} == {
            "time": "2013-03-04",
            "open": 152.5,
            "high": 154.75,
            "low": 151.0,
            "close": 153.0,
        }
        assert len(await chart(page, TIMES)) == count + 1
        closes = [*load_listings("sample")["SPY"].bars["close"][-4:], 153.0]
        average = await chart(page, "(c) => c.series.get('sma_5').data().at(-1).value")
        assert average == pytest.approx(sum(closes) / 5)
        await press(page, "interval", "WEEK")
        await page.wait_for_function(
            "() => document.querySelector('stock-chart').data.series.close.at(-1) === 153"
        )
        assert (await chart(page, LAST))[0] == "2013-03-04"
        assert watch.faults == []


async def test_a_replayed_day_becomes_a_whole_bar_when_it_has_passed(browser, sample_site):
    stored = load_listings("sample")["AAPL"].bars
    async with visiting(browser, sample_site.url) as (page, watch):
        await go(page, "/instruments/AAPL?range=1M&panes=volume,rsi")
        first = (await chart(page, TIMES))[-1]
        await page.wait_for_function(
            """(first) => ((s) => s.time.filter((t, i) => t > first && s.volume[i]).length >= 2)(
              document.querySelector('stock-chart').data.series)""",
            arg=first,
        )
        rows = await chart(
            page,
            """(c) => ((s) => s.time.map((t, i) => [t, s.open[i], s.high[i], s.low[i], s.close[i],
              s.volume[i], s.rsi_14[i]]))(c.data.series)""",
        )
        whole = [row for row in rows if row[0] > first and row[5]]
        for day, *prices, volume, rsi in whole:
            bar = stored.filter(stored["day"].cast(str) == day).row(0)
            assert prices == [pytest.approx(value) for value in bar[1:5]]
            assert volume == bar[5]
            assert 0 < rsi < 100
        days = [row[0] for row in rows]
        assert days == sorted(set(days))
        assert watch.faults == []


async def test_colours_follow_theme_and_market(browser, yahoo_site):
    colours = (
        "(c) => [c.chart.options().grid.vertLines.color, c.series.get('price').options().upColor]"
    )
    async with visiting(browser, yahoo_site.url) as (page, _):
        await page.context.add_cookies(
            [{"name": "sise_theme", "value": "auto", "url": yahoo_site.url}]
        )
        await go(page, "/instruments/MSFT")
        light = await chart(page, colours)
        await page.emulate_media(color_scheme="dark")
        dark = await chart(page, colours)
        await page.evaluate("() => { document.documentElement.dataset.colors = 'kr'; }")
        korean = await chart(page, colours)
        await page.evaluate("() => { document.documentElement.dataset.theme = 'light'; }")
        assert len({*light, *dark, *korean}) == 5
        assert (await chart(page, colours))[0] == light[0]
        assert korean[0] == dark[0]


async def test_where_there_are_no_minutes_the_buttons_say_why(browser, sample_site):
    async with visiting(browser, sample_site.url, Choices("ko")) as (page, _):
        await go(page, "/")
        for span in ("1D", "1W"):
            button = page.locator(f"button[name=range][value='{span}']")
            assert await button.is_disabled()
            assert await button.get_attribute("title") == "표본에는 일별 가격만 있습니다."


async def test_a_day_of_minutes_runs_on_the_clock_of_its_exchange(browser, yahoo_site, yahoo_peer):
    opening = datetime(2013, 3, 4, 14, 30, tzinfo=UTC)
    rows = [
        [
            (opening + timedelta(minutes=5 * i)).timestamp(),
            90.0 + i,
            91.0 + i,
            89.0 + i,
            90.5 + i,
            9,
        ]
        for i in range(6)
    ]
    yahoo_peer.set("TSLA", intraday=[[int(at), *rest] for at, *rest in rows])
    async with visiting(browser, yahoo_site.url) as (page, watch):
        await go(page, "/instruments/TSLA?range=1D&panes=none&mas=none")
        times = await chart(page, TIMES)
        local = [datetime.fromtimestamp(at, UTC).strftime("%H:%M") for at in times]
        assert local[:2] == ["09:30", "09:35"]
        assert (await page.evaluate(LEGEND))[0] == "2013-03-04 09:55"
        yahoo_peer.tick("TSLA", 96.5, at=opening + timedelta(minutes=28))
        await page.wait_for_function(
            "() => document.querySelector('stock-chart').data.series.close.at(-1) === 96.5"
        )
        assert len(await chart(page, TIMES)) == len(times)
        yahoo_peer.tick("TSLA", 97.5, at=opening + timedelta(minutes=31))
        await page.wait_for_function(
            "() => document.querySelector('stock-chart').data.series.close.at(-1) === 97.5"
        )
        assert (await chart(page, TIMES))[-1] - times[-1] == 300
        assert watch.faults == []
