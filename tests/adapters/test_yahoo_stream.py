"""Yahoo's stream against a local server: prices come, and it comes back after every fault."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from app.adapters.prices import BadPayload, Tick
from app.adapters.yahoo_stream import MAX_MESSAGE, YahooStream, pause_after, read_tick
from tests.fakes.pricing import PricingData

AT = datetime(2026, 1, 5, 15, 30, 7, tzinfo=UTC)


def envelope(kind="pricing", **fields):
    message = base64.b64encode(PricingData(**fields).SerializeToString()).decode()
    return json.dumps({"type": kind, "message": message})


async def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Waits for a condition."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


@asynccontextmanager
async def streaming(yahoo, symbols, *, expecting=False, stale_after=30.0):
    """A running stream and the ticks it brought."""
    ticks: list[Tick] = []
    stream = YahooStream(yahoo.stream_url, expecting=lambda: expecting, stale_after=stale_after)
    await stream.watch(symbols)
    running = asyncio.create_task(stream.run(ticks.append))
    try:
        yield stream, ticks
    finally:
        running.cancel()
        await asyncio.wait({running})
        await until(lambda: not yahoo.streams())


async def test_a_price_arrives_as_it_was_sent(yahoo):
    async with streaming(yahoo, ["AAPL", "MSFT"]) as (stream, ticks):
        await until(lambda: yahoo.streams() == [["AAPL", "MSFT"]])
        assert not stream.alive
        assert yahoo.tick("AAPL", 431.53, previous_close=430.47, at=AT, volume=12345) == 1
        await until(lambda: len(ticks) == 1)
        assert ticks == [Tick("AAPL", 431.53, AT, 430.47, 12345, regular=True)]
        assert stream.alive


async def test_the_subscription_follows_what_is_watched(yahoo):
    async with streaming(yahoo, ["AAPL"]) as (stream, ticks):
        await until(lambda: yahoo.streams() == [["AAPL"]])
        await stream.watch(["MSFT", "IBM"])
        await until(lambda: yahoo.streams() == [["IBM", "MSFT"]])
        assert yahoo.tick("AAPL", 1.0, at=AT) == 0
        yahoo.tick("IBM", 201.5, at=AT)
        await until(lambda: [t.symbol for t in ticks] == ["IBM"])


async def test_nothing_is_opened_while_nothing_is_watched(yahoo):
    async with streaming(yahoo, []) as (stream, _):
        await asyncio.sleep(0.1)
        assert yahoo.streams() == []
        await stream.watch(["AAPL"])
        await until(lambda: yahoo.streams() == [["AAPL"]])


async def test_a_closed_connection_is_made_anew(yahoo):
    async with streaming(yahoo, ["AAPL"]) as (stream, ticks):
        for price in (430.0, 431.0, 432.0):
            await until(lambda: yahoo.streams() == [["AAPL"]])
            yahoo.tick("AAPL", price, at=AT)
            await until(lambda price=price: bool(ticks) and ticks[-1].price == price)
            yahoo.drop_streams()
            await until(lambda: not stream.alive)
        assert len(ticks) == 3


async def test_a_server_that_turns_streams_away_is_tried_again(yahoo):
    yahoo.fault("stream", "refuse", times=2)
    async with streaming(yahoo, ["AAPL"]) as (_, ticks):
        await until(lambda: yahoo.streams() == [["AAPL"]])
        yahoo.tick("AAPL", 430.0, at=AT)
        await until(lambda: len(ticks) == 1)


async def test_silence_ends_the_connection_only_while_prices_are_expected(yahoo):
    async with streaming(yahoo, ["AAPL"], expecting=True, stale_after=0.1) as (stream, _):
        await until(lambda: len(yahoo.log("stream")) >= 3)
        assert not stream.alive
    yahoo.clear_log()
    async with streaming(yahoo, ["AAPL"], expecting=False, stale_after=0.1):
        await until(lambda: yahoo.streams() == [["AAPL"]])
        await asyncio.sleep(0.5)
        assert len(yahoo.log("stream")) == 1


async def test_garbage_is_dropped_and_the_stream_goes_on(yahoo, caplog):
    garbage = ["", "{", "[]", "7", "null", '{"type": "pricing"}', "\u0000", envelope(time=5)]
    garbage += ['{"type": "pricing", "message": "%%%"}', '{"type": "pricing", "message": "AAAA"}']
    async with streaming(yahoo, ["AAPL"]) as (_, ticks):
        await until(lambda: yahoo.streams() == [["AAPL"]])
        for text in garbage:
            yahoo.send_raw(text)
        yahoo.tick("AAPL", 430.0, at=AT)
        await until(lambda: len(ticks) == 1)
    dropped = [r for r in caplog.records if r.message == "price message dropped"]
    assert len(dropped) == len(garbage)
    assert len(yahoo.log("stream")) == 1


async def test_a_huge_message_ends_the_connection_and_no_more(yahoo):
    async with streaming(yahoo, ["AAPL"]) as (_, ticks):
        await until(lambda: yahoo.streams() == [["AAPL"]])
        yahoo.send_raw("x" * (MAX_MESSAGE + 1))
        await until(lambda: len(yahoo.log("stream")) == 2)
        yahoo.tick("AAPL", 430.0, at=AT)
        await until(lambda: len(ticks) == 1)


def test_pauses_grow_and_are_bounded():
    for failures in range(1, 40):
        bound = min(30.0, 0.5 * 2 ** (failures - 1))
        assert bound / 2 <= pause_after(failures) <= bound


GOOD = {"id": "AAPL", "price": 10.5, "time": 1_767_627_007_000}


def test_the_close_before_is_derived_from_the_change_when_it_is_not_sent():
    assert read_tick(envelope(**GOOD)).previous_close is None
    assert read_tick(envelope(**GOOD, previous_close=10.1)).previous_close == 10.1
    assert read_tick(envelope(**GOOD, change=0.4)).previous_close == 10.1
    assert read_tick(envelope(**GOOD, change=0.4567, price_hint=4)).previous_close == 10.0433


def test_prices_from_before_the_open_are_told_from_regular_ones():
    assert read_tick(envelope(**GOOD, market_hours=1)).regular
    assert not read_tick(envelope(**GOOD)).regular


@pytest.mark.parametrize("other", [{"market_hours": 2}, {"market_hours": 3}, {"quote_type": 7}])
def test_after_hours_prices_and_heartbeats_are_no_ticks(other):
    assert read_tick(envelope(**GOOD, **other)) is None
    assert read_tick(envelope(kind="notice", **GOOD)) is None


@pytest.mark.parametrize("wrong", [{"time": 0}, {"time": -5}, {"time": 2**62}, {"id": ""}])
def test_a_price_without_symbol_or_time_is_a_bad_payload(wrong):
    assert isinstance(read_tick(envelope(**(GOOD | wrong))), BadPayload)
