"""Settling: on their day, proceeds of sales and dividends become cash that may leave.

A currency's day begins where it is at home. Settling twice settles once: the database works out
what is due from the postings, under the locks of the accounts. Portfolios of practice live in days
of their own and settle when they are told to.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Final

from sqlalchemy import select, text

from app.db.engine import EVERYONE
from app.db.models import Account, Portfolio
from app.domain.postings import AccountKind
from app.domain.transactions import PortfolioKind
from app.env import Env
from app.services.booking import When, now_of

_WAITING: Final = (AccountKind.UNSETTLED, AccountKind.RECEIVABLE)
_SETTLE: Final = text("SELECT settle_money(:portfolio, :currency, :today, :at)")


async def settle_due(env: Env) -> int:
    """Settles whatever is due by now in all portfolios but those of practice; how many moved."""
    when = now_of(env)
    waiting = (
        select(Account.portfolio_id, Account.commodity)
        .join(Portfolio)
        .where(Account.kind.in_(_WAITING), Account.balance > 0)
        .where(Portfolio.kind != PortfolioKind.PRACTICE)
        .distinct()
        .order_by(Account.portfolio_id, Account.commodity)
    )
    async with env.db.read(uid=EVERYONE) as db:
        pairs = (await db.execute(waiting)).all()
    moved = [await _settle(env, portfolio, currency, when) for portfolio, currency in pairs]
    return sum(amount > 0 for amount in moved)


async def settle_portfolio(
    env: Env, portfolio_id: int, today: Mapping[str, date] | None = None
) -> dict[str, Decimal]:
    """Settles one portfolio, by the days given where it lives in history; amounts by currency."""
    when = now_of(env, today)
    return {currency: await _settle(env, portfolio_id, currency, when) for currency in when.today}


async def _settle(env: Env, portfolio_id: int, currency: str, when: When) -> Decimal:
    values = {
        "portfolio": portfolio_id,
        "currency": currency,
        "today": when.today[currency],
        "at": when.at,
    }
    return Decimal(await env.db.call(_SETTLE, values))
