"""Fills end to end: the golden rules, once whoever asks, and what is freed when an order ends."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import insert

from app.db.models import Bar, Portfolio
from app.domain.trading.orders import OrderState
from app.domain.transactions import PortfolioKind
from app.errors import Conflict
from app.services.market.replay import advance, load_day
from app.services.trading.corporate_actions import book_actions
from app.services.trading.matching import expire_orders, fill_at_closes, fill_orders, match_orders
from app.services.trading.order_rows import get_order
from app.services.trading.orders import cancel_order
from tests.clocks import at
from tests.factories import AT, make_split
from tests.holdings import publish
from tests.ledgers import balances, drift, keep, make_portfolio, read
from tests.paper import OPEN_KR, OPEN_US, make_quote, make_recorded, open_markets, place, tell
from tests.people import make_user

WEDNESDAY = date(2026, 3, 4)
CLOSE_US = datetime(2026, 3, 4, 21, tzinfo=UTC)


@pytest.fixture
async def market(env):
    return await open_markets(env)


@pytest.fixture
async def alice(env):
    return await make_user(env)


@pytest.fixture
async def book(env, alice):
    return await make_portfolio(env, alice, 10_000, currency="USD")


@pytest.fixture
async def holding(env, alice, book):
    await keep(env, alice, book, read("BUY 20 AAPL @ 50", currency="USD"))
    return book


def quote(price, minutes=1, symbol="AAPL", start=OPEN_US):
    return make_quote(symbol, str(price), start + timedelta(minutes=minutes))


async def meet(market, order, *quotes):
    """The quotes one after the other; the order after the last."""
    for one in quotes:
        await fill_orders(market, [one])
    return await find(market, order)


async def find(market, order):
    owner = await make_owner(market, order)
    return await get_order(market, owner, str(order.id))


async def make_owner(market, order):
    async with market.db.read(uid="everyone") as db:
        return (await db.get_one(Portfolio, order.portfolio_id)).user_id


async def make_bar(env, day=WEDNESDAY, symbol="AAPL", volume=1000, **prices):
    """A stored session: `open`, `high`, `low`, `close`."""
    row = {"symbol": symbol, "day": day, "volume": volume, "source": "yahoo", "fetched_at": AT}
    async with env.db.write() as db:
        await db.execute(insert(Bar).values(row | prices | {"adj_close": prices["close"]}))


async def test_a_market_order_takes_the_next_price_and_not_an_earlier_one(market, alice, book):
    order = await place(market, alice, book, "BUY 10 AAPL")
    waiting = await meet(market, order, quote(90, -1), quote(91, 0))
    assert (waiting.state, waiting.fills) == (OrderState.NEW, ())
    filled = await meet(market, order, quote("100.50"))
    [fill] = filled.fills
    assert (filled.state, filled.reason, fill.price) == (OrderState.FILLED, "NEXT_PRICE", 100.5)
    assert (fill.at, fill.source) == (OPEN_US + timedelta(minutes=1), "YAHOO")
    assert filled.ended_at == fill.at
    found = await balances(market, book)
    assert found["CASH USD"] == Decimal("8992.49")  # 1,005 and 2.51
    assert (found["POSITION share:AAPL"], found["FEE USD"]) == (10, Decimal("2.51"))
    assert "RESERVED USD" not in found
    assert await drift(market) == []


@pytest.mark.parametrize(
    ("words", "prices", "price"),
    [
        ("BUY 1 AAPL LIMIT 99", ["99.5", "99"], None),  # a touch is no fill
        ("BUY 1 AAPL LIMIT 99", ["99.5", "98.9"], 99),  # through it: at the limit
        ("BUY 1 AAPL LIMIT 99", ["98.9"], Decimal("98.9")),  # the first price is better
        ("SELL 1 AAPL LIMIT 101", ["100.5", "101"], None),
        ("SELL 1 AAPL LIMIT 101", ["100.5", "101.2"], 101),
        ("SELL 1 AAPL STOP 95", ["96", "95"], 95),
        ("SELL 1 AAPL STOP 95", ["96", "94"], 94),  # beyond it
        ("BUY 1 AAPL STOP 105", ["104", "106"], 106),
    ],
)
async def test_limits_and_stops_fill_by_the_rules(market, alice, holding, words, prices, price):
    order = await place(market, alice, holding, words)
    found = await meet(market, order, *(quote(p, n) for n, p in enumerate(prices, start=1)))
    assert [fill.price for fill in found.fills] == ([] if price is None else [price])


async def test_two_workers_at_once_fill_once(market, alice, book):
    orders = [await place(market, alice, book, "BUY 5 AAPL") for _ in range(5)]
    async with asyncio.TaskGroup() as tasks:
        passes = [tasks.create_task(fill_orders(market, [quote(100)])) for _ in range(4)]
    assert sum(task.result() for task in passes) == 5
    assert [len((await find(market, order)).fills) for order in orders] == [1] * 5
    assert (await balances(market, book))["POSITION share:AAPL"] == 25
    assert await fill_orders(market, [quote(100)]) == 0
    assert await drift(market) == []


async def test_a_cancellation_and_a_fill_at_once_are_one_of_both(market, alice, book):
    orders = [await place(market, alice, book, "BUY 5 AAPL") for _ in range(6)]

    async def cancel(order):
        try:
            await cancel_order(market, alice.id, str(order.id))
        except Conflict:
            return "too late"
        return "canceled"

    async with asyncio.TaskGroup() as tasks:
        matching = tasks.create_task(fill_orders(market, [quote(100)]))
        canceling = [tasks.create_task(cancel(order)) for order in orders]
    canceled = [task.result() for task in canceling].count("canceled")
    assert canceled + matching.result() == 6
    held = (await balances(market, book)).get("POSITION share:AAPL", 0)
    assert held == 5 * matching.result()
    assert "RESERVED USD" not in await balances(market, book)
    assert await drift(market) == []


async def test_a_purchase_that_its_cash_does_not_cover_ends_and_spends_nothing(market, alice, book):
    order = await place(market, alice, book, "BUY 90 AAPL")
    found = await meet(market, order, quote(120))  # more than 5 % above
    assert (found.state, found.reason) == (OrderState.REJECTED, "NOT_COVERED")
    assert await balances(market, book) == {"CASH USD": 10_000, "EQUITY USD": -10_000}


async def test_an_amount_buys_what_it_can_at_the_price_it_meets(market, alice, book):
    order = await place(market, alice, book, "BUY $250 AAPL")
    found = await meet(market, order, quote("96"))
    assert (found.state, found.filled) == (OrderState.FILLED, Decimal("2.604166"))
    assert (await balances(market, book))["CASH USD"] == Decimal("9749.37")  # 250 and 0.63


async def test_a_korean_sale_pays_its_taxes_and_waits_for_its_day(env, alice):
    market = await open_markets(env, OPEN_KR)
    book = await make_portfolio(env, alice)
    await keep(env, alice, book, "BUY 10 005930.KS @ 50000")
    order = await place(market, alice, book, "SELL 10 005930.KS")
    await meet(market, order, quote(70_000, symbol="005930.KS", start=OPEN_KR))
    found = await balances(env, book)
    # 700,000 less 105 of commission, 350 and 1,050 of taxes of 2026
    assert (found["UNSETTLED KRW"], found["FEE KRW"], found["TAX KRW"]) == (698_495, 105, 1_400)


async def test_a_closed_session_fills_by_its_bar_in_part_of_its_volume(market, alice, book):
    early = at(market, "2026-03-04T12:00")  # before the open
    order = await place(early, alice, book, "BUY 30 AAPL LIMIT 101")
    late = at(market, CLOSE_US + timedelta(hours=1))
    await make_bar(market, open=100, high=103, low=98, close=102, volume=100)
    assert [await fill_at_closes(late) for _ in range(2)] == [1, 0]
    found = await find(market, order)
    assert (found.state, found.filled) == (OrderState.PARTIALLY_FILLED, 10)
    assert (found.fills[0].price, found.fills[0].at.hour) == (100, 14)  # it opened better
    money = await balances(market, book)
    assert money["RESERVED USD"] == Decimal("2025.05")  # 20 at 101
    assert await expire_orders(late) == 1
    ended = await find(market, order)
    assert (ended.state, ended.ended_at) == (OrderState.EXPIRED, CLOSE_US)
    assert "RESERVED USD" not in await balances(market, book)
    states = [event.state for event in ended.events]
    assert states == [OrderState.NEW, OrderState.PARTIALLY_FILLED, OrderState.EXPIRED]
    assert await drift(market) == []


async def test_who_ordered_during_a_session_knows_its_close_alone(market, alice, book):
    limited = await place(market, alice, book, "BUY 1 AAPL LIMIT 99")
    at_market = await place(market, alice, book, "BUY 1 AAPL")
    await make_bar(market, open=97, high=103, low=96, close=102)
    late = at(market, CLOSE_US + timedelta(minutes=5))
    assert await fill_at_closes(late) == 1
    assert (await find(market, at_market)).fills[0].price == 102
    assert (await find(market, limited)).fills == ()


async def test_a_day_ends_at_its_close_and_gtc_goes_on(market, alice, book):
    day = await place(market, alice, book, "BUY 1 AAPL LIMIT 90")
    lasting = await place(market, alice, book, "BUY 1 AAPL LIMIT 90 GTC")
    await match_orders(at(market, CLOSE_US + timedelta(hours=1)))
    assert (await find(market, day)).state is OrderState.NEW  # its bar may still come
    await match_orders(at(market, CLOSE_US + timedelta(hours=7)))
    assert (await find(market, day)).state is OrderState.EXPIRED
    found = await meet(market, lasting, quote(89, 24 * 60))
    assert (found.state, found.fills[0].price) == (OrderState.FILLED, 89)


async def test_nobody_sells_at_the_lower_limit(env, alice):
    market = await open_markets(env, OPEN_KR)
    book = await make_portfolio(env, alice)
    await keep(env, alice, book, "BUY 1 005930.KS @ 50000")
    order = await place(market, alice, book, "SELL 1 005930.KS")
    found = await meet(market, order, quote(49_000, symbol="005930.KS", start=OPEN_KR))
    assert found.fills == ()


async def test_orders_that_last_go_through_a_split_once(market, alice, holding):
    buy = await place(market, alice, holding, "BUY 10 AAPL LIMIT 90 GTC")
    sell = await place(market, alice, holding, "SELL 10 AAPL LIMIT 120 GTC")
    await make_split(market, "AAPL", date(2026, 3, 5), 4)
    await meet(market, buy, quote(26, 24 * 60))
    found = await find(market, buy)
    assert (found.quantity, found.price, found.fills) == (40, Decimal("22.5"), ())
    assert (await find(market, sell)).quantity == 10  # the ledger does not have the split yet
    assert await book_actions(at(market, "2026-03-05T15:01")) == 1
    await meet(market, sell, quote(27, 24 * 60 + 1))
    sold = await meet(market, sell, quote(31, 24 * 60 + 2))
    assert (sold.quantity, sold.price, sold.fills[0].price) == (40, 30, 30)
    found = await balances(market, holding)
    assert (found["POSITION share:AAPL"], "RESERVED share:AAPL" in found) == (40, False)
    assert await drift(market) == []


async def test_a_reverse_split_takes_the_shares_of_waiting_sales_too(market, alice, holding):
    sell = await place(market, alice, holding, "SELL 20 AAPL LIMIT 120 GTC")
    await make_split(market, "AAPL", date(2026, 3, 5), 1, 4)
    assert await book_actions(at(market, "2026-03-05T15:01")) == 1
    found = await find(market, sell)
    assert (found.quantity, found.price) == (5, 480)
    assert (await balances(market, holding))["RESERVED share:AAPL"] == 5
    sold = await meet(market, sell, quote(490, 24 * 60 + 2))
    assert (sold.state, sold.filled) == (OrderState.FILLED, 5)
    assert "POSITION share:AAPL" not in await balances(market, holding)
    assert await drift(market) == []


async def test_practice_fills_at_the_replayed_prices(env, alice):
    await make_recorded(env)
    later = at(env, "2026-11-01T12:00")
    book = await make_portfolio(env, alice, 500, kind=PortfolioKind.PRACTICE, currency="USD")
    order = await place(later, alice, book, "BUY 1 AAPL")
    assert await match_orders(later) == 0  # the price it was placed at
    for _ in range(3):
        cursor = await advance(env)
    await publish(env.bus, *(await load_day(env, cursor.day, ["AAPL"]))[cursor.step])
    assert await match_orders(later) == 1
    found = await find(env, order)
    assert (found.fills[0].price, found.fills[0].source) == (110, "SAMPLE")
    assert found.fills[0].at == datetime(2026, 3, 3, 21, tzinfo=UTC)


async def test_live_prices_of_the_bus_fill_in_one_look(market, alice, book):
    order = await place(market, alice, book, "BUY 1 AAPL")
    await tell(market, "AAPL", "101", OPEN_US + timedelta(minutes=2))
    assert [await match_orders(market) for _ in range(2)] == [1, 0]
    assert (await find(market, order)).fills[0].price == 101
