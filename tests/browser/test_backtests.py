"""A sweep in Chromium: asked for in the form, its bar watched, its best cell opened and run.

And the pages of backtests: light at a first visit, and nothing moves while they load.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.relay import relaying
from tests.browser.test_weight import KB
from tests.browser.visiting import Choices, go, visiting

HEAVIEST = {
    "backtests": 55,
    "new-backtest": 55,
    "backtest": 160,
    "sweep": 160,
    "walk-forward": 160,
    "compare-backtests": 55,
}
"""kB of a first visit; those of 160 draw charts, and who has signed in brings live alerts along."""

BARS = """() => {
  const look = () => {
    const bar = document.querySelector('.progress-body progress');
    if (bar) sessionStorage.setItem('bars', `${sessionStorage.getItem('bars') ?? ''} ${bar.value}`);
    setTimeout(look, 20);
  };
  look();
}"""


@pytest.mark.parametrize("width", [390, 1440])
async def test_a_first_visit_is_light_and_nothing_moves(browser, member, width: int) -> None:
    """Each in a context of its own, through a slow wire; bytes as Chromium counts them on it."""
    found: dict[str, Any] = {}
    heavy: dict[str, float] = {}
    async with relaying(member.site.url, piece=400) as relay:
        for name, most in HEAVIEST.items():
            options = {"storage_state": member.state}
            async with visiting(browser, relay.url, Choices(width=width), **options) as (page, _):
                session = await page.context.new_cdp_session(page)
                await session.send("Network.enable")
                received: list[float] = []
                session.on(
                    "Network.loadingFinished",
                    lambda e, r=received: r.append(e["encodedDataLength"]),
                )
                await go(page, member.pages[name])
                await page.wait_for_timeout(300)
                found[name] = await page.evaluate("window.shifts")
            assert received
            if sum(received) > most * KB:
                heavy[name] = sum(received) / KB
    assert (found, heavy) == ({name: [] for name in HEAVIEST}, {})


async def test_a_sweep_is_run_watched_and_its_best_cell_opened(browser, member) -> None:
    async with visiting(browser, member.site.url, storage_state=member.state) as (page, watch):
        await page.add_init_script(f"({BARS})()")
        await go(page, "/backtests/new")
        await page.fill("[name='cash']", "100000")
        await page.fill("[name='p.fast']", "2:60:1")
        await page.fill("[name='p.slow']", "61:250:2")
        await page.fill("[name='stop']", "5:34:1")  # four parts: a bar that goes on for a while
        await page.click(".backtest-form button[type=submit]")
        await page.wait_for_selector(".progress-body progress, .heatmap")
        before = await page.evaluate(
            "document.querySelector('.progress-body progress')?.value ?? 1"
        )
        await page.reload()  # it goes on without the page, and the page goes on with it
        told = await page.evaluate("document.querySelector('.progress-body progress')?.value ?? 1")
        assert told >= before
        await page.evaluate("(told) => sessionStorage.setItem('told', told)", told)
        await page.wait_for_selector(".heatmap [data-best]", timeout=60_000)
        await page.wait_for_selector(".certificate[data-clean='true']", timeout=60_000)
        seen = (await page.evaluate("sessionStorage.getItem('bars')") or "").split()
        values = [float(value) for value in seen]
        assert values == sorted(values)
        assert len(set(values)) >= 3
        told = float(await page.evaluate("sessionStorage.getItem('told')"))
        assert told == 1 or max(values) > told  # it went on after the page was loaded again
        assert await page.locator("progress[max]").count() == 0
        best = (await page.inner_text(".heatmap [data-best]")).strip()
        await page.click("#open-best")
        await page.wait_for_selector("[name='p.fast']")
        await page.click(".backtest-form button[type=submit]")
        await page.wait_for_selector(".certificate[data-clean='true']", timeout=60_000)
        await page.locator("stock-chart").scroll_into_view_if_needed()
        await page.wait_for_selector("stock-chart[marks] canvas")
        marks = await page.evaluate("document.querySelector('stock-chart').marks.markers().length")
        assert marks == len((await page.get_attribute("stock-chart", "marks")).split())
        assert marks >= 2
        figures = page.locator("dl.figure-grid dd")
        assert best in [text.strip() for text in await figures.all_inner_texts()]
        assert await page.evaluate("window.violations") + watch.faults == []
