"""Indicators and signals, stored: after a collection the tail, after a revision or split the whole.

This module imports the compiled loops: workers and the command line use it, never the web process
(`services.readings` reads what is stored here).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import date
from typing import Final

import polars as pl
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.engine import driver_connection
from app.db.frames import merge_frame, read_frame
from app.domain.bars import PriceBasis, adjust
from app.domain.indicator_columns import INDICATOR_COLUMNS
from app.domain.indicators import compute_daily
from app.domain.signal_series import SIGNAL_COLUMNS, compute_signals
from app.domain.signals import MacdVote
from app.env import Env
from app.services.market.instruments import hold_instrument
from app.services.market.prices import horizon
from app.services.screening.rows import write_rows
from app.services.settings import hold_source
from app.services.signals.readings import macd_vote

WARM_UP: Final = 500
"""Sessions before the first row of a tail: what the averages remember of older ones is 6e-14."""

OVERLAP: Final = 30
"""Stored rows that a tail computes again; a collection corrects fewer sessions than that."""

TOLERANCE: Final = 1e-9  # relative: what a tail may differ from the whole

PRICES: Final = ("open", "high", "low", "close")
_BARS: Final = pl.Schema(
    {"day": pl.Date(), **dict.fromkeys(PRICES, pl.Float64()), "volume": pl.Int64()}
)
_STORED: Final = pl.Schema(
    {"symbol": pl.String(), "day": pl.Date(), **dict.fromkeys(INDICATOR_COLUMNS, pl.Float64())}
)
_SPLITS: Final = pl.Schema({"day": pl.Date, "numerator": pl.Float64, "denominator": pl.Float64})
_NO_DIVIDENDS: Final = pl.DataFrame(schema={"day": pl.Date, "amount": pl.Float64})

# EXCEPT and not NOT EXISTS: that one takes a second while the statistics know nothing of a symbol.
_MISSING_SQL: Final = text("""
SELECT count(*) FROM bar
WHERE symbol = :symbol AND day >= COALESCE((
  SELECT min(day) FROM (
    SELECT day FROM bar WHERE symbol = :symbol
    EXCEPT SELECT day FROM indicator_daily WHERE symbol = :symbol) AS missing), 'infinity')
""")
_BARS_SQL: Final = """
SELECT * FROM (
  SELECT day, open, high, low, close, volume FROM bar WHERE symbol = :symbol
  ORDER BY day DESC LIMIT :rows) AS newest
