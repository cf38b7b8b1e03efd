"""Archiving: a portfolio closed for new transactions, and opened again."""

from __future__ import annotations

from typing import Final

from sqlalchemy import select

from app.db.models import Order
from app.domain.trading.orders import OrderState
from app.env import Env
from app.services.order_market import read_present, read_time
from app.services.orders import end_order, hold_portfolio
from app.services.owned import read_id
from app.services.portfolios import PortfolioRow

ARCHIVED: Final = "ARCHIVED"
"""Why an order ended whose portfolio was archived."""


async def archive_portfolio(
    env: Env, user_id: int, portfolio_id: str, *, archived: bool = True
) -> PortfolioRow:
    """Closes a portfolio for new transactions, or opens it again.

    Orders that wait are canceled by it and what they had set aside is free, all or nothing.

    Raises:
        NotFound: it is not there or not the user's.
    """
    when = await read_present(env)
    async with env.db.write(uid=user_id) as db:
        portfolio = await hold_portfolio(db, read_id(portfolio_id), user_id)
        if archived and portfolio.archived_at is None:
            waiting = select(Order).where(
                Order.portfolio_id == portfolio.id,
                Order.state.in_([state for state in OrderState if not state.is_final]),
            )
            held = await db.scalars(waiting.order_by(Order.id).with_for_update(key_share=True))
            for order in held.all():
                at = await read_time(env, order.symbol)
                await end_order(
                    db, order, OrderState.CANCELED, when, at, user_id=user_id, reason=ARCHIVED
                )
        portfolio.archived_at = when.at if archived else None
        await db.flush()
        return PortfolioRow.of(portfolio)
