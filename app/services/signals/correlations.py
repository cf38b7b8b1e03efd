"""What moves together and what precedes what, from the stored prices of a few instruments.

Returns are of total-return closes, so that a dividend is no fall. The arithmetic runs in a thread;
one search for leads at a time, because it is seconds of work.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np
import polars as pl

from app.db.frames import read_frame
from app.domain.bars import adjust_closes
from app.domain.correlation.lead_lag import LeadLag, LeadLags, Panel, find_lead_lags
from app.domain.correlation.matrix import CorrelationMethod, correlate, rolling_correlation
from app.domain.correlation.returns import Prices, Returns, align_returns
from app.domain.session_overrides import SESSION_SCHEMA
from app.env import Env
from app.errors import BadInput, NotFound
from app.services.market.instruments import check_symbol, find_instruments
from app.services.market.prices import horizon
from app.services.paging import check_first

MOST: Final = 500
MOST_LEADS: Final = 30
WINDOW: Final = 60
"""Rows of the rolling coefficient: about a quarter of a year."""

_one_search: Final = asyncio.Semaphore(1)


@dataclass(frozen=True)
class CorrelationMatrix:
    """Coefficients of each two symbols; NaN for one that does not move."""

    returns: Returns
    values: np.ndarray[Any, np.dtype[np.float64]]
    base: str  # the market whose sessions the rows are


@dataclass(frozen=True)
class CorrelationPair:
    """Two instruments: their returns row by row, and how the coefficient has moved."""

    returns: Returns
    pearson: float
    spearman: float
    rolling: np.ndarray[Any, np.dtype[np.float64]]
    window: int
    base: str


async def get_correlation(
    env: Env,
    symbols: Sequence[str],
    start: date | None = None,
    end: date | None = None,
    method: CorrelationMethod = CorrelationMethod.PEARSON,
) -> CorrelationMatrix:
    """The matrix of up to `MOST` instruments over the days that all have, between two days.

    Raises:
        NotFound: no such instrument.
        BadInput: too few or too many symbols, days turned round, too few days in common.
    """
    returns, base = await _load_returns(env, symbols, start, end)
    values = await asyncio.to_thread(correlate, returns.values, method)
    return CorrelationMatrix(returns, values, base)


async def get_pair(  # noqa: PLR0913 - what a pair is looked at by
    env: Env,
    one: str,
    two: str,
    *,
    start: date | None = None,
    end: date | None = None,
    window: int = WINDOW,
) -> CorrelationPair:
    """The returns of two instruments, both coefficients, and the rolling one over `window` rows.

    Raises:
        NotFound: no such instrument.
        BadInput: twice the same, days turned round, too few days in common, no such window.
    """
    returns, base = await _load_returns(env, [one, two], start, end)
    left, right = returns.values.T
    rolling = await asyncio.to_thread(rolling_correlation, left, right, window)
    pearson, spearman = (float(correlate(returns.values, m)[0, 1]) for m in CorrelationMethod)
    return CorrelationPair(returns, pearson, spearman, rolling, window, base)


async def list_lead_lags(  # noqa: PLR0913 - the instruments, the window and how many
    env: Env,
    symbols: Sequence[str],
    *,
    start: date | None = None,
    end: date | None = None,
    max_lag: int = 5,
    first: int = 50,
) -> list[LeadLag]:
    """The `first` surest of the ordered pairs of up to `MOST_LEADS` instruments.

    Raises:
        NotFound: no such instrument.
        BadInput: too few or too many symbols, days turned round, too few days in common, lags,
            `first` is not from 1 to 200.
    """
    check_first(first)
    wanted = _check(symbols, MOST_LEADS)
    prices = await _load_prices(env, wanted, start, end)
    async with _one_search:
        found = await asyncio.to_thread(_search, prices, wanted, max_lag)
    return list(found.pairs[:first])


def _search(prices: Prices, symbols: Sequence[str], max_lag: int) -> LeadLags:
    panels = []
    for mic in sorted(set(prices.markets.values())):
        effects = tuple(symbol for symbol in symbols if prices.markets[symbol] == mic)
        panels.append(Panel(align_returns(prices, mic, symbols), effects))
    return find_lead_lags(panels, max_lag=max_lag)


async def _load_returns(
    env: Env, symbols: Sequence[str], start: date | None, end: date | None
) -> tuple[Returns, str]:
    wanted = _check(symbols, MOST)
    prices = await _load_prices(env, wanted, start, end)
    base = prices.base()
    return await asyncio.to_thread(align_returns, prices, base, wanted), base


def _check(symbols: Sequence[str], most: int) -> list[str]:
    wanted = list(dict.fromkeys(check_symbol(symbol) for symbol in symbols))
    if not 2 <= len(wanted) <= most:
        message = "%(count)d different instruments are not between 2 and %(most)d"
        raise BadInput(message, field="symbols", count=len(wanted), most=most)
    return wanted


async def _load_prices(
    env: Env, symbols: Sequence[str], start: date | None, end: date | None
) -> Prices:
    if start and end and start > end:
        message = "The window begins on %(start)s, after its end on %(end)s"
        raise BadInput(message, field="from", start=start, end=end)
    found = await find_instruments(env, symbols)
    for symbol in symbols:
        row = found.get(symbol)
        if row is None:
            raise NotFound("There is no instrument %(symbol).40r.", symbol=symbol)
        if row.kind == "FX":
            message = "%(symbol)s is a currency pair; this compares shares, funds and indices"
            raise BadInput(message, field="symbols", symbol=symbol)
    markets = {symbol: found[symbol].mic for symbol in symbols}
    newest = await horizon(env)
    days = {
        "start": start or date.min,
        "end": min(end or date.max, newest or date.max),
    }
    params = {"symbols": list(symbols)}
    async with env.db.read() as db:
        bars = await read_frame(db, _BARS, params | days, _BAR_SCHEMA)
        splits = await read_frame(db, _SPLITS, params, _SPLIT_SCHEMA)
        dividends = await read_frame(db, _DIVIDENDS, params, _DIVIDEND_SCHEMA)
        mics = sorted(set(markets.values()))
        sessions = await read_frame(db, _SESSIONS, {"mics": mics} | days, SESSION_SCHEMA)
    closes = await asyncio.to_thread(_total, bars, splits, dividends)
    of_market = {mic: sessions.filter(pl.col("mic") == mic) for mic in mics}
    return Prices(closes, markets, of_market)


def _total(bars: pl.DataFrame, splits: pl.DataFrame, dividends: pl.DataFrame) -> pl.DataFrame:
    """symbol, day, close: total return."""
    found = [pl.DataFrame(schema=_BAR_SCHEMA)]
    for (symbol,), own in bars.group_by("symbol", maintain_order=True):
        mine = pl.col("symbol") == symbol
        adjusted = adjust_closes(own, splits.filter(mine), dividends.filter(mine))
        found.append(own.with_columns(close=adjusted["total"]))
    return pl.concat(found)


_BAR_SCHEMA: Final = pl.Schema({"symbol": pl.String, "day": pl.Date, "close": pl.Float64})
_SPLIT_SCHEMA: Final = pl.Schema(
    {"symbol": pl.String, "day": pl.Date, "numerator": pl.Float64, "denominator": pl.Float64}
)
_DIVIDEND_SCHEMA: Final = pl.Schema({"symbol": pl.String, "day": pl.Date, "amount": pl.Float64})
_BARS: Final = """
    SELECT symbol, day, close FROM bar
    WHERE symbol = ANY(:symbols) AND close IS NOT NULL AND day BETWEEN :start AND :end
    ORDER BY symbol, day
"""
_SPLITS: Final = """
    SELECT symbol, day, numerator, denominator FROM split WHERE symbol = ANY(:symbols)
"""
_DIVIDENDS: Final = """
    SELECT symbol, day, amount FROM dividend WHERE symbol = ANY(:symbols)
"""
_SESSIONS: Final = """
    SELECT mic, day, open_at, close_at FROM exchange_session
    WHERE mic = ANY(:mics) AND day BETWEEN :start AND :end ORDER BY mic, day
"""