ORDER BY day
"""
_SPLITS_SQL: Final = """
SELECT day, numerator, denominator FROM split WHERE symbol = :symbol ORDER BY day
"""
_STALE_SQL: Final = text("""
SELECT i.indicators_from, (SELECT max(number) FROM data_revision WHERE symbol = i.symbol),
  i.signals_by, (SELECT value #>> '{}' FROM setting WHERE key = 'source')
FROM (SELECT CAST(:symbol AS text) AS symbol) AS asked LEFT JOIN instrument AS i USING (symbol)
""")
_FITS_SQL: Final = text("UPDATE instrument SET indicators_from = NULL WHERE symbol = :symbol")
_SIGNALS_BY_SQL: Final = text("""
UPDATE instrument SET signals_by = :macd
WHERE symbol = :symbol AND signals_by IS DISTINCT FROM :macd
""")
_LEVELS: Final = ", ".join(f"${n}::int2[]" for n in range(3, 3 + len(SIGNAL_COLUMNS)))
_SIGNALS_SQL: Final = f"""
INSERT INTO signal (symbol, day, {", ".join(SIGNAL_COLUMNS)})
SELECT $1, * FROM unnest($2::date[], {_LEVELS})
ON CONFLICT (symbol, day) DO UPDATE
SET {", ".join(f"{name} = excluded.{name}" for name in SIGNAL_COLUMNS)}
WHERE ({", ".join(f"signal.{name}" for name in SIGNAL_COLUMNS)})
  IS DISTINCT FROM ({", ".join(f"excluded.{name}" for name in SIGNAL_COLUMNS)})
"""
_NO_SIGNAL_SQL: Final = text("""
DELETE FROM signal WHERE symbol = :symbol AND day >= :start AND day <> ALL(:days)
""")
_ORPHANS_SQL: Final = text("""
DELETE FROM indicator_daily AS d WHERE symbol = :symbol
AND NOT EXISTS (SELECT FROM bar WHERE symbol = d.symbol AND day = d.day)
""")
_STORED_SQL: Final = f"""
SELECT symbol, day, {", ".join(INDICATOR_COLUMNS)} FROM indicator_daily
WHERE symbol = :symbol AND day >= :start ORDER BY day
"""


async def analyse(env: Env, symbol: str, *, whole: bool = False) -> int:
    """Computes the indicators of one instrument and stores what is new or differs; rows written.

    Its signals, of the same prices, are stored with them. Prices are split-adjusted. Only the
    newest rows are computed unless `whole` is said, an old bar or a split has changed
    (`instrument.indicators_from`), MACD votes otherwise in the stored signals, or the oldest stored
    row of the tail no longer agrees.
    """
    async with env.db.read() as db:
        stale = await _staleness(db, symbol)
        fits = not whole and stale.since is None and stale.signals_by == macd_vote(env)
        rows = await _count_missing(db, symbol) + OVERLAP if fits else None
        prices = await _read_prices(db, symbol, rows)
    written = await _write(env, symbol, prices, stale)
    if written is None:
        async with env.db.read() as db:
            prices = await _read_prices(db, symbol, None)
        written = await _write(env, symbol, prices, stale)
    return written or 0


@dataclass(frozen=True)
class _Staleness:
    """The day from which stored indicators no longer fit, and the newest revision at that time.

    `signals_by`: how MACD votes in the stored signals. `source`: whose prices they are made of.
    """

    since: date | None
    revision: int | None
    signals_by: str | None
    source: str | None


@dataclass(frozen=True)
class _Prices:
    """Bars and splits of an instrument; of the newest `rows` bars, None: all, rows are wanted."""

    bars: pl.DataFrame
    splits: pl.DataFrame
    rows: int | None


async def _staleness(db: AsyncSession, symbol: str) -> _Staleness:
    return _Staleness(*(await db.execute(_STALE_SQL, {"symbol": symbol})).one())


async def _count_missing(db: AsyncSession, symbol: str) -> int:
    """The bars from the first one on that has no indicators."""
    return int(await db.scalar(_MISSING_SQL, {"symbol": symbol}) or 0)


async def _read_prices(db: AsyncSession, symbol: str, rows: int | None) -> _Prices:
    """What the newest `rows` are computed from: WARM_UP more bars than those."""
    limit = None if rows is None else rows + WARM_UP
    bars = await read_frame(db, _BARS_SQL, {"symbol": symbol, "rows": limit}, _BARS)
    splits = await read_frame(db, _SPLITS_SQL, {"symbol": symbol}, _SPLITS)
    return _Prices(bars, splits, rows)


async def _write(env: Env, symbol: str, prices: _Prices, stale: _Staleness) -> int | None:
    """Stores the rows that are wanted; of all of them, removes those of days without a bar.

    None when they do not reach back far enough.
    """
    until = await horizon(env) if stale.source == "sample" else None
    rows = prices.rows
    computed = await _compute(symbol, prices, macd_vote(env))
    if computed.is_empty():
        return 0
    start = {"symbol": symbol, "start": computed["day"][0]}
    async with env.db.write() as db:
        if await hold_source(db) != stale.source:
            return 0  # the bars were of a source that has been left: they are gone by now
        if not await hold_instrument(db, symbol):
            return 0  # it was removed meanwhile
        stored = await read_frame(db, _STORED_SQL, start, _STORED)
        changed = computed.filter(~_agreement(computed, stored))
        if (
            rows is not None
            and computed.height == rows
            and changed["day"][:1].equals(computed["day"][:1])
        ):
            return None
        if rows is None:
            await db.execute(_ORPHANS_SQL, {"symbol": symbol})
            await _settle(db, symbol, stale)
            await write_signals(db, symbol, computed, date.min)
            macd = {"symbol": symbol, "macd": macd_vote(env)}
            await db.execute(_SIGNALS_BY_SQL, macd)
        elif not changed.is_empty():
            first = changed["day"][0]
            await write_signals(db, symbol, computed.filter(pl.col("day") >= first), first)
        written = await merge_frame(db, "indicator_daily", changed.select(_STORED.names()))
        await write_rows(db, [symbol], until)
        return written


async def write_signals(db: AsyncSession, symbol: str, computed: pl.DataFrame, start: date) -> None:
    """Stores the signals of these days, all from `start` on; a day without one keeps none."""
    signals = computed.filter(pl.col("strength").is_not_null())
    if start == date.min or signals.height < computed.height:
        days = {"start": start, "days": signals["day"].to_list()}
        await db.execute(_NO_SIGNAL_SQL, {"symbol": symbol, **days})
    columns = [signals[name].to_list() for name in ("day", *SIGNAL_COLUMNS)]
    await (await driver_connection(db)).execute(_SIGNALS_SQL, symbol, *columns)


async def _settle(db: AsyncSession, symbol: str, stale: _Staleness) -> None:
    """Notes that the indicators fit again, unless another revision came while they were made.

    The instrument's row is held.
    """
    if stale.since is not None and await _staleness(db, symbol) == stale:
        await db.execute(_FITS_SQL, {"symbol": symbol})


async def _compute(symbol: str, prices: _Prices, macd: MacdVote) -> pl.DataFrame:
    """Indicators and signals of the rows that are wanted."""
    bars, rows = prices.bars, prices.rows
    computed = await asyncio.to_thread(_compute_both, symbol, bars, prices.splits, macd)
    enough = rows is not None and bars.height == rows + WARM_UP
    return computed.tail(rows) if enough and rows is not None else computed


def _compute_both(
    symbol: str, bars: pl.DataFrame, splits: pl.DataFrame, macd: MacdVote
) -> pl.DataFrame:
    adjusted = adjust(bars, splits, _NO_DIVIDENDS, PriceBasis.SPLIT_ADJUSTED)
    daily = compute_daily(adjusted.select(pl.lit(symbol).alias("symbol"), *_BARS.names()))
    return daily.hstack(compute_signals(daily, macd))


def _agreement(computed: pl.DataFrame, stored: pl.DataFrame) -> pl.Series:
    """Whether each computed row stands in the table already, within TOLERANCE."""
    pairs = computed.join(stored, on="day", how="left", suffix="_stored", maintain_order="left")
    equal = [
        (pl.col(name) - pl.col(f"{name}_stored")).abs()
        <= TOLERANCE * pl.max_horizontal(pl.col(name).abs(), 1.0)
        for name in INDICATOR_COLUMNS
    ]
    both_null = [
        pl.col(name).is_null() & pl.col(f"{name}_stored").is_null() for name in INDICATOR_COLUMNS
    ]
    same = [e.fill_null(value=False) | n for e, n in zip(equal, both_null, strict=True)]
    known = pl.col("symbol_stored").is_not_null()
    return pairs.select(pl.all_horizontal(known, *same))[:, 0]
