"""Daily equity of portfolios: worked out by a worker from the first day that has changed, stored.

A portfolio is due when it has a transaction that was not counted, when a price or a rate of its own
has changed, or when a day has ended. What there is up to the newest value before the first change
stays as it is: days without a value after it are worked out again with what was paid on them. The
days are those on which a market of its instruments had a session, from its first entry to the
newest stored close; with the first purchase in another market they change from the beginning. The
newest days are always worked out again: one market's close comes hours after the other's. Nothing
here runs in the web process but reading what is stored.

What was counted is told by numbers, not by times: of transactions the newest and how many there
are (one with a lower number may be stored later), of prices the version, which grows in the order
of commits. However many workers look, a change is worked out once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import polars as pl
from sqlalchemy import delete, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.engine import EVERYONE
from app.db.frames import RefusedData, merge_frame, read_frame
from app.db.models import DataVersion, EquityDaily, EquityState, Portfolio, Txn
from app.domain.portfolio.equity import Last, compute_equity
from app.domain.transactions import Entry, LotMethod
from app.env import Env
from app.errors import BadInput, Conflict
from app.services.market.prices import horizon
from app.services.portfolio.entries import read_entry, select_entries

LOG: Final = logging.getLogger(__name__)
AGAIN: Final = timedelta(days=7)
"""The newest days, which are worked out anew each time."""

HOME: Final = "XKRX"
"""Whose sessions are the days of a portfolio without an instrument."""

_WRONG: Final = (
    BadInput,
    Conflict,
    ArithmeticError,
    LookupError,
    ValueError,
    pl.exceptions.PolarsError,
    RefusedData,
)
"""What one portfolio's entries can lead to. A database that does not answer is none of it."""

_LOCK: Final = text("SELECT pg_try_advisory_xact_lock(hashtext('sise-equity'), :portfolio)")
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
class Worked:
    """What equity is worked out of, from `dirty_from` on: days, and closes and rates from before.

    The entries are all there are; `version` is that of the prices; `last` the stored day that still
    holds.
    """

    id: int
    base: str
    method: LotMethod
    entries: Sequence[Entry]
    dirty_from: date
    last: Last | None
    version: int
    days: Sequence[date]
    closes: pl.DataFrame
    rates: pl.DataFrame


async def refresh_equity(env: Env) -> int:
    """Works out what is due in all portfolios; how many were.

    Another worker that is at the same portfolio is left alone: it has it. What it has done is not
    done again.
    """
    until = await horizon(env) or date.max
    async with env.db.read(uid=EVERYONE) as db:
        newest = await db.scalar(text(_NEWEST), {"until": until})
        if newest is None:
            return 0
        due = list(await db.scalars(text(f"{_DUE} ORDER BY p.id"), {"newest": newest}))
    return await go_through(due, lambda portfolio: _refresh(env, portfolio, newest))


async def go_through(portfolios: Iterable[int], step: Callable[[int], Awaitable[bool]]) -> int:
    """Takes a step with each portfolio; with how many it came to something.

    What is wrong with one is logged and stops no other.
    """
    done = 0
    for portfolio in portfolios:
        try:
            done += await step(portfolio)
        except _WRONG:
            LOG.exception("equity not worked out", extra={"portfolio": portfolio})
    return done


async def read_equity(
    env: Env, user_id: int, portfolio_id: int, start: date | None, end: date | None
) -> pl.DataFrame:
    """The stored days from `start` to `end`, both included, with the one before them as the first.

    Columns of `EQUITY`, in order of day. Whose portfolio it is was asked before.
    """
    params = {"id": portfolio_id, "start": start or date.min, "end": end or date.max}
    async with env.db.read(uid=user_id) as db:
        return await read_frame(db, _STORED, params, EQUITY)


async def is_due(db: AsyncSession, portfolio_id: int, newest: date) -> bool:
    """Whether something of the portfolio has changed that its stored days do not know yet."""
    one = text(f"{_DUE} AND p.id = :id")
    return await db.scalar(one, {"newest": newest, "id": portfolio_id}) is not None


async def lock(db: AsyncSession, portfolio_id: int) -> bool:
    """Whether nobody else is at the portfolio's equity until this transaction ends."""
    return bool(await db.scalar(_LOCK, {"portfolio": portfolio_id}))


async def load_worked(
    db: AsyncSession, portfolio_id: int, newest: date, *, dirty: bool = False
) -> Worked | None:
    """What the portfolio's equity is worked out of up to `newest`; None without an entry.

    From its first day on, or, with `dirty`, from the newest value before the first change.
    """
    columns = select(Portfolio.base_currency, Portfolio.lot_method)
    own = (await db.execute(columns.where(Portfolio.id == portfolio_id))).one_or_none()
    version = await db.scalar(select(func.max(DataVersion.number)))  # before any price is read
    query = select_entries().where(Txn.portfolio_id == portfolio_id).order_by(Txn.day, Txn.id)
    entries = [read_entry(row) for row in await db.execute(query)]
    if own is None or not entries:
        return None
    start = entries[0].day
    days, last = await _days(db, portfolio_id, start, newest), None
    if dirty:
        last = await _last_before(db, portfolio_id, await _first_change(db, portfolio_id, days))
        start = start if last is None else last.day + timedelta(days=1)
    closes, rates = await _market(db, own.base_currency, entries, newest)
    method = LotMethod(own.lot_method)
    return Worked(
        portfolio_id,
        own.base_currency,
        method,
        entries,
        start,
        last,
        version or 0,
        [day for day in days if day >= start],
        closes,
        rates,
    )


