"""An archived portfolio, or one left behind, has no order that waits and nothing set aside."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from app.db.engine import EVERYONE
from app.db.models import Order
from app.domain.trading.orders import OrderState
from app.errors import Conflict
from app.services.people.account import delete_account
from app.services.trading.archiving import archive_portfolio
from app.services.trading.matching import fill_orders
from app.services.trading.order_rows import get_order
from tests.ledgers import balances, drift, keep, make_portfolio, read
from tests.paper import open_markets, place, tell
from tests.people import PASSWORD, by_session, make_user

ORDERS = ("BUY 10 AAPL LIMIT 90", "SELL 5 AAPL LIMIT 120")
FREE = {
    "CASH USD": 9000,
    "EQUITY USD": -10_000,
    "POSITION share:AAPL": 20,
    "TRADING USD": 1000,
    "TRADING share:AAPL": -20,
}


async def test_archiving_cancels_what_waits_and_frees_what_it_held(env):
    market, alice = await open_markets(env), await make_user(env)
    book = await make_portfolio(env, alice, 10_000, currency="USD")
    await keep(env, alice, book, read("BUY 20 AAPL @ 50", currency="USD"))
    orders = [await place(market, alice, book, f"{words} GTC") for words in ORDERS]
    archived = await archive_portfolio(market, alice.id, str(book.id))
    assert archived.archived_at is not None
    for order in orders:
        found = await get_order(market, alice.id, str(order.id))
        assert (found.state, found.reason) == (OrderState.CANCELED, "ARCHIVED")
    assert await balances(market, book) == FREE
    with pytest.raises(Conflict, match="archived"):
        await place(market, alice, book, "BUY 1 AAPL")
    again = await archive_portfolio(market, alice.id, str(book.id))  # twice is as once
    assert again.archived_at is not None
    opened = await archive_portfolio(market, alice.id, str(book.id), archived=False)
    assert opened.archived_at is None
    later = await tell(market, "AAPL", "10", market.clock.now().replace(minute=30))
    assert await fill_orders(market, [later]) == 0
    assert (await place(market, alice, book, "BUY 1 AAPL")).state is OrderState.NEW
    assert await drift(market) == []


async def test_who_leaves_leaves_no_order_that_waits(env):
    market, alice = await open_markets(env), await make_user(env)
    book = await make_portfolio(env, alice, 10_000, currency="USD")
    await keep(env, alice, book, read("BUY 20 AAPL @ 50", currency="USD"))
    for words in ORDERS:
        await place(market, alice, book, f"{words} GTC")
    await delete_account(market, await by_session(market, alice), PASSWORD)
    async with market.db.read(uid=EVERYONE) as db:
        ended = await db.execute(select(Order.state, Order.reason))
        assert set(ended.all()) == {("CANCELED", "ARCHIVED")}
    assert await balances(market, book) == FREE
    crossing = await tell(market, "AAPL", "10", market.clock.now().replace(minute=30))
    assert await fill_orders(market, [crossing]) == 0
    assert await drift(market) == []
