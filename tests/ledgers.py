"""Portfolios for tests, in a small notation: `await keep(env, alice, book, "BUY 10 A @ 100")`."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from itertools import count

from sqlalchemy import text

from app.domain.transactions import (
    Entry,
    PortfolioKind,
    TransactionKind,
    make_trade,
)
from app.env import Env
from app.services.people.users import UserRow
from app.services.portfolio.ledger import record_transaction
from app.services.portfolio.portfolios import NewPortfolio, PortfolioRow, create_portfolio

DAY = date(2026, 3, 2)
LATER = date(2999, 1, 1)
"""A settlement day that no test reaches."""

_KEYS = count(1)


async def make_portfolio(
    env: Env,
    user: UserRow,
    capital: int | str = 1_000_000,
    kind: PortfolioKind = PortfolioKind.SIMULATED,
    currency: str = "KRW",
) -> PortfolioRow:
    """A portfolio with that much cash."""
    wanted = NewPortfolio(
        "Test", kind, currency, Decimal(capital), opened_on=DAY - timedelta(days=400)
    )
    return await create_portfolio(env, user.id, wanted)


def read(words: str, settles_on: date = DAY, currency: str = "KRW") -> Entry:
    """`BUY 10 A @ 100 fee 3 tax 2`, `DEPOSIT 500`, `DIVIDEND 900 A tax 9`, `EXCHANGE 1400 USD 1`."""
    kind, *rest = words.split()
    facts = {"fee": Decimal(0), "tax": Decimal(0)}
    while len(rest) > 2 and rest[-2] in facts:
        facts[rest[-2]] = Decimal(rest[-1])
        rest = rest[:-2]
    days = {"day": DAY, "settles_on": settles_on}
    if kind in {"BUY", "SELL", "OPENING"}:
        quantity, symbol, _, price = rest
        figures = (Decimal(quantity), Decimal(price), currency)
        return make_trade(TransactionKind(kind), symbol, *figures, **days, **facts)
    more: dict[str, object] = {}
    if kind == "EXCHANGE":
        rate = Decimal(rest[0]) / Decimal(rest[2]) if currency == "KRW" else Decimal(1)
        more = {"currency_to": rest[1], "amount_to": Decimal(rest[2]), "rate": round(rate, 8)}
    elif len(rest) > 1:
        more = {"symbol": rest[1]}
    return Entry(
        kind=TransactionKind(kind),
        currency=currency,
        amount=Decimal(rest[0]),
        **days,
        **facts,
        **more,
    )


async def keep(
    env: Env,
    user: UserRow,
    book: PortfolioRow,
    words: str | Entry,
    key: str | None = None,
    settles_on: date = DAY,
) -> Entry:
    """Records what the words say, with a new key unless one is given."""
    entry = read(words, settles_on) if isinstance(words, str) else words
    number = key or f"test-{next(_KEYS)}"
    return await record_transaction(env, user.id, str(book.id), entry, number)


async def balances(env: Env, book: PortfolioRow) -> dict[str, Decimal]:
    """What is in each account that is not empty: `CASH KRW`, `POSITION share:A`."""
    query = "SELECT kind, commodity, balance FROM account WHERE portfolio_id = :id AND balance <> 0"
    async with env.db.read(uid="everyone") as db:
        rows = await db.execute(text(query), {"id": book.id})
        return {f"{kind} {commodity}": balance.normalize() for kind, commodity, balance in rows}


async def drift(env: Env) -> list[tuple[int, Decimal, Decimal]]:
    """Accounts whose balance is not the sum of their postings: there must be none."""
    query = """
        SELECT a.id, a.balance, coalesce(sum(p.amount), 0) FROM account a
        LEFT JOIN posting p ON p.account_id = a.id GROUP BY a.id
        HAVING a.balance <> coalesce(sum(p.amount), 0)"""
    async with env.db.read(uid="everyone") as db:
        return [tuple(row) for row in await db.execute(text(query))]
