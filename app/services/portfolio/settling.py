"""Settling: on their day, proceeds of sales and dividends become cash that may leave.

A currency's day begins where it is at home; for portfolios of practice the replayed day is the
present. Settling twice settles once: the database works out what is due from the postings, under
the locks of the accounts.
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
from app.services.market.replay import replay_day
from app.services.portfolio.booking import When, now_of

_WAITING: Final = (AccountKind.UNSETTLED, AccountKind.RECEIVABLE)
_SETTLE: Final = text("SELECT settle_money(:portfolio, :currency, :today, :at)")


async def settle_due(env: Env) -> int:
    """Settles whatever is due by now in all portfolios; how many moved.

    Those of practice wait while nothing is replayed.
    """
    now, replayed = now_of(env), await replay_day(env)
    then = None if replayed is None else now_of(env, dict.fromkeys(now.today, replayed))
    waiting = (
        select(Account.portfolio_id, Account.commodity, Portfolio.kind)
        .join(Portfolio)
        .where(Account.kind.in_(_WAITING), Account.balance > 0)
        .distinct()
        .order_by(Account.portfolio_id, Account.commodity)
    )
    async with env.db.read(uid=EVERYONE) as db:
        rows = (await db.execute(waiting)).all()
    moved = 0
    for portfolio, currency, kind in rows:
        when = then if kind == PortfolioKind.PRACTICE else now
        if when is not None:
            moved += await _settle(env, portfolio, currency, when) > 0
    return moved


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
