"""Live prices on a page: what is painted and when, and what happens when the wire breaks."""

from __future__ import annotations

import json
import re
import time
from base64 import b64encode

import httpx
import pytest

from tests.browser.conftest import MONDAY_CLOCK
from tests.browser.relay import relaying
from tests.browser.visiting import Choices, go, send_tick, visiting
from tests.fakes.pricing import PricingData

CHIP = "() => ((c) => [c.dataset.state, c.innerText])(document.getElementById('connection'))"
PRICE = "() => document.querySelector('.headline-price').textContent.trim()"
NOTE_TICKS = """() => {
  window.ticks = [];
  new MutationObserver((all) => all.forEach((m) => window.ticks.push(
    [m.target.dataset.q, m.target.dataset.tick]))).observe(
    document.getElementById('watchlist'), { subtree: true, attributeFilter: ['data-tick'] });
}"""
COUNT_TICKS = """() => {
  window.ticked = 0;
  window.shifts.length = 0;
  new MutationObserver((all) => { window.ticked += all.length; })
    .observe(document.body, { subtree: true, attributeFilter: ['data-tick'] });
}"""
CHANGE = """(texts) => {
  for (const [field, text] of Object.entries(texts)) {
    for (const cell of document.querySelectorAll(`[data-q][data-f="${field}"]`)) {
      cell.textContent = field === 'price' && text === 'longer' ? `${cell.textContent}0` : text;
      if (field !== 'price') cell.dataset.dir = { '+': 'up', '-': 'down' }[text[0]] ?? 'flat';
    }
  }
}"""
CHANGES = (
    {"price": "9.87", "change": "0.00", "changePercent": "0.00%"},
    {"price": "123.45", "change": "+10.05", "changePercent": "+12.25%"},
    {"price": "longer", "change": "-0.05", "changePercent": "-0.25%"},
)
"""What a tick may write; an arrow that stays goes with the first digit, so each one turns."""


async def wait_for_state(page, state, timeout=60_000):
    """Waits until the connection chip says so."""
    await page.wait_for_function(
        "(s) => document.getElementById('connection').dataset.state === s",
        arg=state,
        timeout=timeout,
    )


async def wait_for_change(page, timeout=60_000):
    """Waits until the price in the headline is another."""
    before = await page.evaluate(PRICE)
    await page.wait_for_function(
        "(p) => document.querySelector('.headline-price').textContent.trim() !== p",
        arg=before,
        timeout=timeout,
    )


async def test_prices_flash_and_the_flash_changes_its_name(browser, sample_site):
    async with visiting(browser, sample_site.url) as (page, watch):
        await go(page, "/")
        await page.evaluate(NOTE_TICKS)
        await page.wait_for_function("() => window.ticks.length > 12")
        ticks = await page.evaluate("() => window.ticks")
        last: dict[str, str] = {}
        for symbol, tick in ticks:
            assert re.fullmatch("[ud][01]", tick)
            assert last.get(symbol, "x")[-1] != tick[-1]
            last[symbol] = tick
        name = await page.evaluate(
            """() => getComputedStyle(document.querySelector('[data-tick]'), '::after')
              .animationName"""
        )
        assert name in {"tick-0", "tick-1"}
        await page.emulate_media(reduced_motion="reduce")
        still = await page.evaluate(
            """() => getComputedStyle(document.querySelector('[data-tick]'), '::after')
              .animationName"""
        )
        assert still == "none"
        assert watch.faults == []


@pytest.mark.parametrize("width", [390, 1440])
async def test_a_tick_moves_nothing(browser, sample_site, width):
    """Neither those of the replay, nor one that makes each number longer, shorter, or turn."""
    async with visiting(browser, sample_site.url, Choices(width=width)) as (page, watch):
        for path, count in (("/", 20), ("/instruments/AAPL", 5)):
            await go(page, path)
            await page.locator(".headline [data-state='REPLAY']").wait_for()
            await page.evaluate(COUNT_TICKS)
            await page.wait_for_function("(count) => window.ticked >= count", arg=count)
            for change in CHANGES:
                await page.evaluate(CHANGE, change)
                await page.wait_for_timeout(100)
            assert await page.evaluate("window.shifts") == [], path
            wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            assert await page.evaluate(wide) == 0
        assert watch.faults == []


