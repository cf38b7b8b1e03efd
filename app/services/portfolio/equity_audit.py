"""The daily audit: whether stored daily equity still holds, for everybody and unasked.

Of each portfolio that was not looked at for a day, its equity is worked out anew from the first day
on and compared with what is stored; the value of the last day is compared with the book's, which is
kept in decimals by other code. What is found stays with the portfolio until the next look, also
when the days are right again: those that differed are worked out anew within a minute, unless that
would leave a day without its value.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Container, Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final, NamedTuple

import polars as pl
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.engine import EVERYONE
from app.db.frames import read_frame
from app.db.models import DismissedAction, EquityState
from app.domain.portfolio.book import Rates
from app.domain.portfolio.booking import keep_book
from app.domain.portfolio.equity import compute_equity
from app.domain.portfolio.equity_checks import (
    find_changed,
    find_odd_return,
    lacks_values,
    list_other_splits,
)
from app.domain.portfolio.valuation import Mark, PortfolioValue, value_portfolio
from app.domain.transactions import Entry, TransactionKind, standing
from app.env import Env
from app.services.portfolio.audit import AuditRow, Finding
from app.services.portfolio.equity import (
    Worked,
    go_through,
    is_due,
    list_stored,
    load_worked,
    lock,
)
from app.services.portfolio.portfolio_books import load_rates

LOG: Final = logging.getLogger(__name__)
EVERY: Final = timedelta(hours=23)  # asked each hour: each day at about the same time
SPLITS: Final = pl.Schema(
    {"symbol": pl.String, "day": pl.Date, "numerator": pl.Float64, "denominator": pl.Float64}
)


class _Splits(NamedTuple):
    """What the source tells of what was held, and which of it its owner has said is none."""

    told: pl.DataFrame
    dismissed: Container[tuple[str, date]]


async def audit_due(env: Env) -> int:
    """Looks at what was not looked at for a day; how many portfolios were."""
    query = select(EquityState.portfolio_id).order_by(EquityState.portfolio_id)
    before = env.clock.now() - EVERY
    late = EquityState.audited_at.is_(None) | (EquityState.audited_at < before)
    async with env.db.read(uid=EVERYONE) as db:
        due = list(await db.scalars(query.where(late)))
    return await go_through(due, lambda portfolio: _audit(env, portfolio))


async def read_findings(env: Env, user_id: int, portfolio_id: int) -> list[AuditRow]:
    """What the last look has found. Whose portfolio it is was asked before."""
    query = select(EquityState.findings).where(EquityState.portfolio_id == portfolio_id)
    async with env.db.read(uid=user_id) as db:
        return [_from_json(row) for row in await db.scalar(query) or []]


async def _audit(env: Env, portfolio_id: int) -> bool:
    """Leaves alone what is about to be worked out, before or since: it is not stored yet."""
    async with env.db.write(uid=EVERYONE) as db:
        state = await db.get(EquityState, portfolio_id)
        if state is None or not await lock(db, portfolio_id):
            return False
        if await is_due(db, portfolio_id, state.day):
            return False
        worked = await load_worked(db, portfolio_id, state.day)
        if worked is None:
            return False
        found, mends = await _look(env, db, worked)
        if await is_due(db, portfolio_id, state.day):
            return False
        state.audited_at, state.findings = env.clock.now(), [_to_json(row) for row in found]
        if mends:
            state.txns = 0  # nothing is counted: all days are worked out anew
    if found:
        told = {"portfolio": portfolio_id, "findings": [_to_json(row) for row in found]}
        LOG.warning("the audit has found what cannot be right", extra=told)
    return True


async def _look(env: Env, db: AsyncSession, worked: Worked) -> tuple[list[AuditRow], bool]:
    """What is found, and whether it goes away when all days are worked out anew."""
    stored = await list_stored(db, worked.id)
    rates = await load_rates(env, worked.base)
    return await asyncio.to_thread(_compare, worked, stored, rates, await _load_splits(db, worked))


def _compare(
    worked: Worked, stored: pl.DataFrame, rates: Rates, splits: _Splits
) -> tuple[list[AuditRow], bool]:
    anew = compute_equity(
        worked.entries, worked.closes, worked.rates, worked.days, base=worked.base
    )
    changed = find_changed(stored, anew)
    found: list[AuditRow] = []
    for finding, difference in (
        (Finding.EQUITY_DIFFERS, changed),
        (Finding.RETURN_DIFFERS, find_odd_return(stored)),
    ):
        if difference is not None:
            amount = None if difference.amount is None else Decimal(str(difference.amount))
            found.append(AuditRow(finding, worked.base, amount, difference.day))
    found += _total(worked, stored, _book_value(worked, rates))
    for symbol, day in list_other_splits(worked.entries, splits.told, splits.dismissed):
        found.append(AuditRow(Finding.SPLITS_DIFFER, symbol, None, day))
    return found, changed is not None and not lacks_values(stored, anew)


def _book_value(worked: Worked, rates: Rates) -> PortfolioValue | None:
    """The book at the closes of the last day that is stored."""
    if not worked.days:
        return None
    last = worked.days[-1]
    entries = [entry for entry in worked.entries if entry.day <= last]
    book = keep_book(entries, base=worked.base, rates=rates, method=worked.method)
    known = worked.closes.filter(pl.col("day") <= last).sort("day").group_by("symbol").last()
    prices = {
        symbol: Mark(_through_splits(entries, symbol, day, close), "close")
        for symbol, day, close in known.select("symbol", "day", "close").rows()
    }
    foreign = {currency: rates(currency, last) for currency in ("KRW", "USD")}
    marks = {c: Mark(rate, "rate") for c, rate in foreign.items() if rate is not None}
    return value_portfolio(book, prices, marks)


def _through_splits(entries: list[Entry], symbol: str, day: date, close: float) -> Decimal:
    """A close on the basis of the ledger's shares of today."""
    price = Fraction(str(close))
    for entry in standing(entries):
        if entry.kind is TransactionKind.SPLIT and entry.symbol == symbol and entry.day > day:
            price *= Fraction(entry.denominator or 1) / Fraction(entry.numerator or 1)
    return Decimal(price.numerator) / price.denominator


