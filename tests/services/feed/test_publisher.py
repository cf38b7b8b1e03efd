"""The publisher: conflated batches, a hash that heals, nothing that piles up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from app.adapters.bus import QUOTES, Bus
from app.domain.quotes import Quote, QuoteSource, QuoteState, quotes_from_json
from app.env import Env
from app.services.feed.publisher import Publisher
from tests.broker import start_broker, until

AT = datetime(2026, 1, 5, 15, 30, tzinfo=UTC)


def quote(symbol="AAPL", price=1, source=QuoteSource.YAHOO):
    at = AT + timedelta(seconds=price)
    return Quote(symbol, Decimal(price), None, at, date(2026, 1, 5), source, QuoteState.LIVE)


@asynccontextmanager
async def publishing(bus: Bus) -> AsyncIterator[Publisher]:
    publisher = Publisher(bus)
    running = asyncio.create_task(publisher.run())
    try:
        yield publisher
    finally:
        running.cancel()
        await asyncio.wait({running})


async def hear(messages: AsyncIterator[tuple[str, bytes]]) -> list[Quote]:
    async with asyncio.timeout(60):
        return quotes_from_json((await anext(messages))[1])


async def kept(bus: Bus) -> dict[str, int]:
    values = await bus.kept(QUOTES)
    return {symbol: int(Quote.from_json(v).price) for symbol, v in values.items()}


async def test_ticks_are_conflated_to_ten_batches_a_second(env: Env):
    async with env.bus.listen(QUOTES) as messages, publishing(env.bus) as publisher:
        begun = asyncio.get_running_loop().time()
        for price in range(1, 501):
            publisher.put(quote("AAPL", price))
            publisher.put(quote("MSFT", price))
            await asyncio.sleep(0.002)
        batches = [await hear(messages)]
        while batches[-1][0].price < 500:
            batches.append(await hear(messages))
        seconds = asyncio.get_running_loop().time() - begun
        assert len(batches) <= 10 * seconds + 2
        assert all(len(batch) == 2 for batch in batches)
        prices = [int(batch[0].price) for batch in batches]
        assert prices == sorted(prices)
        assert await kept(env.bus) == {"AAPL": 500, "MSFT": 500}
        assert publisher.held["AAPL"].price == 500


async def test_a_broker_that_lost_everything_has_it_back(env: Env, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("app.services.feed.publisher.KEEP_EVERY", 0.2)
    async with env.bus.listen(QUOTES) as messages, publishing(env.bus) as publisher:
        publisher.put(quote())
        await hear(messages)
        await env.bus.forget(QUOTES)
        async with asyncio.timeout(60):
            while await kept(env.bus) != {"AAPL": 1}:
                await asyncio.sleep(0.02)


async def test_while_the_broker_is_away_the_newest_of_each_symbol_waits():
    with start_broker() as broker:
        bus = Bus(broker.url)
        async with publishing(bus) as publisher:
            publisher.put(quote("IBM", 7))
            await until(lambda: not publisher._waiting)
            broker.kill()
            for price in range(1, 1001):
                publisher.put(quote("AAPL", price))
            await asyncio.sleep(0.3)
            assert len(publisher._waiting) <= 2  # IBM may have been on its way
            broker.start()
            async with asyncio.timeout(60):
                while await kept(bus) != {"AAPL": 1000, "IBM": 7}:
                    await asyncio.sleep(0.02)
        await bus.close()


async def test_what_is_cleared_is_gone_before_anything_new_is_sent(env: Env):
    async with env.bus.listen(QUOTES) as messages, publishing(env.bus) as publisher:
        publisher.put(quote("AAPL"))
        await hear(messages)
        publisher.put(quote("IBM"))
        publisher.clear()
        publisher.put(quote("MSFT"))
        assert [q.symbol for q in await hear(messages)] == ["MSFT"]
        assert await kept(env.bus) == {"MSFT": 1}
        assert set(publisher.held) == {"MSFT"}


async def test_a_successor_begins_with_what_was_left(env: Env):
    old = quote("AAPL", 5)
    await env.bus.keep(QUOTES, {"AAPL": old.to_json()})
    async with publishing(env.bus) as publisher:
        await publisher.take_over(recorded=False)
        assert publisher.held == {"AAPL": old}
        await asyncio.sleep(0.15)
        assert await kept(env.bus) == {"AAPL": 5}


async def test_what_another_source_left_is_wiped(env: Env):
    left = {"AAPL": quote("AAPL", 5, QuoteSource.SAMPLE), "MSFT": quote("MSFT", 6)}
    await env.bus.keep(QUOTES, {s: q.to_json() for s, q in left.items()})
    async with env.bus.listen(QUOTES) as messages, publishing(env.bus) as publisher:
        await publisher.take_over(recorded=False)
        assert set(publisher.held) == {"MSFT"}
        publisher.put(replace(left["MSFT"], price=Decimal(8)))
        await hear(messages)
        assert await kept(env.bus) == {"MSFT": 8}


async def test_garbage_that_was_left_is_wiped_too(env: Env):
    await env.bus.keep(QUOTES, {"AAPL": b"garbage"})
    async with env.bus.listen(QUOTES) as messages, publishing(env.bus) as publisher:
        await publisher.take_over(recorded=False)
        assert publisher.held == {}
        publisher.put(quote("MSFT"))
        await hear(messages)
        assert await kept(env.bus) == {"MSFT": 1}
