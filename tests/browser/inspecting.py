"""What is wrong with a page as the browser has it: its layout at every width, what axe finds, what moves."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Page

from tests.browser.relay import relaying
from tests.browser.visiting import HEIGHTS, LOCALES, THEMES, WIDTHS, Choices, go, visiting

AUDIT = (Path(__file__).parent / "audit.js").read_text(encoding="utf-8").partition("\n")[2]
SPEC = importlib.util.find_spec("axe_playwright_python")
AXE = Path((SPEC.submodule_search_locations or [""])[0] if SPEC else "") / "axe.min.js"
RUN = (Path(__file__).parent / "axe.js").read_text(encoding="utf-8").partition("\n")[2]
DRESS = "(theme) => { document.documentElement.dataset.theme = theme; }"


async def audit(page: Page, where: str) -> list[str]:
    """What is wrong at each width; of a page in both languages, each width is seen in both themes."""
    faults: list[str] = []
    first = LOCALES.index(await page.evaluate("document.documentElement.lang"))
    for place, width in enumerate(WIDTHS, first):
        theme = THEMES[place % 2]
        await page.evaluate(DRESS, theme)
        await page.set_viewport_size({"width": width, "height": HEIGHTS[width]})
        found = await page.evaluate(AUDIT)
        faults += [f"{where} {theme} {width}: {fault}" for fault in found]
    return faults


async def ask_axe(page: Page, where: str, theme: str, width: int) -> list[str]:
    """What axe finds in this theme at this width.

    It comes in as the debugger's code, which the content policy lets pass.
    """
    await page.evaluate(DRESS, theme)
    await page.set_viewport_size({"width": width, "height": HEIGHTS[width]})
    await page.evaluate(AXE.read_text(encoding="utf-8") + "; 0")
    return [f"{where}: {fault}" for fault in await page.evaluate(RUN)]


async def watch_shifts(
    browser: Browser, url: str, pages: Mapping[str, str], width: int, **options: Any
) -> dict[str, Any]:
    """What moves while these pages load through a slow wire: what is painted in parts would."""
    moved: dict[str, Any] = {}
    async with (
        relaying(url, piece=400) as relay,
        visiting(browser, relay.url, Choices(width=width), **options) as (page, _),
    ):
        for name, path in pages.items():
            await go(page, path)
            await page.wait_for_timeout(300)
            moved[name] = await page.evaluate("window.shifts")
    return {name: shifts for name, shifts in moved.items() if shifts}
