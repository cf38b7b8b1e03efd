"""What the content policy and the console say, and the headers of every answer."""

from __future__ import annotations

import httpx
import pytest

from app.web.headers import CONTENT_SECURITY_POLICY
from tests.browser.visiting import PAGES, go, visiting

OTHERS = (
    "/api/candles/AAPL",
    "/api/candles/NOPE",
    "/manifest.webmanifest",
    "/sw.js",
    "/static/app.css",
    "/static/offline.html",
    "/static/nothing.js",
    "/healthz",
    "/readyz",
    "/schema.graphql",
    "/nothing",
)


async def test_a_form_that_is_refused_reports_nothing_to_the_console_but_its_status(
    browser, sample_site
):
    async with visiting(browser, sample_site.url) as (page, watch):
        await go(page, "/")
        await page.fill("#track-symbol", "NOPE")
        await page.click("#track button")
        await page.wait_for_selector("#track-error")
        assert await page.evaluate("window.violations") == []
        assert all("status of 422" in f or "status of 40" in f for f in watch.faults)
        assert await page.input_value("#track-symbol") == "NOPE"


@pytest.mark.parametrize("path", [*PAGES.values(), *OTHERS])
def test_every_answer_has_the_headers(sample_site, path):
    answer = httpx.get(sample_site.url + path)
    assert answer.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"


async def test_no_script_but_ours_becomes_code(browser, sample_site):
    async with visiting(browser, sample_site.url) as (page, _):
        await go(page, "/about")
        refused = await page.evaluate(
            """async () => {
              await new Promise((go) => setTimeout(go)); // out of what the debugger may do
              const tries = {
                html: () => { document.createElement('p').innerHTML = '<b>x</b>'; },
                text: () => { document.createElement('script').text = '1'; },
                evaluation: () => window['ev' + 'al']('1'),
                policy: () => window.trustedTypes.createPolicy('other', {}),
                again: () => window.trustedTypes.createPolicy('htmx', {}),
              };
              return Object.keys(tries).filter((name) => {
                try { tries[name](); return false; } catch { return true; }
              });
            }"""
        )
    assert refused == ["html", "text", "evaluation", "policy", "again"]


async def test_the_service_worker_comes_through_its_policy(browser, sample_site):
    async with visiting(browser, sample_site.url, service_workers="allow") as (page, watch):
        await go(page, "/about")
        active = await page.evaluate(
            "navigator.serviceWorker.ready.then((r) => new URL(r.active.scriptURL).pathname)"
        )
        assert active == "/sw.js"
        assert watch.faults == []
