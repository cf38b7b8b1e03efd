"""What recommendations of a market are made of: its panel, read at one data version.

This module and `recommend_issue` compute; the web process reads what they stored.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from sqlalchemy import text

from app.db.frames import read_frame
from app.domain.bars import adjust_closes
from app.domain.recommend.markets import HOMES, MarketKey
from app.domain.recommend.panel import FUNDAMENTALS, Flags, Floats, Panel, make_panel, spread
from app.env import Env
from app.services.collect.revisions import data_version
from app.services.settings import get_source

Indices = np.ndarray[tuple[int, ...], np.dtype[np.int64]]

AT_ONCE: Final = 50  # instruments read together

BARS: Final = pl.Schema(
    {"symbol": pl.String, "day": pl.Date, "close": pl.Float64, "signal": pl.Float64}
)
SPLITS: Final = pl.Schema(
    {
        "symbol": pl.String,
        "day": pl.Date,
        "numerator": pl.Float64,
        "denominator": pl.Float64,
    }
)
DIVIDENDS: Final = pl.Schema({"symbol": pl.String, "day": pl.Date, "amount": pl.Float64})
_SNAPSHOTS: Final = pl.Schema(
    {"symbol": pl.String, "day": pl.Date} | dict.fromkeys(FUNDAMENTALS, pl.Float64)
)


@dataclass(frozen=True)
class MarketData:
    """A market's panel, the closes as traded beside it, and what both were read from."""

    market: MarketKey
    panel: Panel
    traded: Floats
    source: str
    version: int


async def load_market(env: Env, market: MarketKey) -> MarketData | None:
    """The market's shares that are watched, delisted ones too; None when none has a price.

    Prices that change meanwhile are read again: all of it is of one data version.

    Raises:
        Unavailable: the database does not answer, or no source has been chosen.
    """
    while True:
        source, version = await get_source(env), await data_version(env)
        data = await _load(env, market, source, version)
        if await data_version(env) == version and await get_source(env) == source:
            return data


def locate(issued: pl.DataFrame, panel: Panel) -> tuple[Indices, Indices, Flags]:
    """Where rows of `issued_for` and `symbol` stand in a panel: session, column, whether at all."""
    days = pl.Series(panel.days)
    symbols = {symbol: at for at, symbol in enumerate(panel.symbols)}
    row = np.minimum(days.search_sorted(issued["issued_for"]).to_numpy(), len(days) - 1)
    column = np.array([symbols.get(symbol, -1) for symbol in issued["symbol"]], dtype=np.int64)
    known = (panel.days[row] == issued["issued_for"].to_numpy()) & (column >= 0)
    return row, column, known


async def _load(env: Env, market: MarketKey, source: str, version: int) -> MarketData | None:
    currency = HOMES[market].currency
    async with env.db.read() as db:
        symbols = list(await db.scalars(text(_SHARES), {"currency": currency}))
    starts = range(0, len(symbols), AT_ONCE)
    parts = [await _read(env, symbols[start : start + AT_ONCE]) for start in starts]
    bars = pl.concat(parts) if parts else pl.DataFrame(schema=BARS)
    if bars.is_empty():
        return None
    benchmark, name = await _benchmark(env, HOMES[market].benchmarks)
    async with env.db.read() as db:
        told = await read_frame(db, _FUNDAMENTALS_SQL, {"symbols": symbols}, _SNAPSHOTS)
    panel = await asyncio.to_thread(make_panel, bars, told, benchmark, name)
    traded = spread(bars, panel, "traded")
    return MarketData(market, panel, traded, source, version)


async def _benchmark(env: Env, names: Sequence[str]) -> tuple[pl.DataFrame | None, str | None]:
    """The total-return closes of the first that has prices, and its symbol."""
    for name in names:
        bars = await _read(env, [name])
        if bars.height:
            return bars.select("day", close="total"), name
    return None, None


async def _read(env: Env, symbols: Sequence[str]) -> pl.DataFrame:
    """`symbol`, `day`, `traded`, `close`, `total`, `signal` of some instruments."""
    params = {"symbols": list(symbols)}
    async with env.db.read() as db:
        bars = await read_frame(db, _BARS_SQL, params, BARS)
        splits = await read_frame(db, _SPLITS_SQL, params, SPLITS)
        dividends = await read_frame(db, _DIVIDENDS_SQL, params, DIVIDENDS)
    return await asyncio.to_thread(_adjust, bars, splits, dividends)


def _adjust(bars: pl.DataFrame, splits: pl.DataFrame, dividends: pl.DataFrame) -> pl.DataFrame:
    found = []
    for (symbol,), own in bars.group_by("symbol", maintain_order=True):
        mine = pl.col("symbol") == symbol
        adjusted = adjust_closes(own, splits.filter(mine), dividends.filter(mine))
        found.append(own.rename({"close": "traded"}).with_columns(adjusted.get_columns()))
    empty = {"symbol": pl.String, "day": pl.Date} | dict.fromkeys(
        ("traded", "signal", "close", "total"), pl.Float64
    )
    return pl.concat(found) if found else pl.DataFrame(schema=empty)


_SHARES: Final = """
    SELECT symbol FROM instrument WHERE tracked AND kind = 'EQUITY' AND currency = :currency
    ORDER BY symbol
"""
_BARS_SQL: Final = """
    SELECT b.symbol, b.day, b.close, s.strength AS signal
    FROM bar AS b LEFT JOIN signal AS s USING (symbol, day)
    WHERE b.symbol = ANY(:symbols) AND b.close IS NOT NULL ORDER BY b.symbol, b.day
"""
_SPLITS_SQL: Final = """
    SELECT symbol, day, numerator, denominator FROM split WHERE symbol = ANY(:symbols)
    ORDER BY symbol, day
"""
_DIVIDENDS_SQL: Final = """
    SELECT symbol, day, amount FROM dividend WHERE symbol = ANY(:symbols) ORDER BY symbol, day
"""
_FUNDAMENTALS_SQL: Final = f"""
    SELECT symbol, day, {", ".join(FUNDAMENTALS)} FROM fundamental
    WHERE symbol = ANY(:symbols) ORDER BY symbol, day
"""
