"""Portfolios opened for reading: their entries folded into books, kept until something changes.

A book is a function of the entries and of the exchange rates of their days, so that it may be kept
for as long as neither has changed (`version`). Folding and reading are work for a thread when there
are many entries.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from sqlalchemy import func, select, text

from app.db.models import FxRate, Txn
from app.domain.market import CURRENCY_DIGITS
from app.domain.portfolio.book import Book
from app.domain.portfolio.booking import keep_book
from app.domain.portfolio.day import DayStart, start_of_day
from app.domain.portfolio.rates import LONGEST_GAP, DatedRates, invert
from app.domain.portfolio.valuation import Mark
from app.domain.transactions import Entry
from app.env import Env
from app.services.ledger import list_entries
from app.services.portfolios import PortfolioRow, get_portfolio

MOST_KEPT: Final = 64
"""Books that a process keeps; the one that was not asked for longest is dropped first."""

Version = tuple[int, datetime | None]
"""The newest transaction of the portfolio, and when a rate was last fetched."""


@dataclass(frozen=True)
class OpenBook:
    """A portfolio, its entries and what they amount to."""

    portfolio: PortfolioRow
    entries: tuple[Entry, ...]
    book: Book
    version: Version
    _starts: dict[tuple[date, Decimal | None], DayStart] = field(default_factory=dict)

    @property
    def base(self) -> str:
        """The portfolio's currency."""
        return self.portfolio.base_currency

    @property
    def foreign(self) -> str:
        """The other currency."""
        return next(currency for currency in CURRENCY_DIGITS if currency != self.base)

    @property
    def symbols(self) -> list[str]:
        """What is held, or was: whatever may have had a part in the day."""
        return sorted(self.book.holdings)

    def start_of(self, day: date, rate: Decimal | None) -> DayStart:
        """What was held when the day began, worked out once for a day and rate."""
        key = (day, rate)
        if key not in self._starts:
            rates: Mapping[str, Decimal] = {} if rate is None else {self.foreign: rate}
            self._starts[key] = start_of_day(self.entries, day, base=self.base, rates=rates)
        return self._starts[key]


class BookShelf:
    """The books that one process has open."""

    def __init__(self) -> None:
        self._kept: OrderedDict[int, OpenBook] = OrderedDict()

    async def open(self, env: Env, user_id: int, portfolio_id: str) -> OpenBook:
        """The book of one of the user's portfolios as of now.

        Raises:
            NotFound: the portfolio is not there or not the user's.
        """
        portfolio = await get_portfolio(env, user_id, portfolio_id)
        version = await read_version(env, user_id, portfolio.id)
        kept = self._kept.get(portfolio.id)
        if kept is None or kept.version != version or kept.portfolio != portfolio:
            kept = await _open(env, user_id, portfolio, version)
            self._kept[portfolio.id] = kept
        self._kept.move_to_end(portfolio.id)
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
        return kept


async def read_version(env: Env, user_id: int, portfolio_id: int) -> Version:
    """What changes with the entries of the portfolio or a rate."""
    newest = select(func.max(Txn.id)).where(Txn.portfolio_id == portfolio_id).scalar_subquery()
    fetched = select(func.max(FxRate.fetched_at)).scalar_subquery()
    async with env.db.read(uid=user_id) as db:
        row = (await db.execute(select(newest, fetched))).one()
    return row[0] or 0, row[1]


async def load_rates(env: Env, base: str) -> DatedRates:
    """All stored rates of the foreign currency in `base`."""
    query = select(FxRate.day, FxRate.rate).where(FxRate.base == "USD", FxRate.quote == "KRW")
    async with env.db.read() as db:
        rows = [(row.day, row.rate) for row in await db.execute(query)]
    if base == "KRW":
        return DatedRates(base, "USD", rows)
    return DatedRates(base, "KRW", ((day, invert(rate)) for day, rate in rows))


async def find_past_rates(env: Env, base: str, days: Iterable[date]) -> dict[date, Mark]:
    """By day the stored row of the foreign currency's rate in `base` that holds on it."""
    values = {"days": sorted(days), "gap": LONGEST_GAP.days}
    if not values["days"]:
        return {}
    async with env.db.read() as db:
        rows = (await db.execute(text(_PAST_RATES), values)).all()
    return {
        row.asked: Mark(
            row.rate if base == "KRW" else invert(row.rate), row.source, row.fetched_at, row.day
        )
        for row in rows
    }


async def _open(env: Env, user_id: int, portfolio: PortfolioRow, version: Version) -> OpenBook:
    entries = await list_entries(env, user_id, str(portfolio.id))
    rates = await load_rates(env, portfolio.base_currency)
    base, method = portfolio.base_currency, portfolio.lot_method
    book = await asyncio.to_thread(keep_book, entries, base=base, rates=rates, method=method)
    return OpenBook(portfolio, tuple(entries), book, version)


_PAST_RATES: Final = """
    SELECT a.day AS asked, r.day, r.rate, r.source, r.fetched_at
    FROM unnest(CAST(:days AS date[])) AS a (day) CROSS JOIN LATERAL (
        SELECT * FROM fx_rate AS f WHERE f.base = 'USD' AND f.quote = 'KRW'
        AND f.day BETWEEN a.day - CAST(:gap AS int) AND a.day
        ORDER BY f.day DESC LIMIT 1
    ) AS r
"""