async def list_stored(db: AsyncSession, portfolio_id: int) -> pl.DataFrame:
    """All stored days of a portfolio; columns of `EQUITY`, in order of day."""
    params = {"id": portfolio_id, "start": date.min, "end": date.max}
    return await read_frame(db, _STORED, params, EQUITY)


async def _refresh(env: Env, portfolio_id: int, newest: date) -> bool:
    async with env.db.write(uid=EVERYONE) as db:
        if not await lock(db, portfolio_id) or not await is_due(db, portfolio_id, newest):
            return False
        worked = await load_worked(db, portfolio_id, newest, dirty=True)
        if worked is None:
            return False
        frame = await asyncio.to_thread(
            compute_equity,
            worked.entries,
            worked.closes,
            worked.rates,
            worked.days,
            base=worked.base,
            last=worked.last,
        )
        await _store(db, worked, frame, newest, env)
    return True


async def _days(db: AsyncSession, portfolio_id: int, start: date, newest: date) -> list[date]:
    params = {"id": portfolio_id, "start": start, "newest": newest, "home": HOME}
    return list(await db.scalars(text(_DAYS), params))


async def _first_change(db: AsyncSession, portfolio_id: int, days: Sequence[date]) -> date:
    """The first day on which something has changed, or one that is stored though it is none."""
    params = {"id": portfolio_id, "again": AGAIN.days}
    changed = await db.scalar(text(_DIRTY), params) or date.min
    query = select(EquityDaily.day).where(EquityDaily.portfolio_id == portfolio_id)
    return min([changed, *set(days).symmetric_difference(await db.scalars(query))])


async def _last_before(db: AsyncSession, portfolio_id: int, day: date) -> Last | None:
    """The newest stored day before `day` that has a value."""
    query = (
        select(EquityDaily.day, EquityDaily.value, EquityDaily.unit, EquityDaily.drawdown)
        .where(EquityDaily.portfolio_id == portfolio_id, EquityDaily.day < day)
        .where(EquityDaily.value.is_not(None))
        .order_by(EquityDaily.day.desc())
        .limit(1)
    )
    row = (await db.execute(query)).one_or_none()
    return None if row is None else Last(row.day, float(row.value), row.unit, row.drawdown)


async def _market(
    db: AsyncSession, base: str, entries: Sequence[Entry], newest: date
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Closes of whatever was held and rates, from well before the first day on."""
    symbols = {e.symbol for e in entries} | {e.symbol_to for e in entries}
    params: dict[str, Any] = {
        "symbols": sorted(symbol for symbol in symbols if symbol is not None),
        "start": entries[0].day - timedelta(days=30),
        "until": newest,
        "turned": base == "USD",
        "foreign": "KRW" if base == "USD" else "USD",
    }
    closes = {"symbol": pl.String, "day": pl.Date, "close": pl.Float64}
    rates = {"currency": pl.String, "day": pl.Date, "rate": pl.Float64}
    return (
        await read_frame(db, _CLOSES, params, pl.Schema(closes)),
        await read_frame(db, _RATES, params, pl.Schema(rates)),
    )


async def _store(
    db: AsyncSession, worked: Worked, frame: pl.DataFrame, newest: date, env: Env
) -> None:
    stale = (EquityDaily.portfolio_id == worked.id, EquityDaily.day >= worked.dirty_from)
    await db.execute(delete(EquityDaily).where(*stale))
    rows = frame.select(EQUITY.names()).with_columns(portfolio_id=pl.lit(worked.id, pl.Int64))
    await merge_frame(db, "equity_daily", rows)
    state = {
        "txn_id": max(entry.id or 0 for entry in worked.entries),
        "txns": len(worked.entries),
        "version": worked.version,
        "day": newest,
        "computed_at": env.clock.now(),
    }
    made = insert(EquityState).values(portfolio_id=worked.id, **state)
    await db.execute(made.on_conflict_do_update(index_elements=["portfolio_id"], set_=state))


_HELD: Final = """
    SELECT DISTINCT symbol FROM txn WHERE portfolio_id = p.id AND symbol IS NOT NULL
    UNION SELECT symbol_to FROM txn WHERE portfolio_id = p.id AND symbol_to IS NOT NULL"""

_NEWEST: Final = "SELECT max(day) FROM bar WHERE close IS NOT NULL AND day <= :until"

_COUNTED: Final = "kind NOT IN ('SETTLEMENT', 'RESERVATION')"

_CHANGED: Final = f"""
    SELECT symbol FROM data_version
    WHERE number > s.version AND symbol IN ({_HELD} UNION SELECT 'USDKRW=X')"""

_DUE: Final = f"""
    SELECT p.id FROM portfolio AS p LEFT JOIN equity_state AS s ON s.portfolio_id = p.id
    WHERE (s.day < :newest OR EXISTS ({_CHANGED}) OR coalesce(s.txns, 0) <> (
        SELECT count(*) FROM txn WHERE portfolio_id = p.id AND {_COUNTED}
    ))
"""

_DIRTY: Final = f"""
    SELECT least(
        s.day - CAST(:again AS int),
        (SELECT min(day) FROM txn WHERE portfolio_id = p.id AND {_COUNTED} AND (
            id > s.txn_id OR s.txns <> (
                SELECT count(*) FROM txn WHERE portfolio_id = p.id AND {_COUNTED}
                AND id <= s.txn_id
            ))),
        (SELECT min(day) FROM bar WHERE symbol IN ({_CHANGED}) AND revision > s.version),
        (SELECT min(day) FROM fx_rate WHERE revision > s.version),
        (SELECT min(day) FROM data_revision WHERE number > s.version AND symbol IN ({_CHANGED})
         AND kind IN ('BAR', 'RATE'))
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
