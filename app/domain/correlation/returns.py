"""Returns of several instruments on the same rows: those of one market, the base.

A row is a session of the base market. Every close is the newest one known at that session's close
(`domain/alignment`: UTC, never one of a session that closes later), carried forward over days on
which its own market was closed, for at most ten days. A return is log(close / close of the row
before). Rows on which an instrument has no return are left out for all, so that every figure is of
the same days.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np
import polars as pl

from app.domain.alignment import align, stamp
from app.errors import BadInput

Numbers = np.ndarray[Any, np.dtype[np.float64]]

FEWEST: Final = 30
"""Rows below which nothing is said."""
CARRIED: Final = 7
"""Sessions over which a close is carried within its own market: about `alignment.MAX_AGE`."""


@dataclass(frozen=True)
class Returns:
    """Log returns: `values` has a row for each of `days` and a column for each of `symbols`."""

    symbols: tuple[str, ...]
    days: tuple[date, ...]
    values: Numbers

    def __len__(self) -> int:
        return len(self.days)


@dataclass(frozen=True)
class Prices:
    """Closes of instruments (symbol, day, close) and the sessions of the market of each."""

    closes: pl.DataFrame
    markets: Mapping[str, str]  # symbol → mic
    sessions: Mapping[str, pl.DataFrame]  # mic → SESSION_SCHEMA

    def base(self) -> str:
        """The market of most of the instruments; the first by name of several."""
        mics = sorted(self.markets.values())
        return max(mics, key=mics.count)


def align_returns(prices: Prices, base: str, symbols: Sequence[str]) -> Returns:
    """The returns of `symbols`, in that order, on the sessions of the market `base`.

    Raises:
        BadInput: two of them have no day in common, or all of them fewer than `FEWEST`.
    """
    closes = _align_closes(prices, base).select("day", *symbols)
    values = closes.select(symbols).cast(pl.Float64).to_numpy()
    with np.errstate(divide="ignore", invalid="ignore"):
        steps = np.diff(np.log(values), axis=0)
    known = np.isfinite(steps)
    _check_days(known, symbols)
    whole = known.all(axis=1)
    days = closes["day"][1:].filter(pl.Series(whole)).to_list()
    return Returns(tuple(symbols), tuple(days), np.ascontiguousarray(steps[whole]))


def _align_closes(prices: Prices, base: str) -> pl.DataFrame:
    """A column of closes for each symbol, a row for each session of the base."""
    wide = {mic: _widen(prices, mic) for mic in set(prices.markets.values()) | {base}}
    others = {mic: frame for mic, frame in wide.items() if mic != base}
    found = align(wide[base], others)
    return found.rename(
        {f"{mic}_{column}": column for mic in others for column in wide[mic].columns[1:-1]}
    )


def _widen(prices: Prices, mic: str) -> pl.DataFrame:
    """The closes of one market's instruments: day, a column for each, known_at."""
    of_market = [symbol for symbol, market in prices.markets.items() if market == mic]
    days = prices.sessions[mic].select("day").sort("day")
    rows = prices.closes.filter(pl.col("symbol").is_in(of_market) & pl.col("close").is_not_null())
    found = (
        rows.pivot("symbol", index="day", values="close")
        if rows.height
        else pl.DataFrame(schema={"day": pl.Date})
    )
    missing = [symbol for symbol in of_market if symbol not in found.columns]
    whole = days.join(found, on="day", how="left", maintain_order="left").with_columns(
        pl.lit(None, dtype=pl.Float64).alias(symbol) for symbol in missing
    )
    filled = whole.with_columns(pl.col(of_market).forward_fill(limit=CARRIED))
    return stamp(filled.select("day", *of_market), prices.sessions[mic])


def _check_days(known: np.ndarray[Any, np.dtype[np.bool_]], symbols: Sequence[str]) -> None:
    common = int(known.all(axis=1).sum())
    if common >= FEWEST:
        return
    together = known.T.astype(np.int64) @ known.astype(np.int64)
    low, column = np.unravel_index(int(together.argmin()), together.shape)
    if together[low, column] < FEWEST and low != column and min(together.diagonal()) >= FEWEST:
        message = "%(one)s and %(two)s have %(days)d days in common; at least %(fewest)d are needed"
        raise BadInput(
            message,
            field="symbols",
            one=symbols[int(low)],
            two=symbols[int(column)],
            days=int(together[low, column]),
            fewest=FEWEST,
        )
    least = symbols[int(together.diagonal().argmin())]
    message = (
        "The window has %(days)d days on which all have a return, the fewest of them for "
        "%(symbol)s; at least %(fewest)d are needed"
    )
    raise BadInput(message, field="from", days=common, symbol=least, fewest=FEWEST)
