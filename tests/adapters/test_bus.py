"""The bus on a real Valkey: messages, hashes, and what is told when the broker goes away."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from app.adapters.bus import EVENTS, QUOTES, Bus
from app.env import Env
from app.errors import Unavailable
from tests.broker import start_broker


async def first(messages: AsyncIterator[tuple[str, bytes]]) -> tuple[str, bytes]:
    async with asyncio.timeout(60):
        return await anext(messages)


async def pings(url: str) -> int:
    """How many pings a broker has had."""
    async with Redis.from_url(url) as redis:
        stats = await redis.info("commandstats")
    return int(stats.get("cmdstat_ping", {}).get("calls", 0))


async def test_what_is_published_inside_the_block_is_heard(env: Env):
    for number in range(50):
        async with env.bus.listen(QUOTES, EVENTS) as messages:
            await env.bus.publish(EVENTS, b"%d" % number)
            assert await first(messages) == (EVENTS, b"%d" % number)


async def test_what_comes_while_a_second_channel_is_confirmed_is_not_lost(env: Env):
    stop = asyncio.Event()

    async def chatter() -> None:
        while not stop.is_set():
            await env.bus.publish(QUOTES, b"x")

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(chatter())
        for _ in range(50):
            async with env.bus.listen(QUOTES, EVENTS) as messages:
                assert await first(messages) == (QUOTES, b"x")
        stop.set()


async def test_two_listeners_hear_the_same_in_order(env: Env):
    async with env.bus.listen(EVENTS) as one, env.bus.listen(EVENTS) as two:
        for number in range(100):
            await env.bus.publish(EVENTS, b"%d" % number)
        for messages in (one, two):
            assert [(await first(messages))[1] for _ in range(100)] == [
                b"%d" % i for i in range(100)
            ]


async def test_one_value_of_a_hash_is_dropped_and_the_others_stay(env: Env):
    await env.bus.keep(QUOTES, {"AAPL": b"1", "IBM": b"2"})
    await env.bus.drop(QUOTES, "AAPL")
    await env.bus.drop(QUOTES, "NONE")
    assert await env.bus.kept(QUOTES) == {"IBM": b"2"}


async def test_an_announcement_is_in_the_hash_when_the_message_comes(env: Env):
    async with env.bus.listen(QUOTES) as messages:
        for number in range(50):
            value = b"%d" % number
            await env.bus.announce(QUOTES, value, QUOTES, {"AAPL": value})
            assert await first(messages) == (QUOTES, value)
            assert await env.bus.kept(QUOTES) == {"AAPL": value}


async def test_a_hash_is_read_whole_or_by_names(env: Env):
    await env.bus.keep(QUOTES, {"AAPL": b"1", "005930.KS": b"2"})
    await env.bus.keep(QUOTES, {})
    assert await env.bus.kept(QUOTES) == {"AAPL": b"1", "005930.KS": b"2"}
    assert await env.bus.kept(QUOTES, ["005930.KS", "NONE"]) == {"005930.KS": b"2"}
    assert await env.bus.kept(QUOTES, []) == {}
    await env.bus.forget(QUOTES)
    assert await env.bus.kept(QUOTES) == {}


async def test_a_cached_value_goes_away_by_itself(env: Env):
    await env.bus.cache("sise:test", b"value", 60)
    assert await env.bus.cached("sise:test") == b"value"
    await env.bus.cache("sise:test", b"value", 0.05)
    async with asyncio.timeout(60):
        while await env.bus.cached("sise:test") is not None:
            await asyncio.sleep(0.01)


async def test_a_killed_broker_is_told_of_at_once_and_found_again_later():
    with start_broker() as broker:
        bus = Bus(broker.url)
        await bus.keep(QUOTES, {"AAPL": b"1"})
        async with bus.listen(QUOTES) as messages:
            broker.kill()
            with pytest.raises(Unavailable):
                await first(messages)
        for attempt in (
            bus.ping(),
            bus.publish(QUOTES, b"x"),
            bus.announce(QUOTES, b"x", QUOTES, {"AAPL": b"2"}),
            bus.kept(QUOTES),
            bus.kept(QUOTES, ["AAPL"]),
            bus.listen(QUOTES).__aenter__(),
        ):
            with pytest.raises(Unavailable):
                await attempt
        broker.start()
        await bus.ping()
        async with bus.listen(QUOTES) as messages:
            await bus.publish(QUOTES, b"again")
            assert await first(messages) == (QUOTES, b"again")
        await bus.close()


async def test_a_broker_that_falls_silent_is_noticed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("app.adapters.bus.QUIET", 0.05)
    monkeypatch.setattr("app.adapters.bus.PATIENCE", 60.0)
    with start_broker() as broker:
        bus = Bus(broker.url)
        async with bus.listen(QUOTES) as messages:
            heard = asyncio.create_task(first(messages))
            async with asyncio.timeout(60):  # silence alone is no fault: pings are answered
                while await pings(broker.url) < 2:
                    await asyncio.sleep(0.02)
            assert not heard.done()
            monkeypatch.setattr("app.adapters.bus.PATIENCE", 0.5)
            broker.signal(signal.SIGSTOP)
            with pytest.raises(Unavailable):
                await heard
        with pytest.raises(Unavailable):
            await bus.ping()
        broker.signal(signal.SIGCONT)
        monkeypatch.setattr("app.adapters.bus.PATIENCE", 60.0)
        await bus.ping()
        await bus.close()