def _total(
    worked: Worked, stored: pl.DataFrame, value: PortfolioValue | None
) -> Iterator[AuditRow]:
    """Nothing is said of a value that lacks something."""
    last = None if stored.is_empty() else stored["value"][-1]
    if value is None or last is None or not value.complete:
        return
    difference = Decimal(str(last)) - value.total
    if abs(difference) >= 1:
        yield AuditRow(Finding.TOTAL_DIFFERS, worked.base, difference, worked.days[-1])


async def _load_splits(db: AsyncSession, worked: Worked) -> _Splits:
    params = {"id": worked.id, "newest": worked.days[-1] if worked.days else date.min}
    query = select(DismissedAction.symbol, DismissedAction.day).where(
        DismissedAction.portfolio_id == worked.id, DismissedAction.kind == TransactionKind.SPLIT
    )
    dismissed = {(row.symbol, row.day) for row in await db.execute(query)}
    return _Splits(await read_frame(db, _SPLITS, params, SPLITS), dismissed)


def _to_json(row: AuditRow) -> dict[str, Any]:
    difference = None if row.difference is None else str(row.difference)
    day = None if row.day is None else row.day.isoformat()
    return {"finding": row.finding, "name": row.name, "difference": difference, "day": day}


def _from_json(row: Mapping[str, Any]) -> AuditRow:
    difference = None if row["difference"] is None else Decimal(row["difference"])
    day = None if row["day"] is None else date.fromisoformat(row["day"])
    return AuditRow(Finding(row["finding"]), row["name"], difference, day)


_SPLITS: Final = """
    SELECT symbol, day, numerator, denominator FROM split
    WHERE symbol IN (SELECT symbol FROM txn WHERE portfolio_id = :id) AND day <= :newest
    ORDER BY symbol, day
"""
