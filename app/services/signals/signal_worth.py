"""What signals have been worth on this installation's own prices: computed after collections, kept.

One market is all shares and funds of one currency. All of its stored history is read, some
instruments at a time; with the sample up to the day before the replayed one.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

import numpy as np
import polars as pl
from sqlalchemy import delete, insert, text

from app.db.frames import read_frame
from app.db.models import SignalWorth
from app.domain.bars import PRICES, PriceBasis, adjust
from app.domain.signal_worth import (
    HORIZONS,
    UNKNOWN,
    Worth,
    assess,
    forward_return,
)
from app.env import Env
from app.services.collect.revisions import data_version
from app.services.market.prices import horizon
from app.services.settings import find_setting, write_setting
from app.services.signals.readings import macd_vote

KEY: Final = "signal_worth"
"""The setting that says what the stored worth was computed from."""

AT_ONCE: Final = 50  # instruments that are read together
PAUSE: Final = timedelta(minutes=15)
"""What comes in late, one instrument after the other, has it computed no more often."""

_MONTH: Final = timedelta(days=31)  # of a replay, after which it is computed again


@dataclass(frozen=True)
class WorthRow:
    """The worth of one strength in one market over a horizon, of signals from and to these days."""

    currency: str
    strength: int
    horizon: int
    count: int
    days: int
    windows: int
    instruments: int
    hit_rate: float
    hit_low: float | None
    hit_high: float | None
    excess: float
    excess_low: float | None
    excess_high: float | None
    base_rate: float
    first_day: date
    last_day: date


async def find_worth(env: Env) -> dict[tuple[str, int], list[WorthRow]]:
    """All that is stored, by currency and strength; the shorter horizon first.

    Raises:
        Unavailable: the database does not answer.
    """
    found: dict[tuple[str, int], list[WorthRow]] = defaultdict(list)
    async with env.db.read() as db:
        for row in await db.execute(text(_ALL)):
            found[row.currency, row.strength].append(WorthRow(**row._asdict()))
    return found


async def refresh_worth(env: Env) -> bool:
    """Computes the worth of all signals anew when their prices or their rule have changed.

    False when nothing has, while instruments are still being collected or analysed, and within
    PAUSE of the last time.

    Raises:
        Unavailable: the database does not answer.
    """
    until = await horizon(env)
    basis = {"version": await data_version(env), "macd": macd_vote(env).value}
    if not await _is_due(env, basis, until):
        return False
    found = []
    async with env.db.read() as db:
        currencies = list(await db.scalars(text(_CURRENCIES)))
    for currency in currencies:
        market = await _load(env, currency, until or date.max)
        found += await asyncio.to_thread(market.list_rows)
    kept = {"until": until and until.isoformat(), "at": env.clock.now().isoformat()}
    async with env.db.write() as db:
        await write_setting(db, KEY, basis | kept)  # first: a second worker waits here
        await db.execute(delete(SignalWorth))
        if found:
            await db.execute(insert(SignalWorth), found)
    return True


async def _is_due(env: Env, basis: dict[str, Any], until: date | None) -> bool:
    kept = await find_setting(env, KEY)
    if kept is not None:
        if env.clock.now() < datetime.fromisoformat(kept["at"]) + PAUSE:
            return False
        if kept.items() >= basis.items() and _reaches(kept["until"], until):
            return False
    async with env.db.read() as db:
        return not await db.scalar(text(_BUSY), {"now": env.clock.now()})


def _reaches(kept: str | None, until: date | None) -> bool:
    """Whether the days read go as far as may be shown; in a replay a month less will do."""
    if kept is None or until is None:
        return kept == until
    read = date.fromisoformat(kept)
    return read <= until <= read + _MONTH


class _Market:
    """Levels and forward returns of one market, days x instruments."""

    def __init__(self, currency: str, symbols: Sequence[str], days: pl.Series) -> None:
        self.currency, self.symbols, self.days = currency, symbols, days
        shape = (len(days), len(symbols))
        self.levels = np.full(shape, UNKNOWN, dtype=np.int8)
        self.returns = {h: np.full(shape, np.nan, dtype=np.float32) for h in HORIZONS}

    def put(
        self, column: int, bars: pl.DataFrame, splits: pl.DataFrame, paid: pl.DataFrame
    ) -> None:
        """Takes in one instrument: its closes with the levels of their days, splits, dividends."""
        prices = bars.with_columns(
            *(pl.col("close").alias(name) for name in PRICES), volume=pl.lit(0)
        )
        closes = adjust(prices, splits, paid, PriceBasis.TOTAL_RETURN)["close"].to_numpy()
        rows = self.days.search_sorted(bars["day"]).to_numpy()
        self.levels[rows, column] = bars["strength"].fill_null(UNKNOWN).to_numpy()
        for h, returns in self.returns.items():
            returns[rows, column] = forward_return(closes, h)

    def list_rows(self) -> list[dict[str, Any]]:
        """Rows of the table."""
        return [
            self._row(worth)
            for h, returns in self.returns.items()
            for worth in assess(self.levels, returns, h)
        ]

    def _row(self, worth: Worth) -> dict[str, Any]:
        days = np.flatnonzero((self.levels == worth.level).any(axis=1))
        hits, excess = worth.hits, worth.excess
        return {
            "currency": self.currency,
            "strength": worth.level,
            "horizon": worth.horizon,
            "count": worth.count,
            "days": worth.days,
            "windows": worth.windows,
            "instruments": len(self.symbols),
            "hit_rate": hits.mean,
            "hit_low": hits.low,
            "hit_high": hits.high,
            "excess": excess.mean,
            "excess_low": excess.low,
            "excess_high": excess.high,
            "base_rate": worth.base_rate,
            "first_day": self.days[int(days[0])],
            "last_day": self.days[int(days[-1])],
        }


async def _load(env: Env, currency: str, until: date) -> _Market:
    params: dict[str, Any] = {"currency": currency, "until": until}
    async with env.db.read() as db:
        symbols = list(await db.scalars(text(_SYMBOLS), params))
        days = await read_frame(
            db, _DAYS, params | {"symbols": symbols}, pl.Schema({"day": pl.Date})
        )
    market = _Market(currency, symbols, days["day"])
    for start in range(0, len(symbols), AT_ONCE):
        some = params | {"symbols": symbols[start : start + AT_ONCE]}
        async with env.db.read() as db:
            frames = [await read_frame(db, sql, some, schema) for sql, schema in _TABLES]
        await asyncio.to_thread(_put_all, market, frames)
    return market


def _put_all(market: _Market, frames: Sequence[pl.DataFrame]) -> None:
    bars, *events = (frame.partition_by("symbol", as_dict=True) for frame in frames)
    for (symbol,), rows in bars.items():
        found = (e.get((symbol,), f.clear()) for e, f in zip(events, frames[1:], strict=True))
        market.put(market.symbols.index(str(symbol)), rows, *found)


_ALL: Final = f"""
    SELECT {", ".join(WorthRow.__dataclass_fields__)} FROM signal_worth
    ORDER BY currency, strength DESC, horizon