async def test_the_replayed_day_goes_on_in_words(browser, sample_site):
    async with visiting(browser, sample_site.url, Choices("ko")) as (page, _):
        await go(page, "/")
        day = page.locator("[data-replay-day]")
        before = await day.get_attribute("data-replay-day")
        await page.wait_for_function(
            "(d) => document.querySelector('[data-replay-day]').dataset.replayDay > d", arg=before
        )
        year, month, number = (await day.get_attribute("data-replay-day")).split("-")
        assert await day.inner_text() == f"{year}년 {int(month)}월 {int(number)}일"


async def test_a_navigation_keeps_the_socket_and_asks_for_the_symbols_of_the_new_page(
    browser, yahoo_site, yahoo_peer
):
    sent = []
    async with visiting(browser, yahoo_site.url) as (page, watch):
        page.on(
            "websocket",
            lambda s: s.on("framesent", lambda text: sent.append(json.loads(text))),
        )
        await go(page, "/")
        await wait_for_state(page, "live")
        await page.click("#watchlist [data-symbol='MSFT'] a")
        await page.wait_for_url("**symbol=MSFT**")
        await page.click("#chart-title a")
        await page.wait_for_selector(".instrument-title[data-symbol='MSFT']")
        await page.wait_for_function(
            "() => document.querySelector('stock-chart')?.ariaBusy === 'false'"
        )
        asked = [m["payload"]["variables"]["symbols"] for m in sent if m["type"] == "subscribe"]
        assert asked[-1] == ["MSFT"]
        assert len(asked[0]) == 14
        assert sum(m["type"] == "complete" for m in sent) == len(asked) - 1
        send_tick(yahoo_peer, "MSFT", 29.07)
        await page.wait_for_function(f"() => ({PRICE})() === '29.07'")
        assert len(watch.sockets) == 1
        assert watch.faults == []


async def test_many_ticks_a_second_make_few_frames_and_the_last_one_wins(
    browser, yahoo_site, yahoo_peer
):
    frames = []

    def note(text):
        frames.append(text)

    async with visiting(browser, yahoo_site.url) as (page, watch):
        page.on("websocket", lambda socket: socket.on("framereceived", note))
        await go(page, "/instruments/AAPL")
        await wait_for_state(page, "live")
        send_tick(yahoo_peer, "AAPL", 431.0)
        await page.wait_for_function(f"() => ({PRICE})() === '431.00'")
        frames.clear()
        begun = time.monotonic()
        moment = MONDAY_CLOCK.now().timestamp()
        for number in range(150):
            tick = PricingData(
                id="AAPL",
                price=431 + number / 100,
                time=round(moment * 1000) + number,
                currency="USD",
                exchange="NMS",
                quote_type=8,
                market_hours=1,
                previous_close=430.47,
                price_hint=2,
            )
            message = b64encode(tick.SerializeToString()).decode()
            yahoo_peer.send_raw(json.dumps({"type": "pricing", "message": message}))
        await page.wait_for_function(f"() => ({PRICE})() === '432.49'")
        seconds = time.monotonic() - begun
        prices = [text for text in frames if '"next"' in text]
        assert len(prices) <= 4 * seconds + 2, f"{len(prices)} frames in {seconds:.1f} s"
        assert watch.faults == []


@pytest.fixture
def soon(full: bool) -> float:
    """Seconds within which a page is live again: the promise, or what a busy machine may take."""
    return 4 if full else 60


async def test_a_cut_wire_greys_the_prices_and_is_mended_within_four_seconds(
    browser, sample_site, soon
):
    colour = "() => getComputedStyle(document.querySelector('.headline-price .price')).color"
    async with (
        relaying(sample_site.url) as relay,
        visiting(browser, relay.url, Choices("ko")) as (page, watch),
    ):
        await go(page, "/")
        await wait_for_state(page, "live")
        plain = await page.evaluate(colour)
        await relay.cut()
        await page.wait_for_function(
            "() => document.getElementById('connection').dataset.state !== 'live'"
        )
        assert await page.evaluate("() => document.documentElement.dataset.feed") is None
        await page.wait_for_function("() => document.documentElement.dataset.feed === 'stale'")
        assert await page.evaluate(colour) != plain
        assert re.fullmatch(r"\d\d:\d\d:\d\d 기준", (await page.evaluate(CHIP))[1])
        assert await page.inner_text("#status") == "다시 연결 중"
        await relay.mend()
        mended = time.monotonic()
        await wait_for_state(page, "live")
        await wait_for_change(page)
        assert time.monotonic() - mended < soon
        assert await page.evaluate(colour) == plain
        assert (await page.evaluate(CHIP))[1] == "재생"
        assert not [f for f in watch.faults if "page error" in f]


