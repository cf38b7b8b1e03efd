"""What an open book is worth at the newest quotes, and how that changes while one looks.

Each position counts the day of its own quote: while Seoul trades, New York's day is still
yesterday's. A quote that is missing leaves its position without a value, by name.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, localcontext
from typing import Final

from app.domain.portfolio.day import DayStart, cash_result
from app.domain.portfolio.lots import PRECISE, sum_known
from app.domain.portfolio.rates import invert
from app.domain.portfolio.valuation import Mark, PortfolioValue, value_portfolio
from app.domain.quotes import Quote
from app.env import Env
from app.services.feed.live import QuoteHub
from app.services.portfolio.portfolio_books import BookShelf, OpenBook, read_version

RATE_SYMBOL: Final = "USDKRW=X"
LOOK_AGAIN: Final = 2.0
"""Seconds after which a portfolio that is being watched is looked at for new transactions."""


@dataclass(frozen=True)
class Valuation:
    """A book at quotes: `day_pnl` is of positions and foreign cash; None where it is not known.

    `at` is the instant of the newest quote, or of the question when there is none.
    """

    opened: OpenBook
    value: PortfolioValue
    quotes: Mapping[str, Quote]
    day_pnl: Decimal | None
    at: datetime


async def value_now(env: Env, hub: QuoteHub, opened: OpenBook) -> Valuation:
    """The book at the newest quotes there are.

    Raises:
        Unavailable: a quote has to be read and the database does not answer.
    """
    quotes = await hub.quotes(watched(opened))
    return value_at(opened, quotes, env.clock.now())


async def follow_value(
    env: Env, hub: QuoteHub, shelf: BookShelf, user_id: int, portfolio_id: str
) -> AsyncGenerator[Valuation]:
    """The portfolio's value now, and again whenever a quote or its ledger has changed.

    Raises:
        NotFound: the portfolio is not there or not the user's.
    """
    opened = await shelf.open(env, user_id, portfolio_id)
    while True:
        quotes: dict[str, Quote] = {}
        async with aclosing(hub.subscribe(watched(opened))) as changes:
            async for fresh in _until_stale(env, user_id, opened, changes):
                quotes |= fresh
                yield value_at(opened, quotes, env.clock.now())
        opened = await shelf.open(env, user_id, portfolio_id)


def value_at(opened: OpenBook, quotes: Mapping[str, Quote], now: datetime) -> Valuation:
    """The book at given quotes; a pure function of both (`now` is told when there are none)."""
    rates, prices = _marks(opened, quotes)
    start = _day_of_each(opened, quotes, now)
    value = value_portfolio(opened.book, prices, rates, day=start)
    with localcontext(PRECISE):
        known = {c: mark.value for c, mark in rates.items()} | {opened.base: Decimal(1)}
        before = {c: mark.before for c, mark in rates.items() if mark.before is not None}
        cash = cash_result(start, known, before | {opened.base: Decimal(1)})
        pnl = sum_known([*(position.day_pnl for position in value.positions), cash])
    at = max((quote.at for quote in quotes.values()), default=now)
    return Valuation(opened, value, quotes, pnl, at)


def watched(opened: OpenBook) -> list[str]:
    """The symbols whose quotes the book needs."""
    return [*opened.symbols, RATE_SYMBOL]


async def _until_stale(
    env: Env, user_id: int, opened: OpenBook, changes: AsyncGenerator[dict[str, Quote]]
) -> AsyncGenerator[dict[str, Quote]]:
    """The changes until the ledger or the rates behind the book have changed."""
    loop = asyncio.get_running_loop()
    look_at = loop.time() + LOOK_AGAIN
    upcoming = asyncio.ensure_future(anext(changes))
    try:
        while True:
            done, _ = await asyncio.wait({upcoming}, timeout=max(0.0, look_at - loop.time()))
            if done:
                yield upcoming.result()
                upcoming = asyncio.ensure_future(anext(changes))
            if loop.time() >= look_at:
                if await read_version(env, user_id, opened.portfolio.id) != opened.version:
                    return
                look_at = loop.time() + LOOK_AGAIN
    finally:
        upcoming.cancel()
        await asyncio.wait({upcoming})


def _marks(
    opened: OpenBook, quotes: Mapping[str, Quote]
) -> tuple[dict[str, Mark], dict[str, Mark]]:
    """The rate of the foreign currency, and the price of each symbol that has a quote."""
    rates: dict[str, Mark] = {}
    if quote := quotes.get(RATE_SYMBOL):
        before = quote.previous_close
        turned = opened.base != "KRW"
        rates[opened.foreign] = Mark(
            value=invert(quote.price) if turned else quote.price,
            source=quote.source,
            at=quote.at,
            day=quote.day,
            before=invert(before) if turned and before else before,
        )
    prices = {
        symbol: Mark(quote.price, quote.source, quote.at, quote.day, quote.previous_close)
        for symbol, quote in quotes.items()
        if symbol != RATE_SYMBOL
    }
    return rates, prices


def _day_of_each(opened: OpenBook, quotes: Mapping[str, Quote], now: datetime) -> DayStart:
    """What was held when the day of each symbol's own quote began; cash by the newest day."""
    days = {symbol: quotes[symbol].day for symbol in opened.symbols if symbol in quotes}
    return opened.start_of(max(days.values(), default=now.date()), days)
