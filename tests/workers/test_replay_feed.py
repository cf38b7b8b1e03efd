"""The replay as it is heard on the bus: every tick in its order, a restart goes on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date

import orjson

from app.adapters.bus import EVENTS, QUOTES
from app.domain.quotes import Quote, QuoteState, quotes_from_json
from app.env import Env
from app.services.feed.publisher import Publisher
from app.services.market.replay import find_cursor
from tests.broker import until
from tests.factories import make_bars, make_instrument
from tests.services.market.test_closing_quotes import make_rates
from tests.services.market.test_replay import set_prices
from workers.replay_feed import ReplayFeed


class Ear(Publisher):
    """A publisher that also remembers everything it was given, in order."""

    def __init__(self, env: Env) -> None:
        super().__init__(env.bus)
        self.heard: list[Quote | str] = []

    def put(self, quote: Quote) -> None:
        super().put(quote)
        self.heard.append(quote)

    def clear(self) -> None:
        super().clear()
        self.heard.append("clear")

    @property
    def ticks(self) -> list[tuple[str, str, str]]:
        """(symbol, price, day) of the replayed quotes."""
        quotes = [q for q in self.heard if isinstance(q, Quote) and q.state is QuoteState.REPLAY]
        return [(q.symbol, str(q.price), q.day.isoformat()) for q in quotes]


@asynccontextmanager
async def replaying(env: Env, step: float = 0.01) -> AsyncIterator[Ear]:
    ear = Ear(env)
    env = replace(env, settings=replace(env.settings, replay_step=step))
    feed = ReplayFeed(env, ear)
    await feed.refresh()
    running = asyncio.create_task(feed.run())
    try:
        yield ear
    finally:
        running.cancel()
        await asyncio.wait({running})


async def make_days(env: Env) -> list[date]:
    await make_instrument(env, "AAPL")
    days = await make_bars(env, "AAPL", [10, 11, 12, 13])
    for day, opens in zip(days, (9, 10.5, 11.5, 12.5), strict=True):
        await set_prices(env, "AAPL", day, opens, opens + 2, opens - 1, opens + 1)
    return days


def course(day: date, opens: float) -> list[tuple[str, str, str]]:
    prices = (opens, opens - 1, opens + 2, opens + 1)
    return [("AAPL", f"{price:g}", day.isoformat()) for price in prices]


async def test_the_days_are_played_in_order_and_begin_again(sample_env: Env):
    days = await make_days(sample_env)
    once = [*course(days[1], 10.5), *course(days[2], 11.5), *course(days[3], 12.5)]
    async with replaying(sample_env) as ear:
        await until(lambda: len(ear.ticks) >= 16)
    assert ear.ticks[:16] == once + course(days[1], 10.5)
    assert [h for h in ear.heard if h == "clear"] == ["clear"]


async def test_a_restart_goes_on_with_the_next_step(sample_env: Env):
    days = await make_days(sample_env)
    async with replaying(sample_env, step=0.05) as ear:
        await until(lambda: len(ear.ticks) >= 6)
    first = ear.ticks
    cursor = await find_cursor(sample_env)
    assert cursor is not None
    async with replaying(sample_env, step=0.05) as ear:
        await until(lambda: len(ear.ticks) >= 6)
    everything = [*course(days[1], 10.5), *course(days[2], 11.5), *course(days[3], 12.5)]
    shown = 4 * (days.index(cursor.day) - 1) + cursor.step + 1
    assert first == everything[: len(first)]
    assert shown - len(first) in {0, 1}  # the place may be kept and the tick not yet given
    again = cursor.step + 1  # the ticks of the day so far are shown again, then the replay goes on
    assert ear.ticks[: again + 1] == everything[shown - again : shown + 1]


async def test_every_new_day_is_announced_before_its_ticks(sample_env: Env):
    days = await make_days(sample_env)
    heard: list[tuple[str, str]] = []
    publisher, at = Publisher(sample_env.bus), None
    feed = ReplayFeed(sample_env, publisher)
    await feed.refresh()
    publishing = asyncio.create_task(publisher.run())
    async with sample_env.bus.listen(EVENTS, QUOTES) as messages, asyncio.timeout(60):
        for ticks in range(1, 6):
            at = await feed._step(at)
            while [what for what, _ in heard].count("tick") < ticks:  # one that waits is conflated
                channel, data = await anext(messages)
                if channel == EVENTS:
                    event = orjson.loads(data)
                    assert event["kind"] == "replay"
                    heard.append(("day", event["day"]))
                else:
                    heard += [
                        ("tick", quote.day.isoformat())
                        for quote in quotes_from_json(data)
                        if quote.state is QuoteState.REPLAY
                    ]
    publishing.cancel()
    await asyncio.wait({publishing})
    one, two = days[1].isoformat(), days[2].isoformat()
    assert heard == [("day", one), *[("tick", one)] * 4, ("day", two), ("tick", two)]


async def test_all_instruments_step_together_and_the_others_keep_their_close(sample_env: Env):
    days = await make_days(sample_env)
    await make_instrument(sample_env, "MSFT")
    await make_instrument(sample_env, "IBM")
    await make_instrument(sample_env, "USDKRW=X", kind="FX")
    await make_bars(sample_env, "MSFT", [20, 21, 22, 23])
    await make_bars(sample_env, "IBM", [200])
    await make_rates(sample_env, {str(days[1]): "1119.02"}, "sample")
    async with replaying(sample_env, step=0.1) as ear:
        await until(lambda: len(ear.ticks) >= 4)
        assert sorted(t[0] for t in ear.ticks[:3]) == ["AAPL", "MSFT", "USDKRW=X"]
        assert ear.held["IBM"].state is QuoteState.HISTORIC
        assert ear.held["IBM"].price == 200
        await until(lambda: len(ear.ticks) >= 9)
    pairs = [{t[0] for t in ear.ticks[i : i + 2]} for i in (3, 5, 7)]
    assert pairs == [{"AAPL", "MSFT"}] * 3


async def test_nothing_is_played_before_something_is_recorded(sample_env: Env):
    await make_instrument(sample_env, "AAPL")
    async with replaying(sample_env) as ear:
        await asyncio.sleep(0.2)
        assert ear.heard == []
        await make_bars(sample_env, "AAPL", [10, 11, 12])
        await until(lambda: len(ear.ticks) >= 4)


async def test_the_replay_stops_where_the_source_is_no_longer_the_sample(env: Env):
    await make_instrument(env, "AAPL")
    await make_bars(env, "AAPL", [10, 11, 12])
    async with replaying(env) as ear:
        await asyncio.sleep(0.2)
    assert ear.ticks == []
    assert await find_cursor(env) is None
