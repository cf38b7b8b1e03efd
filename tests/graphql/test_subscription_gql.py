"""`Subscription.quotes` and `quoteFrames` over a real server, for a client that is not ours (gql)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import pairwise

import pytest
from gql import Client, gql
from gql.transport.websockets import WebsocketsTransport

from app.adapters.bus import QUOTES, Bus
from app.config import Settings
from app.domain.quotes import Quote, QuoteSource, QuoteState, quotes_to_json
from app.env import Env
from app.services.feed.fan_out import INTERVAL
from tests.broker import start_broker
from tests.factories import make_bars, make_instrument
from tests.serving import served

SYMBOLS = ["AAPL", "MSFT", "IBM"]
QUOTES_OF = gql("subscription Q($s: [String!]!) { quotes(symbols: $s) { symbol price state } }")
FRAMES_OF = gql("subscription F($s: [String!]!) { quoteFrames(symbols: $s) }")


def quote(symbol: str, price: int) -> Quote:
    at = datetime(2012, 3, 5, 21, tzinfo=UTC)
    money = Decimal(price), Decimal(100)
    return Quote(symbol, *money, at, date(2012, 3, 5), QuoteSource.SAMPLE, QuoteState.REPLAY)


async def publish(bus: Bus, **prices: int) -> None:
    quotes = [quote(symbol, price) for symbol, price in prices.items()]
    values = {q.symbol: q.to_json() for q in quotes}
    await bus.announce(QUOTES, quotes_to_json(quotes), QUOTES, values)


@asynccontextmanager
async def subscribed(url: str, document=QUOTES_OF, symbols=SYMBOLS) -> AsyncIterator:
    """The results of a subscription, as they come."""
    transport = WebsocketsTransport(
        url.replace("http", "ws") + "/graphql",
        subprotocols=["graphql-transport-ws"],
        connect_timeout=60,
        ack_timeout=60,
    )
    async with Client(transport=transport) as session:
        document.variable_values = {"s": symbols}
        async with aclosing(session.subscribe(document)) as results:
            yield results


async def prices(results) -> dict[str, str]:
    async with asyncio.timeout(60):
        data = await anext(results)
    return {row["symbol"]: row["price"] for row in data["quotes"]}


@pytest.fixture
async def market(env: Env) -> Env:
    for symbol in SYMBOLS:
        await make_instrument(env, symbol)
    await make_bars(env, "IBM", [200])
    return env


async def test_first_a_whole_snapshot_then_only_what_changed(market: Env, settings: Settings):
    await publish(market.bus, AAPL=101, MSFT=50)
    with served(settings) as url:
        async with subscribed(url) as results:
            assert await prices(results) == {"AAPL": "101", "MSFT": "50", "IBM": "200"}
            await publish(market.bus, AAPL=102, MSFT=50)
            assert await prices(results) == {"AAPL": "102"}
            await publish(market.bus, IBM=201)
            assert await prices(results) == {"IBM": "201"}


async def test_there_are_at_most_four_frames_a_second(market: Env, settings: Settings):
    loop = asyncio.get_running_loop()
    with served(settings) as url:
        async with subscribed(url, FRAMES_OF, ["AAPL"]) as results, asyncio.TaskGroup() as tasks:

            async def chatter() -> None:
                for price in range(1, 401):
                    await publish(market.bus, AAPL=price)
                    await asyncio.sleep(0.005)

            await anext(results)
            tasks.create_task(chatter())
            begun = loop.time()
            times, seen = [], []
            async with asyncio.timeout(60):
                while not seen or seen[-1] != ["400"]:
                    seen.append((await anext(results))["quoteFrames"]["price"])
                    times.append(loop.time())
        assert len(times) <= (times[-1] - begun) / INTERVAL + 2
        assert all(late > early for early, late in pairwise(times))
        assert [int(p[0]) for p in seen] == sorted(int(p[0]) for p in seen)


async def test_two_clients_see_the_same_and_the_second_begins_with_a_snapshot(
    market: Env, settings: Settings
):
    with served(settings) as url:
        async with subscribed(url) as one:
            assert await prices(one) == {"IBM": "200"}
            await publish(market.bus, AAPL=1)
            assert await prices(one) == {"AAPL": "1"}
            async with subscribed(url) as two:
                assert await prices(two) == {"IBM": "200", "AAPL": "1"}
                await publish(market.bus, MSFT=2)
                assert await prices(one) == await prices(two) == {"MSFT": "2"}


async def test_prices_flow_again_after_the_broker_was_killed(market: Env, settings: Settings):
    with start_broker() as broker:
        bus = Bus(broker.url)
        await publish(bus, AAPL=101)
        with served(replace(settings, redis_url=broker.url)) as url:
            async with subscribed(url) as results:
                assert await prices(results) == {"AAPL": "101", "IBM": "200"}
                broker.kill()
                broker.start()
                snapshot = await prices(results)
                assert snapshot == {"AAPL": "101"}
                await publish(bus, AAPL=102, MSFT=60)
                assert await prices(results) == {"AAPL": "102", "MSFT": "60"}
        await bus.close()
