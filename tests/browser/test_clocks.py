"""Clocks of the markets: the site's time, not the device's, and a market that opens meanwhile."""

from __future__ import annotations

import re

from tests.browser.visiting import go, visiting

TURN = """() => {
  const clock = document.querySelector('.clocks [data-change]');
  clock.dataset.change = new Date(0).toISOString();
  return clock.dataset.open;
}"""


async def test_clocks_show_the_sites_time_also_after_a_boosted_visit(browser, yahoo_site):
    async with visiting(browser, yahoo_site.url) as (page, _):
        await go(page, "/")
        for path in ("/", "/markets"):
            if path != "/":
                await page.click(".more")
                await page.click('#more a[href="/markets"]')
                await page.wait_for_url("**/markets")
            times = await page.locator("[data-clock]").all_text_contents()
            # the site's clock stands at ten in New York, midnight in Seoul, three in London
            assert set(times[:2]) <= {f"{h}:{m:02}" for h in ("00", "10") for m in range(60)}
            assert re.fullmatch(r"15:\d\d", times[-1]), times


async def test_a_market_that_opens_or_closes_turns_its_lamp(browser, yahoo_site):
    async with visiting(browser, yahoo_site.url) as (page, _):
        await go(page, "/about")
        before = await page.evaluate(TURN)
        turned = "false" if before == "true" else "true"
        await page.wait_for_function(
            f"() => document.querySelector('.clocks > span').dataset.open === '{turned}'"
        )
        await page.wait_for_timeout(1200)
        state = await page.get_attribute(".clocks > span", "data-open")
        assert state == turned  # once, not every second
        assert await page.get_attribute(".clocks > span", "data-change") is None


async def test_without_javascript_the_clocks_are_those_of_the_moment_of_the_page(
    browser, yahoo_site
):
    async with visiting(browser, yahoo_site.url, java_script_enabled=False) as (page, _):
        await page.goto("/markets")
        first = await page.locator(".clocks [data-clock]").first.text_content()
        assert re.fullmatch(r"00:\d\d", first or "")
        assert "10:" in (await page.locator(".clocks").text_content() or "")


async def test_a_list_is_pasted_and_an_instrument_removed_without_javascript(browser, sample_site):
    async with visiting(browser, sample_site.url, java_script_enabled=False) as (page, _):
        await page.goto("/universe")
        await page.fill("#symbols", "IBM ??? IBM")
        await page.click("#paste button")
        report = await page.text_content("#report")
        assert "1 watched already, 1 twice, 1 not understood" in " ".join((report or "").split())
        await page.goto("/instruments/IBM")
        await page.goto("/instruments/IBM/remove")
        await page.click('a:has-text("Keep it")')
        await page.wait_for_url("**/instruments/IBM")