async def test_a_wire_that_is_silent_is_given_up(browser, sample_site):
    async with relaying(sample_site.url) as relay, visiting(browser, relay.url) as (page, _):
        await page.clock.install()
        await go(page, "/")
        await wait_for_state(page, "live")
        relay.freeze()
        await page.clock.fast_forward(10_500)  # a ping is sent
        await page.clock.fast_forward(5_500)  # and not answered
        await page.wait_for_function(
            "() => document.getElementById('connection').dataset.state !== 'live'"
        )


async def test_a_page_that_nobody_sees_lets_go_of_its_socket(browser, sample_site):
    hide = """(hidden) => {
      Object.defineProperty(document, 'hidden', { configurable: true, value: hidden });
      document.dispatchEvent(new Event('visibilitychange'));
    }"""
    async with visiting(browser, sample_site.url) as (page, watch):
        await page.clock.install()
        await go(page, "/")
        await wait_for_state(page, "live")
        await page.evaluate(hide, True)
        await page.clock.fast_forward(61_000)
        await wait_for_state(page, "offline")
        await page.evaluate(hide, False)
        await wait_for_state(page, "live")
        await wait_for_change(page)
        assert len(watch.sockets) == 2


async def test_the_page_lives_on_when_the_web_process_is_killed(browser, sample_site, soon):
    """Chromium reports refused connections to the console; the page itself has no error."""
    async with visiting(browser, sample_site.url) as (page, watch):
        await go(page, "/")
        await page.evaluate("() => { window.mark = 1; }")
        await wait_for_state(page, "live")
        sample_site.find("app serve").kill()
        await page.wait_for_function(
            "() => document.getElementById('connection').dataset.state !== 'live'"
        )
        while True:
            try:
                httpx.get(f"{sample_site.url}/healthz", timeout=5)
                break
            except httpx.TransportError:
                await page.wait_for_timeout(50)
        answered = time.monotonic()
        await wait_for_state(page, "live")
        await wait_for_change(page)
        assert time.monotonic() - answered < soon
        assert await page.evaluate("() => window.mark") == 1
        assert not [f for f in watch.faults if "page error" in f]


async def test_without_a_server_there_is_the_offline_page_in_its_own_style(browser, sample_site):
    async with (
        relaying(sample_site.url) as relay,
        visiting(browser, relay.url, service_workers="allow") as (page, _),
    ):
        await go(page, "/about")
        await page.evaluate("navigator.serviceWorker.ready.then(() => 1)")
        await relay.cut()
        await page.goto("/jobs")
        assert await page.inner_text("h1") == "서버에 연결할 수 없습니다"
        assert await page.evaluate("getComputedStyle(document.body).display") == "flex"
        assert await page.evaluate("document.querySelector('img').naturalWidth") > 0
        await relay.mend()
        await page.click("a.button")
        await page.wait_for_selector("#watchlist")


async def test_each_row_says_of_when_its_price_is(browser, yahoo_site, yahoo_peer):
    """A price that moves has the time of New York, the others have the day of their close."""
    cell = "[data-q='{}'][data-f='asOf']"
    async with visiting(browser, yahoo_site.url) as (page, _):
        await go(page, "/")
        await wait_for_state(page, "live")
        assert await page.locator(cell.format("005930.KS")).first.inner_text() == "2013-02-28"
        send_tick(yahoo_peer, "MSFT", 28.71)
        await page.wait_for_function(
            r"(s) => /^\d\d:\d\d$/.test(document.querySelector(s).textContent)",
            arg=cell.format("MSFT"),
        )
