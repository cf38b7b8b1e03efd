"""Daily equity of portfolios: worked out by a worker from the first day that has changed, stored.

A portfolio is due when it has a transaction that was not counted, a price or a rate that was
fetched since, or an older one that was revised. Days before the first change stay as they are. The
days are those on which a market of its instruments had a session, from its first entry to the
newest stored close. The newest days are always worked out again: one market's close comes hours
after the other's. Nothing here runs in the web process but reading what is stored.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import polars as pl
from sqlalchemy import delete, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.engine import EVERYONE
from app.db.frames import merge_frame, read_frame
from app.db.models import EquityDaily, EquityState, Portfolio, Txn
from app.domain.portfolio.equity import Last, compute_equity
from app.domain.transactions import Entry
from app.env import Env
from app.services.entries import read_entry, select_entries
from app.services.prices import horizon

AGAIN: Final = timedelta(days=7)
"""The newest days, which are worked out anew each time."""

HOME: Final = "XKRX"
"""Whose sessions are the days of a portfolio without an instrument."""

LOCK: Final = text("SELECT pg_try_advisory_xact_lock(hashtext('sise-equity'), :portfolio)")
EQUITY: Final = pl.Schema(
    {
        "day": pl.Date,
        "value": pl.Float64,
        "cash": pl.Float64,
        "paid_in": pl.Float64,
        "paid_out": pl.Float64,
        "missing": pl.Int64,
        "unit": pl.Float64,
        "drawdown": pl.Float64,
    }
)


@dataclass(frozen=True)
class _Portfolio:
    """What is worked out: its entries, and the day from which on."""

    id: int
    base: str
    entries: Sequence[Entry]
    dirty_from: date
    newest_txn: int


async def refresh_equity(env: Env) -> int:
    """Works out what is due in all portfolios; how many were.

    Another worker that is at the same portfolio is left alone: it has it.
    """
    until = await horizon(env) or date.max
    async with env.db.read(uid=EVERYONE) as db:
        newest = await db.scalar(text(_NEWEST), {"until": until})
        if newest is None:
            return 0
        due = list(await db.scalars(text(_DUE), {"newest": newest}))
    return sum([await _refresh(env, portfolio, newest) for portfolio in due])


async def read_equity(
    env: Env, user_id: int, portfolio_id: int, start: date | None, end: date | None
) -> pl.DataFrame:
    """The stored days from `start` to `end`, both included, with the one before them as the first.

    Columns of `EQUITY`, in order of day. Whose portfolio it is was asked before.
    """
    params = {"id": portfolio_id, "start": start or date.min, "end": end or date.max}
    async with env.db.read(uid=user_id) as db:
        return await read_frame(db, _STORED, params, EQUITY)


async def _refresh(env: Env, portfolio_id: int, newest: date) -> bool:
    async with env.db.write(uid=EVERYONE) as db:
        if not await db.scalar(LOCK, {"portfolio": portfolio_id}):
            return False
        wanted = await _load(db, portfolio_id)
        if wanted is None:
            return False
        days = await _days(db, wanted, newest)
        last = await _last_before(db, wanted)
        closes, rates = await _market(db, wanted, newest)
        frame = await asyncio.to_thread(
            compute_equity, wanted.entries, closes, rates, days, base=wanted.base, last=last
        )
        await _store(db, wanted, frame, newest, env)
    return True


async def _load(db: AsyncSession, portfolio_id: int) -> _Portfolio | None:
    base = await db.scalar(select(Portfolio.base_currency).where(Portfolio.id == portfolio_id))
    query = select_entries().where(Txn.portfolio_id == portfolio_id).order_by(Txn.day, Txn.id)
    entries = [read_entry(row) for row in await db.execute(query)]
    if base is None or not entries:
        return None
    dirty = await db.scalar(text(_DIRTY), {"id": portfolio_id, "again": AGAIN.days})
    first = entries[0].day
    newest = max(entry.id or 0 for entry in entries)
    return _Portfolio(portfolio_id, base, entries, max(dirty or first, first), newest)


async def _days(db: AsyncSession, wanted: _Portfolio, newest: date) -> list[date]:
    params = {"id": wanted.id, "start": wanted.dirty_from, "newest": newest, "home": HOME}
    return list(await db.scalars(text(_DAYS), params))


async def _last_before(db: AsyncSession, wanted: _Portfolio) -> Last | None:
    """The newest stored day with a value before what is worked out."""
    query = (
        select(EquityDaily.day, EquityDaily.value, EquityDaily.unit, EquityDaily.drawdown)
        .where(EquityDaily.portfolio_id == wanted.id, EquityDaily.day < wanted.dirty_from)
        .where(EquityDaily.value.is_not(None))
        .order_by(EquityDaily.day.desc())
        .limit(1)
    )
    row = (await db.execute(query)).one_or_none()
    return None if row is None else Last(row.day, float(row.value), row.unit, row.drawdown)


async def _market(
    db: AsyncSession, wanted: _Portfolio, newest: date
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Closes of whatever was held and rates, from well before the first day on."""
    symbols = {e.symbol for e in wanted.entries} | {e.symbol_to for e in wanted.entries}
    params: dict[str, Any] = {
        "symbols": sorted(symbol for symbol in symbols if symbol is not None),
        "start": wanted.entries[0].day - timedelta(days=30),
        "until": newest,
        "turned": wanted.base == "USD",
        "foreign": "KRW" if wanted.base == "USD" else "USD",
    }
    closes = {"symbol": pl.String, "day": pl.Date, "close": pl.Float64}
    rates = {"currency": pl.String, "day": pl.Date, "rate": pl.Float64}
    return (
        await read_frame(db, _CLOSES, params, pl.Schema(closes)),
        await read_frame(db, _RATES, params, pl.Schema(rates)),
    )


