"""Live quotes: the newest for a question, a snapshot and then changes for a subscriber."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import orjson
import pytest
from sqlalchemy import event, insert

from app.adapters.bus import EVENTS, QUOTES, Bus
from app.clock import Clock
from app.db.models import Setting
from app.domain.quotes import Quote, QuoteSource, QuoteState, quotes_to_json
from app.env import Env
from app.services.feed.fan_out import SPACING
from app.services.feed.live import QuoteHub, list_quotes
from app.telemetry import REGISTRY
from tests.broker import start_broker, until
from tests.clocks import StillClock
from tests.factories import make_bars, make_instrument, make_sessions, weekdays

DAYS = weekdays(date(2025, 12, 22), 20)  # to Friday 16 January 2026
DAY = date(2026, 1, 5)
NOW = datetime(2026, 1, 5, 15, 30, tzinfo=UTC)


def quote(symbol="AAPL", price="10", at=NOW, state=QuoteState.LIVE, source=QuoteSource.YAHOO):
    return Quote(symbol, Decimal(price), Decimal(8), at, at.date(), source, state)


async def publish(bus: Bus, *quotes: Quote) -> None:
    values = {q.symbol: q.to_json() for q in quotes}
    await bus.announce(QUOTES, quotes_to_json(quotes), QUOTES, values)


async def make_market(env: Env, *symbols: str) -> None:
    for symbol in symbols:
        await make_instrument(env, symbol)
    await make_sessions(env, "XNAS", DAYS)


@pytest.fixture
def at_noon(env: Env) -> Env:
    """The same installation with a clock that stands in a session of New York."""
    return replace(env, clock=Clock(start=NOW, rate=0))


async def item(items: AsyncIterator[dict[str, Quote]]) -> dict[str, str]:
    """The next item, as price by symbol."""
    async with asyncio.timeout(60):
        return {symbol: str(q.price) for symbol, q in (await anext(items)).items()}


@asynccontextmanager
async def running(env: Env) -> AsyncIterator[QuoteHub]:
    hub = QuoteHub(env)
    async with hub.running():
        yield hub


async def test_the_newest_quotes_come_from_the_bus_then_from_the_bars(at_noon: Env):
    await make_market(at_noon, "AAPL", "MSFT", "IBM")
    await make_bars(at_noon, "MSFT", [20, 21], start=date(2026, 1, 1), source="yahoo")
    await publish(at_noon.bus, quote())
    found = await list_quotes(at_noon, ["MSFT", "AAPL", "IBM", "NONE", "AAPL"])
    assert [(s, str(q.price), q.state) for s, q in found.items()] == [
        ("MSFT", "21", QuoteState.CLOSED),
        ("AAPL", "10", QuoteState.LIVE),
    ]


async def test_a_close_that_is_older_than_it_should_be_is_stale(at_noon: Env):
    await make_market(at_noon, "AAPL")
    await make_bars(at_noon, "AAPL", [20], start=date(2025, 12, 31), source="yahoo")
    assert (await list_quotes(at_noon, ["AAPL"]))["AAPL"].state is QuoteState.STALE


async def test_a_live_quote_that_grows_old_in_session_is_stale(at_noon: Env):
    await make_market(at_noon, "AAPL")
    await publish(at_noon.bus, quote(at=NOW - timedelta(seconds=91)))
    found = await list_quotes(at_noon, ["AAPL"])
    assert (found["AAPL"].state, found["AAPL"].at) == (
        QuoteState.STALE,
        NOW - timedelta(seconds=91),
    )


async def test_quotes_of_another_source_are_not_shown(at_noon: Env):
    await make_market(at_noon, "AAPL")
    async with at_noon.db.write() as db:
        await db.execute(insert(Setting).values(key="source", value="yahoo"))
    await publish(at_noon.bus, quote(source=QuoteSource.SAMPLE, state=QuoteState.REPLAY))
    assert await list_quotes(at_noon, ["AAPL"]) == {}
    async with running(at_noon) as hub:
        assert hub.latest(["AAPL"]) == {}


async def test_without_a_broker_the_last_closes_are_served(at_noon: Env):
    await make_market(at_noon, "AAPL")
    await make_bars(at_noon, "AAPL", [20], start=date(2026, 1, 2), source="yahoo")
    env = replace(at_noon, bus=Bus("redis://127.0.0.1:1"))
    assert str((await list_quotes(env, ["AAPL"]))["AAPL"].price) == "20"
    async with running(env) as hub:
        assert str((await hub.quotes(["AAPL"]))["AAPL"].price) == "20"
    await env.bus.close()


async def test_the_first_item_is_a_whole_snapshot_and_then_only_changes_follow(at_noon: Env):
    await make_market(at_noon, "AAPL", "MSFT", "IBM")
    await make_bars(at_noon, "IBM", [200], start=date(2026, 1, 2), source="yahoo")
    await publish(at_noon.bus, quote("AAPL", "10"), quote("MSFT", "20"))
    async with running(at_noon) as hub:
        items = hub.subscribe(["AAPL", "MSFT", "IBM", "NONE"])
        assert await item(items) == {"AAPL": "10", "MSFT": "20", "IBM": "200"}
        await publish(at_noon.bus, quote("AAPL", "10"), quote("MSFT", "21"))
        assert await item(items) == {"MSFT": "21"}
        await publish(at_noon.bus, quote("NONE", "1"), quote("OTHER", "1"))
        assert await item(items) == {"NONE": "1"}
        await items.aclose()


async def test_many_subscribers_at_once_ask_the_database_once(at_noon: Env):
    await make_market(at_noon, "AAPL", "IBM")
    await make_bars(at_noon, "IBM", [200], start=date(2026, 1, 2), source="yahoo")
    statements: list[str] = []

    def note(connection, cursor, statement, *rest):
        statements.append(statement)

    async with running(at_noon) as hub:
        engine = at_noon.db.engine.sync_engine
        event.listen(engine, "before_cursor_execute", note)
        subscribers = [hub.subscribe(["AAPL", "IBM"]) for _ in range(300)]
        async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
            first = [tasks.create_task(item(items)) for items in subscribers]
        event.remove(engine, "before_cursor_execute", note)
        assert {tuple(task.result().items()) for task in first} == {(("IBM", "200"),)}
        assert len([s for s in statements if "LATERAL" in s and "fx_rate" not in s]) == 1
        for items in subscribers:
            await items.aclose()


async def test_a_close_that_the_feed_publishes_too_is_no_change(at_noon: Env):
    await make_market(at_noon, "IBM", "AAPL")
    await make_bars(at_noon, "IBM", [200], start=date(2026, 1, 2), source="yahoo")
    async with running(at_noon) as hub:
        items = hub.subscribe(["IBM", "AAPL"])
        assert await item(items) == {"IBM": "200"}
        same = (await hub.quotes(["IBM"]))["IBM"]
        await publish(at_noon.bus, same, quote("AAPL"))
        assert await item(items) == {"AAPL": "10"}
        await publish(at_noon.bus, replace(same, price=Decimal(201)))
        assert await item(items) == {"IBM": "201"}
        await items.aclose()


async def test_after_a_collection_the_new_close_is_read(at_noon: Env):
    await make_market(at_noon, "IBM")
    async with running(at_noon) as hub:
        assert await hub.quotes(["IBM"]) == {}
        items = hub.subscribe(["IBM"])
        assert await item(items) == {}
        await make_bars(at_noon, "IBM", [200], start=date(2026, 1, 2), source="yahoo")
        collected = orjson.dumps({"kind": "collected", "symbol": "IBM"})
        await at_noon.bus.publish(EVENTS, collected)
        async with asyncio.timeout(60):
            while not await hub.quotes(["IBM"]):
                await asyncio.sleep(0.01)
        other = hub.subscribe(["IBM"])
        assert await item(other) == {"IBM": "200"}
        await items.aclose()
        await other.aclose()


async def test_a_subscriber_gets_at_most_four_items_a_second(at_noon: Env):
    await make_market(at_noon, "AAPL")
    loop = asyncio.get_running_loop()
    async with running(at_noon) as hub, asyncio.TaskGroup() as tasks:

        async def chatter() -> None:
            for number in range(1, 300):
                await publish(at_noon.bus, quote(price=str(number)))
                await asyncio.sleep(0.005)

        items = hub.subscribe(["AAPL"])
        await item(items)
        tasks.create_task(chatter())
        times, price = [loop.time()], ""
        while price != "299":
            price = (await item(items))["AAPL"]
            times.append(loop.time())
        assert len(times) >= 4
        # taken between two readings of the clock: n items lie n - 1 spacings apart, wherever they are
        for first, last in itertools.combinations(range(len(times)), 2):
            assert times[last] - times[first] >= (last - first - 1) * SPACING
        await items.aclose()


async def test_subscribers_are_counted_and_ticks_too(at_noon: Env):
    def value(name, labels=None):
        return REGISTRY.get_sample_value(name, labels) or 0

    ticks = value("sise_ticks_total", {"source": "yahoo"})
    async with running(at_noon) as hub:
        items = hub.subscribe(["AAPL"])
        assert await item(items) == {}
        assert value("sise_subscribers") == 1
        await publish(at_noon.bus, quote("AAPL"), quote("MSFT"))
        await item(items)
        await items.aclose()
        assert value("sise_subscribers") == 0
        assert hub._fan_out._groups == {}
    assert value("sise_ticks_total", {"source": "yahoo"}) - ticks == 2


async def test_frames_of_the_same_symbols_are_one_object(at_noon: Env):
    await make_market(at_noon, "AAPL")
    await publish(at_noon.bus, quote())
    async with running(at_noon) as hub:
        one, two = hub.frames(["AAPL"]), hub.frames(["AAPL"])
        assert await anext(one) is await anext(two)
        await publish(at_noon.bus, quote(price="11.5"))
        async with asyncio.timeout(60):
            first, second = await anext(one), await anext(two)
        assert first is second
        assert (first["price"], first["change"], first["state"]) == (["11.5"], ["3.5"], ["LIVE"])
        await one.aclose()
        await two.aclose()


async def test_a_price_that_stays_away_becomes_stale_by_itself(
    env: Env, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("app.services.feed.live.SWEEP_EVERY", 0.05)
    clock = StillClock(start=NOW)
    env = replace(env, clock=clock)
    await make_market(env, "AAPL")
    async with running(env) as hub:
        items = hub.subscribe(["AAPL"])
        await item(items)
        await publish(env.bus, quote(at=env.clock.now()))
        async with asyncio.timeout(60):
            assert (await anext(items))["AAPL"].state is QuoteState.LIVE
            object.__setattr__(clock, "start", NOW + timedelta(seconds=91))
            assert (await anext(items))["AAPL"].state is QuoteState.STALE
        assert hub.latest(["AAPL"])["AAPL"].state is QuoteState.STALE
        await items.aclose()


async def test_a_switch_of_the_source_makes_the_old_quotes_void(at_noon: Env):
    await make_market(at_noon, "AAPL")
    await publish(at_noon.bus, quote(source=QuoteSource.SAMPLE, state=QuoteState.REPLAY))
    async with running(at_noon) as hub:
        assert set(hub.latest(["AAPL"])) == {"AAPL"}
        async with at_noon.db.write() as db:
            await db.execute(insert(Setting).values(key="source", value="yahoo"))
        await at_noon.bus.publish(EVENTS, orjson.dumps({"kind": "source", "source": "yahoo"}))
        await until(lambda: not hub.latest(["AAPL"]))
        late = quote(source=QuoteSource.SAMPLE, state=QuoteState.REPLAY)
        await publish(at_noon.bus, late, quote("MSFT"))
        await until(lambda: bool(hub.latest(["MSFT"])))
        assert hub.latest(["AAPL"]) == {}


async def test_a_replay_that_begins_again_forgets_the_later_days(at_noon: Env):
    early, late = datetime(2012, 3, 5, tzinfo=UTC), datetime(2013, 3, 1, tzinfo=UTC)
    sample = {"state": QuoteState.REPLAY, "source": QuoteSource.SAMPLE}
    await publish(at_noon.bus, quote("AAPL", at=early, **sample), quote("FB", at=late, **sample))
    async with running(at_noon) as hub:
        assert set(hub.latest(["AAPL", "FB"])) == {"AAPL", "FB"}
        await at_noon.bus.publish(EVENTS, orjson.dumps({"kind": "replay", "day": "2012-03-06"}))
        await until(lambda: set(hub.latest(["AAPL", "FB"])) == {"AAPL"})


@pytest.mark.parametrize(
    "event",
    [
        b"",
        b"[]",
        b"7",
        b"{}",
        b'{"kind": "source"}',
        b'{"kind": "source", "source": 5}',
        b'{"kind": "source", "source": "nowhere"}',
        b'{"kind": "replay", "day": "soon"}',
        b'{"kind": "other"}',
    ],
)
async def test_garbage_on_the_bus_changes_nothing(at_noon: Env, event: bytes):
    async with running(at_noon) as hub:
        await publish(at_noon.bus, quote())
        await at_noon.bus.publish(EVENTS, event)
        await at_noon.bus.publish(QUOTES, event)
        await publish(at_noon.bus, quote("MSFT"))
        await until(lambda: len(hub.latest(["AAPL", "MSFT"])) == 2)


async def test_garbage_in_the_hash_changes_nothing(at_noon: Env):
    await at_noon.bus.keep(QUOTES, {"AAPL": b"garbage"})
    assert await list_quotes(at_noon, ["AAPL"]) == {}
    async with running(at_noon) as hub:
        assert hub.latest(["AAPL"]) == {}


async def test_a_broker_that_dies_leaves_the_hub_and_a_fresh_snapshot_follows(at_noon: Env):
    with start_broker() as broker:
        env = replace(at_noon, bus=Bus(broker.url))
        await make_market(env, "AAPL", "MSFT")
        await publish(env.bus, quote("AAPL", "10"), quote("MSFT", "20"))
        async with running(env) as hub:
            items = hub.subscribe(["AAPL", "MSFT"])
            assert await item(items) == {"AAPL": "10", "MSFT": "20"}
            broker.kill()
            assert {s: str(q.price) for s, q in (await hub.quotes(["AAPL"])).items()} == {
                "AAPL": "10"
            }
            broker.start()
            assert await item(items) == {"AAPL": "10", "MSFT": "20"}
            await publish(env.bus, quote("AAPL", "12"))
            assert await item(items) == {"AAPL": "12"}
            await items.aclose()
        await env.bus.close()


async def test_stalled_subscribers_hold_the_newest_value_only(at_noon: Env):
    await make_market(at_noon, "AAPL")
    async with running(at_noon) as hub:
        stalled = [hub.subscribe(["AAPL", "MSFT"]) for _ in range(20)]
        for items in stalled:
            await item(items)
        for number in range(1, 200):
            await publish(at_noon.bus, quote("AAPL", str(number)), quote("MSFT", str(number)))
            await asyncio.sleep(0.003)
        await until(lambda: str(hub.latest(["AAPL"])["AAPL"].price) == "199")
        await asyncio.sleep(0.3)
        for items in stalled:
            assert await item(items) == {"AAPL": "199", "MSFT": "199"}
            await items.aclose()
