"""A won portfolio with Apple and Samsung for tests, at prices and rates that are easy to check."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

from sqlalchemy import insert

from app.adapters.bus import QUOTES, Bus
from app.db.models import FxRate
from app.domain.quotes import Quote, QuoteSource, QuoteState, quotes_to_json
from app.domain.transactions import Entry, PortfolioKind, TransactionKind, make_trade
from app.env import Env
from app.services.people.users import UserRow
from app.services.portfolio.ledger import record_transactions
from app.services.portfolio.portfolios import NewPortfolio, PortfolioRow, create_portfolio
from tests.factories import AT, make_bars, make_instrument

START = date(2026, 3, 2)
"""A Monday."""

BOUGHT = date(2026, 3, 3)


async def make_prices(env: Env) -> None:
    """Apple 100, 102, 101; Samsung 70,000 to 70,200; dollars at 1,400, 1,410, 1,420 won."""
    await make_instrument(env, "AAPL", name="Apple Inc.", name_local="애플")
    await make_instrument(env, "005930.KS", name="Samsung Electronics", name_local="삼성전자")
    await make_instrument(env, "USDKRW=X", name="USD/KRW", kind="FX")
    days = await make_bars(env, "AAPL", [100, 102, 101], start=START, source="yahoo")
    await make_bars(env, "005930.KS", [70_000, 70_100, 70_200], start=START, source="yahoo")
    rates = [
        {
            "base": "USD",
            "quote": "KRW",
            "day": day,
            "rate": rate,
            "source": "yahoo",
            "fetched_at": AT,
        }
        for day, rate in zip(days, (1400, 1410, 1420), strict=True)
    ]
    async with env.db.write() as db:
        await db.execute(insert(FxRate), rates)


def entries() -> dict[str, Entry]:
    """10 of Apple for dollars that were bought, 20 of Samsung, and a sale of 5."""
    exchange = Entry(
        kind=TransactionKind.EXCHANGE,
        day=START,
        settles_on=START,
        currency="KRW",
        amount=Decimal(1_400_000),
        currency_to="USD",
        amount_to=Decimal(1000),
        rate=Decimal(1400),
    )
    buy, sell = TransactionKind.BUY, TransactionKind.SELL
    return {
        "exchange": exchange,
        "apple": make_trade(
            buy,
            "AAPL",
            Decimal(9),
            Decimal(100),
            "USD",
            day=START,
            settles_on=BOUGHT,
            fee=Decimal(1),
        ),
        "samsung": make_trade(
            buy, "005930.KS", Decimal(20), Decimal(70_000), "KRW", day=START, settles_on=BOUGHT
        ),
        "sale": make_trade(
            sell,
            "005930.KS",
            Decimal(5),
            Decimal(70_100),
            "KRW",
            day=BOUGHT,
            settles_on=BOUGHT,
            fee=Decimal(50),
            tax=Decimal(701),
        ),
    }


async def make_holdings(
    env: Env, user: UserRow, kind: PortfolioKind = PortfolioKind.SIMULATED
) -> PortfolioRow:
    """The portfolio with all of them, from 10,000,000 won."""
    wanted = NewPortfolio("Long term", kind, "KRW", Decimal(10_000_000), opened_on=START)
    row = await create_portfolio(env, user.id, wanted)
    await record_transactions(env, user.id, str(row.id), entries())
    return row


async def publish(bus: Bus, *quotes: Quote) -> None:
    """What the feed does with new prices."""
    values = {quote.symbol: quote.to_json() for quote in quotes}
    await bus.announce(QUOTES, quotes_to_json(quotes), QUOTES, values)


def tick(symbol: str, price: str, before: str) -> Quote:
    """A live price of the third day."""
    at = datetime(2026, 3, 4, 15, tzinfo=UTC)
    source, state = QuoteSource.YAHOO, QuoteState.LIVE
    return Quote(symbol, Decimal(price), Decimal(before), at, at.date(), source, state)