async def _store(
    db: AsyncSession, wanted: _Portfolio, frame: pl.DataFrame, newest: date, env: Env
) -> None:
    stale = (EquityDaily.portfolio_id == wanted.id, EquityDaily.day >= wanted.dirty_from)
    await db.execute(delete(EquityDaily).where(*stale))
    rows = frame.select(EQUITY.names()).with_columns(portfolio_id=pl.lit(wanted.id, pl.Int64))
    await merge_frame(db, "equity_daily", rows)
    state = {
        "txn_id": wanted.newest_txn,
        "day": newest,
        "computed_at": env.clock.now(),
    }
    made = insert(EquityState).values(portfolio_id=wanted.id, **state)
    await db.execute(made.on_conflict_do_update(index_elements=["portfolio_id"], set_=state))


_HELD: Final = """
    SELECT DISTINCT symbol FROM txn WHERE portfolio_id = p.id AND symbol IS NOT NULL
    UNION SELECT symbol_to FROM txn WHERE portfolio_id = p.id AND symbol_to IS NOT NULL"""

_NEWEST: Final = "SELECT max(day) FROM bar WHERE close IS NOT NULL AND day <= :until"

_DUE: Final = f"""
    SELECT p.id FROM portfolio AS p LEFT JOIN equity_state AS s ON s.portfolio_id = p.id
    WHERE EXISTS (
        SELECT FROM txn WHERE portfolio_id = p.id AND id > coalesce(s.txn_id, 0)
        AND kind NOT IN ('SETTLEMENT', 'RESERVATION')
    ) OR (s.day IS NOT NULL AND (s.day < :newest OR EXISTS (
        SELECT FROM bar WHERE symbol IN ({_HELD}) AND day > s.day - 30
        AND fetched_at > s.computed_at
    ) OR EXISTS (
        SELECT FROM fx_rate WHERE day > s.day - 30 AND fetched_at > s.computed_at
    ) OR EXISTS (
        SELECT FROM data_revision WHERE symbol IN ({_HELD} UNION SELECT 'USDKRW=X')
        AND at > s.computed_at
    ))) ORDER BY p.id
"""

_DIRTY: Final = f"""
    SELECT least(
        s.day - CAST(:again AS int),
        (SELECT min(day) FROM txn WHERE portfolio_id = p.id AND id > s.txn_id),
        (SELECT min(day) FROM data_revision WHERE at > s.computed_at
         AND symbol IN ({_HELD} UNION SELECT 'USDKRW=X'))
    ) FROM equity_state AS s JOIN portfolio AS p ON p.id = s.portfolio_id WHERE p.id = :id
"""

_DAYS: Final = f"""
    WITH market AS (
        SELECT DISTINCT i.mic FROM portfolio AS p JOIN instrument AS i ON i.symbol IN ({_HELD})
        WHERE p.id = :id
    )
    SELECT DISTINCT e.day FROM exchange_session AS e WHERE e.day BETWEEN :start AND :newest
    AND (e.mic IN (SELECT mic FROM market)
         OR (e.mic = :home AND NOT EXISTS (SELECT FROM market)))
    ORDER BY e.day
"""

_CLOSES: Final = """
    SELECT symbol, day, close FROM bar
    WHERE symbol = ANY(:symbols) AND close IS NOT NULL AND day BETWEEN :start AND :until
    ORDER BY symbol, day
"""

_RATES: Final = """
    SELECT CAST(:foreign AS text) AS currency, day,
           CASE WHEN :turned THEN 1 / rate ELSE rate END AS rate
    FROM fx_rate WHERE base = 'USD' AND quote = 'KRW' AND day BETWEEN :start AND :until
    ORDER BY day
"""

_STORED: Final = """
    SELECT day, value, cash, paid_in, paid_out, missing, unit, drawdown FROM equity_daily
    WHERE portfolio_id = :id AND day <= :end AND day >= coalesce(
        (SELECT max(day) FROM equity_daily
         WHERE portfolio_id = :id AND day < :start AND value IS NOT NULL), :start)
    ORDER BY day
"""