"""
_OF_MARKET: Final = "kind IN ('EQUITY', 'ETF') AND signals_by IS NOT NULL"
_CURRENCIES: Final = f"""
    SELECT DISTINCT currency FROM instrument WHERE {_OF_MARKET} ORDER BY currency
"""
_SYMBOLS: Final = f"""
    SELECT symbol FROM instrument WHERE currency = :currency AND {_OF_MARKET} ORDER BY symbol
"""
_BUSY: Final = """
    SELECT EXISTS (
        SELECT FROM job WHERE done_at IS NULL AND due_at <= :now AND kind IN ('collect', 'analyse'))
"""
_OWN: Final = "symbol = ANY(:symbols) AND day <= :until"
_DAYS: Final = f"SELECT DISTINCT day FROM bar WHERE {_OWN} AND close IS NOT NULL ORDER BY day"
_BARS: Final = """
    SELECT b.symbol, b.day, b.close, s.strength
    FROM bar AS b LEFT JOIN signal AS s ON s.symbol = b.symbol AND s.day = b.day
    WHERE b.symbol = ANY(:symbols) AND b.day <= :until AND b.close IS NOT NULL
    ORDER BY b.symbol, b.day
"""
_SPLITS: Final = f"SELECT symbol, day, numerator, denominator FROM split WHERE {_OWN}"
_DIVIDENDS: Final = f"SELECT symbol, day, amount FROM dividend WHERE {_OWN}"
_KEYS: Final = {"symbol": pl.String, "day": pl.Date}
_TABLES: Final = (
    (_BARS, pl.Schema(_KEYS | {"close": pl.Float64, "strength": pl.Int32})),
    (_SPLITS, pl.Schema(_KEYS | {"numerator": pl.Float64, "denominator": pl.Float64})),
    (_DIVIDENDS, pl.Schema(_KEYS | {"amount": pl.Float64})),
)
