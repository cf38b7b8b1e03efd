"""From the click on "Run" to the first result of a single run, in a running installation.

`python -m benchmarks.first_result` starts `sise up` with the sample and runs 20 backtests of 13
years of AAPL, each by the form of its page in Chromium: the click, the request, the long queue, the
run, the page that was told of it and shows its figures. Goal: 1 s.
"""

from __future__ import annotations

import asyncio
import sys
import time
from statistics import median
from typing import Final

from playwright.async_api import async_playwright
from rich.console import Console
from rich.table import Table

from tests.browser.conftest import ARGUMENTS, chromium_path
from tests.browser.members import Member, join
from tests.browser.visiting import go, visiting
from tests.sites import running_site

ROUNDS: Final = 20
GOAL: Final = 1.0  # seconds


async def click_and_wait(member: Member) -> list[float]:
    """Seconds from the click to the figures, of each backtest; the next waits until one is done."""
    taken = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium_path(), args=ARGUMENTS)
        async with visiting(browser, member.site.url, storage_state=member.state) as (page, _):
            for number in range(ROUNDS):
                await go(page, "/backtests/new?strategy=sma_cross")
                await page.fill("[name='cash']", "100000")
                await page.fill("[name='p.fast']", str(5 + number))
                begun = time.perf_counter()
                await page.click(".backtest-form button[type=submit]")
                await page.wait_for_selector("dl.figure-grid")
                taken.append(time.perf_counter() - begun)
                await page.wait_for_selector(".certificate[data-clean='true']")
        await browser.close()
    return taken


def main() -> None:
    """Prints the figures; ends with 1 when the goal is missed."""
    with running_site(SISE_PRICE_SOURCE="sample") as site:
        taken = asyncio.run(click_and_wait(join(site)))
    table = Table(f"from click to figures, {len(taken)} runs", "seconds", "goal", "")
    figures = {"median": median(taken), "slowest": max(taken)}
    for name, seconds in figures.items():
        met = "met" if seconds <= GOAL else "missed"
        table.add_row(name, f"{seconds:.2f}", f"≤ {GOAL:.0f}", met)
    Console(width=100).print(table)
    sys.exit(max(figures.values()) > GOAL)


if __name__ == "__main__":
    main()
