"""The fan-out: at most four deltas a second, shared, and never more than one value per symbol."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from app.domain.quotes import Quote, QuoteSource, QuoteState
from app.services.feed.fan_out import INTERVAL, Delta, FanOut, Mailbox, make_frame

AT = datetime(2026, 1, 5, 15, 30, tzinfo=UTC)


def quote(symbol="AAPL", price=1):
    day, live = date(2026, 1, 5), QuoteState.LIVE
    return Quote(symbol, Decimal(price), Decimal(2), AT, day, QuoteSource.YAHOO, live)


async def test_readers_of_the_same_symbols_share_one_delta_and_one_frame():
    fan_out = FanOut()
    both = frozenset({"AAPL", "MSFT"})
    with fan_out.join(both) as (group, one), fan_out.join(both) as (same, two):
        assert group is same
        fan_out.push([quote(), quote("MSFT"), quote("IBM")])
        first, second = await one.take(), await two.take()
        assert first is second
        assert first.frame is second.frame
        assert set(first.quotes) == both


async def test_changes_within_the_interval_come_together_and_the_newest_wins():
    fan_out = FanOut()
    loop = asyncio.get_running_loop()
    with fan_out.join(frozenset({"AAPL"})) as (_, mailbox):
        begun = loop.time()
        fan_out.push([quote(price=1)])
        taken = [(await mailbox.take()).quotes["AAPL"].price]
        for price in range(2, 50):
            fan_out.push([quote(price=price)])
            await asyncio.sleep(0.001)
        while taken[-1] < 49:  # once, unless the machine stood still for an interval
            taken.append((await mailbox.take()).quotes["AAPL"].price)
        assert taken[0] == 1
        assert loop.time() - begun >= (len(taken) - 1) * INTERVAL
        assert len(taken) < 49


async def test_a_reader_gets_only_what_it_asked_for_and_nothing_after_it_left():
    fan_out = FanOut()
    with fan_out.join(frozenset({"IBM"})) as (group, mailbox):
        fan_out.push([quote("AAPL"), quote("IBM")])
        assert set((await mailbox.take()).quotes) == {"IBM"}
    fan_out.push([quote("IBM")])
    assert group.version == 1
    assert (fan_out._groups, fan_out._by_symbol) == ({}, {})


async def test_a_stalled_reader_holds_one_value_per_symbol():
    fan_out = FanOut()
    symbols = frozenset(f"S{i}" for i in range(20))
    with fan_out.join(symbols) as (group, mailbox):
        for price in range(1, 1501):  # 30,000 ticks
            for symbol in symbols:
                group.push(quote(symbol, price))
            group.hand_out()
        delta = await mailbox.take()
        assert len(delta.quotes) == 20
        assert {q.price for q in delta.quotes.values()} == {1500}
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await mailbox.take()


async def test_a_mailbox_that_is_filled_while_it_is_emptied_loses_nothing():
    mailbox = Mailbox()
    taken: list[int] = []

    async def read() -> None:
        while not taken or taken[-1] < 200:
            taken.append(int((await mailbox.take()).quotes["AAPL"].price))

    reader = asyncio.create_task(read())
    for price in range(1, 201):
        mailbox.put(Delta({"AAPL": quote(price=price)}))
        if price % 3 == 0:
            await asyncio.sleep(0)
    async with asyncio.timeout(60):
        await reader
    assert taken == sorted(set(taken))
    assert taken[-1] == 200


def test_a_delta_less_what_is_known():
    delta = Delta({"AAPL": quote(), "IBM": quote("IBM", 5)})
    assert delta.without(Delta({})) is delta
    assert delta.without(Delta({"IBM": quote("IBM", 4)})) is delta
    assert set(delta.without(Delta({"IBM": quote("IBM", 5)})).quotes) == {"AAPL"}
    whole = Delta(delta.quotes, whole=True)
    assert whole.without(delta) is whole


async def test_a_snapshot_that_waits_with_later_changes_is_still_one():
    fan_out = FanOut()
    with fan_out.join(frozenset({"AAPL", "IBM"})) as (group, mailbox):
        fan_out.push([quote(), quote("IBM")], whole=True)
        group.hand_out()
        fan_out.push([quote(price=2)])
        group.hand_out()
        delta = await mailbox.take()
        assert delta.whole
        assert {s: int(q.price) for s, q in delta.quotes.items()} == {"AAPL": 2, "IBM": 1}
        fan_out.push([quote(price=3)])
        assert not (await mailbox.take()).whole


def test_a_frame_has_columns_of_equal_length_and_exact_prices():
    other = replace(
        quote("005930.KS"),
        price=Decimal(71200),
        previous_close=None,
        at=AT + timedelta(microseconds=250_000),
        state=QuoteState.STALE,
    )
    assert make_frame([quote(price="1.5"), other]) == {
        "symbol": ["AAPL", "005930.KS"],
        "price": ["1.5", "71200"],
        "change": ["-0.5", None],
        "changePercent": [-25.0, None],
        "at": ["2026-01-05T15:30:00Z", "2026-01-05T15:30:00.250000Z"],
        "day": ["2026-01-05", "2026-01-05"],
        "state": ["LIVE", "STALE"],
    }
