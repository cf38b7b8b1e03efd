"""The look at the market for orders that wait."""

from __future__ import annotations

from datetime import timedelta

from app.domain.trading.orders import OrderState
from app.services.order_rows import get_order
from tests.ledgers import make_portfolio
from tests.paper import OPEN_US, open_markets, place, tell
from tests.people import make_user
from tests.workers.conftest import context
from workers.match import match_tick


async def test_a_look_fills_what_the_market_allows(env):
    market = await open_markets(env)
    alice = await make_user(env)
    order = await place(
        market, alice, await make_portfolio(env, alice, 500, currency="USD"), "BUY 1 AAPL"
    )
    await tell(env, "AAPL", "101", OPEN_US + timedelta(minutes=2))
    await match_tick(context(market))
    assert (await get_order(market, alice.id, str(order.id))).state is OrderState.FILLED
    await match_tick(context(market))
