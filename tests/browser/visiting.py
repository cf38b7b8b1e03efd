"""Visits of pages: a reader's choices as cookies, a page that is ready, and what went wrong on it."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import product
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, Request

from tests.browser.conftest import MONDAY_CLOCK
from tests.fakes.yahoo import FakeYahoo
from tests.people import PASSWORD

PAGES = {
    "dashboard": "/",
    "instrument": "/instruments/AAPL",
    "search": "/search?q=a",
    "jobs": "/jobs",
    "data": "/data",
    "instrument-data": "/instruments/AAPL/data",
    "about": "/about",
    "settings": "/settings",
    "login": "/login?next=/jobs",
    "register": "/register",
    "forgot": "/forgot",
    "reset": "/reset?token=x",
    "confirm": "/confirm?token=x",
    "setup": "/setup",
    "setup-account": "/setup?step=account",
    "setup-follow": "/setup?step=follow",
    "markets": "/markets?edit=XKRX.2026-11-19",
    "universe": "/universe",
    "signals": "/signals?strength=HOLD",
    "screener": "/screener?where=rsi_14:20..80&where=sector:Technology|change:-0.5..",
    "correlation": "/correlation?symbols=AAPL+IBM+MSFT&range=MAX&one=AAPL&two=IBM",
    "remove": "/instruments/AAPL/remove",
    "missing": "/instruments/NOPE",
}
LOCALES = ("ko", "en")
THEMES = ("dark", "light")
COLORS = ("kr", "us")
WIDTHS = (390, 768, 1440)
SETTINGS = list(product(LOCALES, THEMES, COLORS))
HEIGHTS = {390: 844, 768: 1024, 1440: 900}


def all_settings() -> list[Any]:
    """All settings as parameters: two in which each choice is made once; the rest are long."""
    first = set(zip(LOCALES, THEMES, COLORS, strict=True))
    return [
        pytest.param(*setting, marks=() if setting in first else pytest.mark.long)
        for setting in SETTINGS
    ]


REPORTS = """
window.violations = [];
document.addEventListener('securitypolicyviolation', (event) => {
  window.violations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`);
});
window.shifts = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    if (entry.hadRecentInput) continue;
    const nodes = entry.sources.map(({ node }) => (
      node instanceof Text ? `text of ${node.parentElement?.outerHTML}` : node?.outerHTML)?.slice(0, 80));
    window.shifts.push(`${entry.value.toFixed(4)} ${nodes}`);
  }
}).observe({ type: 'layout-shift', buffered: true });
"""
READY = """() => document.readyState === 'complete'
  && [...document.querySelectorAll('stock-chart, equity-chart')].every((e) => e.ariaBusy === 'false')"""


@dataclass
class Choices:
    """How a reader has set the site, and the window."""

    locale: str = "en"
    theme: str = "light"
    colors: str = "us"
    width: int = 1440

    def cookies(self, url: str) -> list[Any]:
        """The cookies that say so."""
        values = {"locale": self.locale, "theme": self.theme, "colors": self.colors}
        return [{"name": f"sise_{name}", "value": v, "url": url} for name, v in values.items()]


@dataclass
class Watch:
    """Notes what a page should never do: errors, warnings, requests to other hosts."""

    url: str
    faults: list[str] = field(default_factory=list)
    sockets: list[str] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)

    def attach(self, page: Page) -> None:
        """Listens to everything of a page."""
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.faults.append(f"page error: {error}"))
        page.on("request", self._request)
        page.on("websocket", lambda socket: self.sockets.append(socket.url))

    def _console(self, message: ConsoleMessage) -> None:
        blocked = message.text.startswith("Service Worker registration blocked by Playwright")
        if message.type in {"error", "warning"} and not blocked:
            place = message.location
            self.faults.append(f"{message.type}: {message.text} ({place['url']})")

    def _request(self, request: Request) -> None:
        self.requests.append(request)
        target = urlsplit(request.url)
        if target.scheme != "data" and target.netloc != urlsplit(self.url).netloc:
            self.faults.append(f"a request to {request.url}")


@asynccontextmanager
async def visiting(
    browser: Browser, url: str, choices: Choices | None = None, **options: Any
) -> AsyncIterator[tuple[Page, Watch]]:
    """A page of a new reader, and the watch over it; `options` are those of a browser context."""
    chosen = choices or Choices()
    size = {"width": chosen.width, "height": HEIGHTS.get(chosen.width, 900)}
    defaults = {"viewport": size, "color_scheme": chosen.theme, "service_workers": "block"}
    context: BrowserContext = await browser.new_context(base_url=url, **(defaults | options))
    try:
        await context.add_cookies(chosen.cookies(url))
        await context.add_init_script(REPORTS)
        page = await context.new_page()
        page.set_default_timeout(60_000)
        watch = Watch(url)
        watch.attach(page)
        yield page, watch
    finally:
        await context.close()


async def go(page: Page, path: str) -> None:
    """Opens an address and waits until it is complete, charts drawn."""
    await page.goto(path)
    await ready(page)


async def ready(page: Page) -> None:
    """Waits until the page is complete, charts drawn."""
    await page.wait_for_function(READY)


async def chart(page: Page, expression: str) -> Any:
    """What a JavaScript function of the page's chart element returns: `(c) => …`."""
    return await page.evaluate(f"({expression})(document.querySelector('stock-chart'))")


def send_tick(peer: FakeYahoo, symbol: str, price: float, at: datetime | None = None) -> None:
    """A price of the shared installation's present, or of `at`, once its feed listens to it."""
    for _ in range(600):
        if any(symbol in stream for stream in peer.streams()):
            break
        time.sleep(0.1)
    assert peer.tick(symbol, price, at=at or MONDAY_CLOCK.now()) == 1


async def sign_in(page: Page, name: str = "alice") -> None:
    """Comes in by the form, to the dashboard."""
    await go(page, "/login")
    await page.fill("#username", name)
    await page.fill("#password", PASSWORD)
    await page.press("#password", "Enter")
    await page.wait_for_url(re.compile(r"/$"))
