"""The panel: one market's prices as arrays of sessions x instruments, NaN where nothing is known.

A day on which any of the instruments has a close is a session. `close` is adjusted for splits,
`total` for dividends too: their levels change with later events, so only ratios may be used.
Fundamentals hold from the day of their snapshot on, never before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import polars as pl

from app.errors import BadInput

Floats = np.ndarray[tuple[int, ...], np.dtype[np.float64]]
Flags = np.ndarray[tuple[int, ...], np.dtype[np.bool_]]
Days = np.ndarray[tuple[int, ...], np.dtype[np.datetime64]]

ENOUGH: Final = 30
"""Instruments that a day needs for places among them to mean something."""

PRICES: Final = ("close", "total", "signal")
FUNDAMENTALS: Final = ("trailing_pe", "price_to_book", "return_on_equity", "dividend_yield")


@dataclass(frozen=True)
class Panel:
    """Tables of sessions x instruments; `signal` is the fused vote from -2 to 2.

    `benchmark` holds the total-return closes of `benchmark_symbol` by session; None without one.
    """

    days: Days
    symbols: tuple[str, ...]
    close: Floats
    total: Floats
    signal: Floats
    fundamentals: Mapping[str, Floats]
    benchmark: Floats | None = None
    benchmark_symbol: str | None = None

    @property
    def few(self) -> Flags:
        """The days on which there were too few instruments to rank them: fewer than ENOUGH."""
        sparse: Flags = np.isfinite(self.close).sum(axis=1) < ENOUGH
        return sparse

    def until(self, sessions: int) -> Self:
        """The panel as it was after its first `sessions` sessions."""
        return type(self)(
            self.days[:sessions],
            self.symbols,
            self.close[:sessions],
            self.total[:sessions],
            self.signal[:sessions],
            {name: table[:sessions] for name, table in self.fundamentals.items()},
            None if self.benchmark is None else self.benchmark[:sessions],
            self.benchmark_symbol,
        )


def make_panel(
    bars: pl.DataFrame,
    fundamentals: pl.DataFrame | None = None,
    benchmark: pl.DataFrame | None = None,
    benchmark_symbol: str | None = None,
) -> Panel:
    """The panel of long frames.

    Args:
        bars: `symbol`, `day`, and PRICES as floats, null where unknown.
        fundamentals: `symbol`, `day` and FUNDAMENTALS, a row for each snapshot.
        benchmark: `day` and `close`, total return, of the market's benchmark.
        benchmark_symbol: what the benchmark is called.

    Raises:
        BadInput: two bars have the same symbol and day.
    """
    known = bars.filter(pl.col("close").is_not_null())
    if known.select(pl.struct("symbol", "day").is_duplicated().any()).item():
        raise BadInput("Two bars have the same symbol and day", field="bars")
    symbols = known["symbol"].unique().sort()
    days = known["day"].unique().sort()
    close, total, signal = (_table(known, days, symbols, name) for name in PRICES)
    return Panel(
        days.to_numpy().astype("datetime64[D]"),
        tuple(symbols),
        close,
        total,
        signal,
        _as_known(fundamentals, days, symbols),
        None if benchmark is None else _as_of(benchmark, days, "close"),
        benchmark_symbol,
    )


def spread(frame: pl.DataFrame, panel: Panel, name: str) -> Floats:
    """Another column of the panel's bars as its table."""
    return _table(frame, pl.Series(panel.days), pl.Series(panel.symbols), name)


def carry_forward(table: Floats) -> Floats:
    """Each column with the newest value so far where there is none; NaN before the first."""
    at = np.where(np.isfinite(table), np.arange(len(table))[:, None], 0)
    at = np.maximum.accumulate(at, axis=0)
    carried: Floats = np.take_along_axis(table, at, axis=0)
    return carried


def divide(part: Floats, whole: Floats) -> Floats:
    """A part of a whole, NaN where the whole is not above zero."""
    shape = np.broadcast_shapes(part.shape, whole.shape)
    ratio: Floats = np.divide(part, whole, out=np.full(shape, np.nan), where=whole > 0)
    return ratio


def mean_rows(table: Floats) -> Floats:
    """The mean of what is known in each row, NaN where nothing is."""
    known = np.isfinite(table)
    return divide(np.where(known, table, 0.0).sum(axis=1), known.sum(axis=1))


def _table(frame: pl.DataFrame, days: pl.Series, symbols: pl.Series, name: str) -> Floats:
    table = np.full((len(days), len(symbols)), np.nan)
    rows = days.search_sorted(frame["day"]).to_numpy()
    columns = symbols.search_sorted(frame["symbol"]).to_numpy()
    table[rows, columns] = frame[name].cast(pl.Float64).fill_null(np.nan).to_numpy()
    return table


def _as_known(frame: pl.DataFrame | None, days: pl.Series, symbols: pl.Series) -> dict[str, Floats]:
    """A table for each of FUNDAMENTALS that is known of anybody."""
    if frame is None or frame.is_empty():
        return {}
    grid = pl.DataFrame({"day": days}).join(pl.DataFrame({"symbol": symbols}), how="cross")
    joined = grid.sort("day").join_asof(
        frame.sort("day"), on="day", by="symbol", strategy="backward", check_sortedness=False
    )
    joined = joined.sort("day", "symbol")
    tables = {
        name: joined[name].cast(pl.Float64).fill_null(np.nan).to_numpy().reshape(len(days), -1)
        for name in FUNDAMENTALS
    }
    return {name: table for name, table in tables.items() if np.isfinite(table).any()}


def _as_of(frame: pl.DataFrame, days: pl.Series, name: str) -> Floats:
    joined = pl.DataFrame({"day": days}).join_asof(
        frame.drop_nulls().sort("day"), on="day", strategy="backward"
    )
    return joined[name].cast(pl.Float64).fill_null(np.nan).to_numpy()
