"""The exchange of an order that wishes one: what its purchase lacks, bought by the newest rate."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.models import Account, Portfolio
from app.domain.entry_checks import check_entry
from app.domain.postings import AccountKind
from app.domain.quotes import Quote, plain
from app.domain.trading.exchange import make_exchange
from app.domain.trading.preview import Caution, Preview
from app.domain.transactions import Entry
from app.env import Env
from app.errors import Unavailable
from app.services.feed.live import list_quotes
from app.services.portfolio.order_market import OrderMarket
from app.services.portfolio.portfolio_value import RATE_SYMBOL


async def read_rate(env: Env) -> Quote:
    """The newest exchange rate, won per dollar.

    Raises:
        Unavailable: there is none.
    """
    quote = (await list_quotes(env, [RATE_SYMBOL])).get(RATE_SYMBOL)
    if quote is None:
        raise Unavailable("There is no exchange rate of won and dollar now.")
    return quote


async def plan_exchange(
    db: AsyncSession, portfolio: Portfolio, preview: Preview, market: OrderMarket, rate: Quote
) -> tuple[Preview, Entry | None]:
    """The preview with the exchange that its purchase needs; None when the money is there.

    Only cash that may leave can be exchanged.
    """
    currency, base = market.listing.currency, portfolio.base_currency
    cash = preview.cash_after - preview.cash_change
    missing = max(preview.reserved, -preview.cash_change) - cash
    if currency == base or missing <= 0:
        return preview, None
    entry = check_entry(
        make_exchange(
            missing,
            currency,
            rate=plain(rate.price),
            spread=plain(portfolio.fx_spread),
            day=market.when.today[base],
            source=rate.source.value,
        )
    )
    own = select(Account.balance).where(
        Account.portfolio_id == portfolio.id,
        Account.kind == AccountKind.CASH,
        Account.commodity == base,
    )
    covered = entry.amount <= (await db.scalar(own) or Decimal(0))
    lacking = Caution.NOT_ENOUGH_CASH
    cautions = tuple(c for c in preview.cautions if c is not lacking or not covered)
    after = preview.cash_after + missing
    return replace(preview, cash_after=after, cautions=cautions), entry
