"""Portfolios opened for reading: their entries folded into books, kept until something changes.

A book is a function of the entries and of the exchange rates of their days, so that it may be kept
for as long as neither has changed (`version`). What was written in since is read alone; where it
comes after all the rest, it is booked into a copy of the book. Otherwise the entries are folded
anew, in a thread.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Hashable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property, partial
from typing import Final, NamedTuple

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.models import FxRate, Txn
from app.domain.market import CURRENCY_DIGITS
from app.domain.portfolio.book import Book
from app.domain.portfolio.booking import extend_book, keep_book
from app.domain.portfolio.day import DayStart, start_of_day
from app.domain.portfolio.rates import LONGEST_GAP, DatedRates, invert
from app.domain.portfolio.sums import Sum, sum_income, sum_sales
from app.domain.portfolio.valuation import Mark
from app.domain.transactions import Entry
from app.env import Env
from app.services.portfolio.ledger import list_entries
from app.services.portfolio.portfolios import PortfolioRow, find_own

MOST_KEPT: Final = 64
"""Books that a process keeps; the one that was not asked for longest is dropped first."""


class Version(NamedTuple):
    """What changes with a portfolio's ledger or a rate.

    The newest of its transactions and how many there are (one with a lower number may be stored
    later), and when a rate was last fetched.
    """

    newest: int
    rows: int
    fetched: datetime | None


@dataclass(frozen=True)
class OpenBook:
    """A portfolio, its entries and what they amount to."""

    portfolio: PortfolioRow
    entries: tuple[Entry, ...]
    book: Book
    rates: DatedRates
    version: Version
    proposals: dict[Hashable, list[Entry]] = field(default_factory=dict)
    """What the sources told that the entries lack, by what was known then."""
    _starts: list[tuple[Mapping[str, date], DayStart]] = field(default_factory=list)

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

    @cached_property
    def sold(self) -> dict[str, Sum]:
        """By symbol all its sales and their gains."""
        return sum_sales(self.book.sales)

    @cached_property
    def income_by_month(self) -> dict[str, Sum]:
        """By month all that was earned."""
        return sum_income(self.book.income)

    def start_of(self, day: date, days: Mapping[str, date]) -> DayStart:
        """What was held when the day began, and when that of each symbol did.

        The last one is kept: it changes with a day, not with a price.
        """
        if not self._starts or (self._starts[0][0], self._starts[0][1].day) != (days, day):
            self._starts[:] = [(dict(days), start_of_day(self.book, self.entries, day, days))]
        return self._starts[0][1]


class BookShelf:
    """The books that one process has open."""

    def __init__(self) -> None:
        self._kept: OrderedDict[int, OpenBook] = OrderedDict()

    async def open(self, env: Env, user_id: int, portfolio_id: str) -> OpenBook:
        """The book of one of the user's portfolios as of now.

        A book that is being made is waited for, also one whose first reader has given up.

        Raises:
            NotFound: the portfolio is not there or not the user's.
        """
        async with env.db.read(uid=user_id) as db:
            portfolio = PortfolioRow.of(await find_own(db, portfolio_id, user_id))
            version = await _find_version(db, portfolio.id)
        kept = self._find(portfolio, version)
        if kept is None:
            make = partial(self._make, env, user_id, portfolio, version)
            kept = await env.flights.ask((self, portfolio, version), make)
        return kept

    def _find(self, portfolio: PortfolioRow, version: Version) -> OpenBook | None:
        kept = self._kept.get(portfolio.id)
        if kept is None or (kept.portfolio, kept.version) != (portfolio, version):
            return None
        self._kept.move_to_end(portfolio.id)
        return kept

    async def _make(
        self, env: Env, user_id: int, portfolio: PortfolioRow, version: Version
    ) -> OpenBook:
        made = self._find(portfolio, version)
        if made is None:
            before = self._kept.get(portfolio.id)
            made = await _open(env, user_id, portfolio, version, before)
            self._kept[portfolio.id] = made
            self._kept.move_to_end(portfolio.id)
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
        return made


async def read_version(env: Env, user_id: int, portfolio_id: int) -> Version:
    """What changes with the entries of the portfolio or a rate."""
    async with env.db.read(uid=user_id) as db:
        return await _find_version(db, portfolio_id)


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


async def _find_version(db: AsyncSession, portfolio_id: int) -> Version:
    own = select(func.max(Txn.id), func.count()).where(Txn.portfolio_id == portfolio_id)
    fetched = select(func.max(FxRate.fetched_at)).scalar_subquery()
    newest, rows, at = (await db.execute(own.add_columns(fetched))).one()
    return Version(newest or 0, rows, at)


async def _open(
    env: Env, user_id: int, portfolio: PortfolioRow, version: Version, kept: OpenBook | None
) -> OpenBook:
    base, method, own = portfolio.base_currency, portfolio.lot_method, str(portfolio.id)
    if kept is None or not await _is_added_to(env, user_id, kept, version):
        entries = await _read_entries(env, user_id, own, 0, version)
        rates = await load_rates(env, base)
    else:
        fresh = await _read_entries(env, user_id, own, kept.version.newest, version)
        same = kept.version.fetched == version.fetched
        rates = kept.rates if same else await load_rates(env, base)
        entries = [*kept.entries, *fresh]
        if same:
            with suppress(ValueError):
                book = extend_book(kept.book, kept.entries, fresh, rates)
                return OpenBook(portfolio, tuple(entries), book, rates, version)
        entries.sort(key=lambda entry: (entry.day, entry.id or 0))
    book = await asyncio.to_thread(keep_book, entries, base=base, rates=rates, method=method)
    return OpenBook(portfolio, tuple(entries), book, rates, version)


async def _read_entries(
    env: Env, user_id: int, portfolio_id: str, after: int, version: Version
) -> list[Entry]:
    """The entries stored after one, up to the newest of the version."""
    found = await list_entries(env, user_id, portfolio_id, after=after)
    return [entry for entry in found if (entry.id or 0) <= version.newest]


async def _is_added_to(env: Env, user_id: int, kept: OpenBook, version: Version) -> bool:
    """Whether all that is new in a ledger has higher numbers than what the kept book has."""
    added = select(func.count()).where(
        Txn.portfolio_id == kept.portfolio.id,
        Txn.id.between(kept.version.newest + 1, version.newest),
    )
    async with env.db.read(uid=user_id) as db:
        count = await db.scalar(added) or 0
    return kept.version.rows + count == version.rows


_PAST_RATES: Final = """
    SELECT a.day AS asked, r.day, r.rate, r.source, r.fetched_at
    FROM unnest(CAST(:days AS date[])) AS a (day) CROSS JOIN LATERAL (
        SELECT * FROM fx_rate AS f WHERE f.base = 'USD' AND f.quote = 'KRW'
        AND f.day BETWEEN a.day - CAST(:gap AS int) AND a.day
        ORDER BY f.day DESC LIMIT 1
    ) AS r
"""
