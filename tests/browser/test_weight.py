"""What a first visit brings over the wire, and that htmx never starts before its guard."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser

from tests.browser.visiting import go, visiting
from tests.sites import Site

KB = 1000


@pytest.mark.parametrize(
    ("path", "most"),
    [
        ("/", 160),
        ("/instruments/AAPL", 160),
        ("/jobs", 45),
        ("/data", 45),
        ("/about", 45),
        ("/login", 45),
        ("/setup?step=account", 45),
    ],
)
async def test_a_first_visit_is_light(
    browser: Browser, sample_site: Site, path: str, most: int
) -> None:
    """Bytes as Chromium counts them on the wire: bodies compressed, headers too."""
    async with visiting(browser, sample_site.url) as (page, _):
        session = await page.context.new_cdp_session(page)
        await session.send("Network.enable")
        received: list[float] = []
        session.on("Network.loadingFinished", lambda e: received.append(e["encodedDataLength"]))
        await go(page, path)
        await page.wait_for_timeout(500)
    assert received
    assert sum(received) <= most * KB, f"{sum(received) / KB:.1f} kB in {len(received)} answers"


async def test_twenty_cold_loads_have_the_guard_before_htmx_starts(
    browser: Browser, sample_site: Site
) -> None:
    """With the guard, the string of a trigger's filter is refused and later elements still work."""
    for number in range(20):
        async with visiting(browser, sample_site.url) as (page, watch):
            await page.goto("/about", wait_until="load")
            assert watch.faults == []
            policy = await page.evaluate(
                """() => {
                  try { trustedTypes.createPolicy('htmx', {}); return 'free'; }
                  catch { return 'taken'; }
                }"""
            )
            assert policy == "taken", f"load {number}: the guard was not there"
