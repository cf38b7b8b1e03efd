"""How tests read and use the chart of a page."""

from __future__ import annotations

from playwright.async_api import Page

from tests.browser.visiting import ready

LEGEND = "() => [...document.querySelectorAll('.chart-legend span')].map((e) => e.textContent)"
SERIES = "(c) => [...c.series.keys()]"
TIMES = "(c) => c.data.series.time"
PANES = "(c) => c.chart.panes().length"


async def press(page: Page, name: str, value: str) -> None:
    """Presses a button of the controls and waits for the chart that it asks for."""
    await page.evaluate("() => { document.querySelector('stock-chart').old = true; }")
    await page.click(f"button[name={name}][value='{value}']")
    await wait_for_another(page)


async def wait_for_another(page: Page) -> None:
    """Waits until the chart that was marked `old` has given way to a new one."""
    await page.wait_for_function("() => document.querySelector('stock-chart')?.old === undefined")
    await ready(page)


async def hover(page: Page, share: float = 0.5) -> None:
    """Moves the mouse over the chart, so far from its left."""
    box = await page.locator("stock-chart").bounding_box()
    assert box is not None
    await page.mouse.move(box["x"] + box["width"] * share, box["y"] + 80)


async def wait_for_close(page: Page, price: float) -> None:
    """Waits until the newest bar closes at this price."""
    await page.wait_for_function(
        "(p) => document.querySelector('stock-chart').data.series.close.at(-1) === p", arg=price
    )


async def painted(page: Page, colours: list[str]) -> None:
    """Waits until the chart has these colours of grid and rising candles."""
    await page.wait_for_function(
        """(wanted) => ((c) => c.chart.options().grid.vertLines.color === wanted[0]
          && c.series.get('price').options().upColor === wanted[1])(
          document.querySelector('stock-chart'))""",
        arg=colours,
    )
