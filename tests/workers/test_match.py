"""The look at the market for orders that wait."""

from __future__ import annotations

from datetime import timedelta

from app.domain.trading.orders import OrderState
from app.services.settings import REPLAY_KEY, choose_source, put_setting
from app.services.trading.order_rows import get_order
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


async def test_a_look_remembers_the_replayed_day_that_it_has_told_of(env):
    await choose_source(env, "sample")
    ctx = context(env)
    for day in ("2012-03-05", "2012-03-06"):
        await put_setting(env, REPLAY_KEY, {"day": day, "step": 0})
        await match_tick(ctx)
        assert str(ctx["replayed"]) == day
