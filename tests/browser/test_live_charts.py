"""Charts while prices move: the last bar, the legend, days that pass.

Here prices of the shared installation move: tests that compare them with the source run before.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.browser.charting import LEGEND, TIMES, hover, press, wait_for_close
from tests.browser.conftest import MONDAY_CLOCK
from tests.browser.visiting import chart, go, send_tick, visiting
from tests.fakes.listings import load_listings


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
        send_tick(yahoo_peer, "NVDA", 57.25)
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
            send_tick(yahoo_peer, "SPY", price)
            await wait_for_close(page, price)
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
        await wait_for_close(page, 153)
        assert (await chart(page, TIMES))[-1] == "2013-03-04"
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


async def test_a_day_of_minutes_runs_on_the_clock_of_its_exchange(browser, yahoo_site, yahoo_peer):
    now = MONDAY_CLOCK.now()  # 10:00 in New York, and a little
    begun = now - timedelta(minutes=now.minute % 5, seconds=now.second)
    begins = [begun - timedelta(minutes=5 * i) for i in range(6, 0, -1)]
    prices = [90.0, 91.0, 89.0, 90.5, 1000]
    yahoo_peer.set("TSLA", intraday=[[int(at.timestamp()), *prices] for at in begins])
    async with visiting(browser, yahoo_site.url) as (page, watch):
        await go(page, "/instruments/TSLA?range=1D&panes=none&mas=none")
        times = await chart(page, TIMES)
        local = [datetime.fromtimestamp(at, UTC).strftime("%H:%M") for at in times]
        new_york = [at - timedelta(hours=5) for at in begins]
        assert local == [f"{at:%H:%M}" for at in new_york]
        assert (await page.evaluate(LEGEND))[0] == f"{new_york[-1]:%Y-%m-%d %H:%M}"
        for price in (97.5, 96.5):
            send_tick(yahoo_peer, "TSLA", price)
            await wait_for_close(page, price)
        later = (await chart(page, TIMES))[len(times) :]
        assert 1 <= len(later) <= 2  # two, when five minutes have just passed
        assert later[0] - times[-1] in {300, 600}
        lowest = await chart(page, "(c) => c.data.series.low.at(-1)")
        assert lowest == 96.5
        assert watch.faults == []
