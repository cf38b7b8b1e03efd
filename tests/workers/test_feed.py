"""The feed: one leader, the source that is chosen, another one when that changes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import orjson
import pytest
from sqlalchemy import delete, text
from sqlalchemy.dialects.postgresql import insert

from app.adapters.bus import EVENTS, QUOTES, Bus
from app.config import Settings
from app.db.engine import Database
from app.db.models import Bar, Setting
from app.domain.quotes import Quote, QuoteSource, QuoteState, quotes_from_json
from app.env import Env
from app.errors import ConfigError
from tests.broker import until
from tests.db.test_lock import terminate
from tests.factories import make_bars, make_instrument
from tests.fakes.yahoo import FakeYahoo
from workers.feed import FeedTimes, Signals, run_feed

TIMES = FeedTimes(reread=0.2)


async def choose(env: Env, name: str) -> None:
    """As a switch of the source does: the row first, then the event."""
    async with env.db.write() as db:
        row = insert(Setting).values(key="source", value=name)
        changed = row.on_conflict_do_update(index_elements=["key"], set_={"value": name})
        await db.execute(changed)
    await env.bus.publish(EVENTS, orjson.dumps({"kind": "source", "source": name}))


@asynccontextmanager
async def feeding(settings: Settings, times: FeedTimes = TIMES) -> AsyncIterator[None]:
    running = asyncio.create_task(run_feed(settings, times))
    try:
        yield
    finally:
        running.cancel()
        await asyncio.wait({running})
        assert running.cancelled()


async def kept(bus: Bus) -> dict[str, Quote]:
    return {symbol: Quote.from_json(value) for symbol, value in (await bus.kept(QUOTES)).items()}


async def next_quotes(messages: AsyncIterator[tuple[str, bytes]]) -> list[Quote]:
    async with asyncio.timeout(60):
        return quotes_from_json((await anext(messages))[1])


@pytest.fixture
async def recorded(env: Env) -> Env:
    """AAPL with three recorded days; no source has been chosen."""
    await make_instrument(env, "AAPL")
    await make_bars(env, "AAPL", [10, 11, 12])
    return env


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Settings:
    """A replay of ten steps a second."""
    object.__setattr__(settings, "replay_step", 0.1)
    return settings


async def test_nothing_is_fed_before_a_source_is_chosen_and_then_it_is(
    recorded: Env, fast: Settings
):
    async with recorded.bus.listen(QUOTES) as messages, feeding(fast):
        await asyncio.sleep(0.5)
        assert await kept(recorded.bus) == {}
        await choose(recorded, "sample")
        states = {quote.state for quote in await next_quotes(messages)}
        assert states <= {QuoteState.REPLAY, QuoteState.HISTORIC}


async def test_the_feed_follows_a_switch_of_the_source(
    recorded: Env, fast: Settings, yahoo: FakeYahoo
):
    await choose(recorded, "sample")
    async with recorded.bus.listen(QUOTES) as messages, feeding(fast):
        while (await next_quotes(messages))[0].state is not QuoteState.REPLAY:
            pass
        async with recorded.db.write() as db:
            await db.execute(delete(Bar))
        await choose(recorded, "yahoo")
        await until(lambda: yahoo.streams() == [["AAPL"]])
        async with asyncio.timeout(60):
            while {q.source for q in (await kept(recorded.bus)).values()} - {QuoteSource.YAHOO}:
                await asyncio.sleep(0.01)
        await choose(recorded, "sample")
        await until(lambda: yahoo.streams() == [])


async def test_a_switch_that_was_not_heard_is_found_all_the_same(
    recorded: Env, fast: Settings, yahoo: FakeYahoo
):
    async with feeding(fast):
        async with recorded.db.write() as db:
            await db.execute(text("INSERT INTO setting VALUES ('source', '\"yahoo\"')"))
        await until(lambda: yahoo.streams() == [["AAPL"]])


async def test_of_two_feeds_one_publishes(recorded: Env, fast: Settings, superuser: Database):
    await choose(recorded, "sample")
    async with feeding(fast), feeding(fast):
        async with recorded.bus.listen(QUOTES) as messages:
            prices = []
            while len(prices) < 12:
                prices += [(q.day, q.at) for q in await next_quotes(messages)]
        async with superuser.read() as db:
            locks = "SELECT granted FROM pg_locks WHERE locktype = 'advisory' ORDER BY granted"
            granted = list((await db.scalars(text(locks))).all())
        assert granted == [False, True]


async def test_a_feed_that_loses_its_lock_stops_and_comes_back(
    recorded: Env, fast: Settings, superuser: Database
):
    await choose(recorded, "sample")
    async with recorded.bus.listen(QUOTES) as messages, feeding(fast):
        await next_quotes(messages)
        await terminate(superuser, "sise-feed-lock")
        for _ in range(8):
            await next_quotes(messages)


async def test_flushall_is_overcome(recorded: Env, fast: Settings):
    await choose(recorded, "sample")
    async with recorded.bus.listen(QUOTES) as messages, feeding(fast):
        await next_quotes(messages)
        await recorded.bus._redis.flushall()
        await next_quotes(messages)
        await next_quotes(messages)
        assert set(await kept(recorded.bus)) == {"AAPL"}


async def test_a_feed_without_servers_says_what_is_missing(settings: Settings):
    object.__setattr__(settings, "database_url", None)
    with pytest.raises(ConfigError, match="SISE_DATABASE_URL"):
        await run_feed(settings)


async def test_only_what_concerns_the_feed_is_a_signal(env: Env):
    signals = Signals()
    listening = asyncio.create_task(signals.run(env))
    await signals.wait(5)  # listening has begun
    loop = asyncio.get_running_loop()
    for data in (b"", b"[]", b"7", b"{}", b'{"kind": "replay"}', b'{"kind": 5}'):
        await env.bus.publish(EVENTS, data)
    begun = loop.time()
    await signals.wait(0.2)
    assert loop.time() - begun >= 0.19
    for kind in ("source", "tracked", "collected"):
        await env.bus.publish(EVENTS, orjson.dumps({"kind": kind}))
        begun = loop.time()
        await signals.wait(5)
        assert loop.time() - begun < 4
    listening.cancel()
    await asyncio.wait({listening})
