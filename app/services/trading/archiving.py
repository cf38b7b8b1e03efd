"""Archiving: a portfolio closed for new transactions, opened again, or left behind by its owner."""

from __future__ import annotations

from typing import Final

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.models import Order, Portfolio, TxnNote
from app.domain.trading.orders import OrderState
from app.domain.transactions import PortfolioKind
from app.env import Env
from app.services.owned import read_id
from app.services.portfolio.booking import When
from app.services.portfolio.order_market import read_present, read_time
from app.services.portfolio.portfolios import DELETE, PortfolioRow
from app.services.trading.orders import end_order, hold_portfolio

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
            await _cancel_waiting(env, db, portfolio.id, user_id, when)
        portfolio.archived_at = when.at if archived else None
        await db.flush()
        return PortfolioRow.of(portfolio)


async def forget_owner(env: Env, db: AsyncSession, user_id: int) -> None:
    """Keeps the ledgers of somebody who leaves, without a word that the person has written.

    Their orders that wait are canceled; portfolios of practice go.
    """
    when = await read_present(env)
    own = select(Portfolio.id).where(Portfolio.user_id == user_id)
    practice = await db.scalars(own.where(Portfolio.kind == PortfolioKind.PRACTICE))
    for portfolio in practice.all():
        await db.scalar(DELETE, {"portfolio": portfolio, "user_id": user_id})
    for portfolio in (await db.scalars(own.where(Portfolio.archived_at.is_(None)))).all():
        await hold_portfolio(db, portfolio, user_id)
        await _cancel_waiting(env, db, portfolio, user_id, when)
    await db.execute(delete(TxnNote).where(TxnNote.portfolio_id.in_(own)))
    archived = func.coalesce(Portfolio.archived_at, when.at)
    kept = update(Portfolio).where(Portfolio.user_id == user_id)
    await db.execute(kept.values(name=Portfolio.kind, archived_at=archived))


async def _cancel_waiting(
    env: Env, db: AsyncSession, portfolio_id: int, user_id: int, when: When
) -> None:
    """Ends the orders that wait in a portfolio that the caller holds."""
    waiting = select(Order).where(
        Order.portfolio_id == portfolio_id,
        Order.state.in_([state for state in OrderState if not state.is_final]),
    )
    held = await db.scalars(waiting.order_by(Order.id).with_for_update(key_share=True))
    for order in held.all():
        at = await read_time(env, order.symbol)
        await end_order(db, order, OrderState.CANCELED, when, at, user_id=user_id, reason=ARCHIVED)
