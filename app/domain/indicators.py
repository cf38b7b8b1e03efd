"""Daily indicators of many symbols: a long frame in, a long frame out.

RSI(14) by Wilder, MACD(12, 26, 9), slow stochastic(14, 3, 3), SMA 20, 50 and 200 and Bollinger
bands(20, 2) with the population's deviation; definitions and seeds are in `kernels.indicators`.
Give it prices on one basis: split-adjusted for what is stored.

This module imports the compiled loops, so workers and the command line use it, never the web
process: names of columns are in `indicator_columns`.
"""

from __future__ import annotations

import math
from datetime import date
from types import SimpleNamespace
from typing import Any, Final

import numpy as np
import polars as pl

from app.domain.indicator_columns import INDICATOR_COLUMNS
from app.domain.kernels import indicators as kernel
from app.domain.kernels import panel
from app.domain.memory import Scratch, Table, lend_table
from app.errors import BadInput

PRICES: Final = ("open", "high", "low", "close")
COLUMNS: Final = ("symbol", "day", *PRICES, "volume")

_RESULT: Final = {
    "rsi_14": kernel.RSI,
    "macd": kernel.MACD,
    "macd_signal": kernel.SIGNAL,
    "macd_histogram": kernel.HISTOGRAM,
    "stochastic_k": kernel.K,
    "stochastic_d": kernel.D,
    "sma_20": kernel.SMA_20,
    "sma_50": kernel.SMA_50,
    "sma_200": kernel.SMA_200,
    "bollinger_upper": kernel.UPPER,
    "bollinger_middle": kernel.SMA_20,
    "bollinger_lower": kernel.LOWER,
}
_FEW: Final = 100_000  # cells that are always possible
_SPARSE: Final = 8  # cells for a row; beyond that the frame is sorted instead
_NEAR: Final = 8192  # rows whose results stay near the processor
_DAYS: Final = (-719_162, 2_932_896)  # the years 1 to 9999, in days from 1970

Numbers = np.ndarray[tuple[int], np.dtype[np.int32]]


class _Scratch(Scratch):
    """Buffers of one thread."""

    def __init__(self) -> None:
        super().__init__()
        self._rows = 0
        self._room = kernel.make_room(0)

    def room_for(self, rows: int) -> kernel.Room:
        """Buffers for a symbol of so many rows."""
        if rows > self._rows:
            self._room, self._rows = kernel.make_room(rows), rows
        return self._room


_scratch = _Scratch()


def compute_daily(bars: pl.DataFrame) -> pl.DataFrame:
    """The indicators of every bar, in the order of the bars.

    A bar without a close (null or NaN) is left out of its symbol's calculation and gets nulls.
    Where a high or low is unknown, the stochastic windows that hold it are null.

    Args:
        bars: `symbol`, `day`, `open`, `high`, `low`, `close`, `volume`, in any order.

    Returns:
        `symbol`, `day` and INDICATOR_COLUMNS; null in warm-up, in flat windows (RSI before the
        first change, a stochastic range of nothing) and where the close is unknown.

    Raises:
        BadInput: a column is missing or of another type, a symbol or day is null or twice there,
            a price is infinite.
    """
    _check(bars)
    rows, count = _rows(bars)
    out = lend_table(kernel.RESULTS, bars.height)
    if bars.height:
        survey = _Survey(rows, count)
        if survey.sparse:
            return _compute_sorted(bars)
        _compute(survey, bars, out)
    results = [pl.Series(str(i), values, nan_to_null=True) for i, values in enumerate(out)]
    return bars.select(
        "symbol", "day", *(results[_RESULT[name]].alias(name) for name in INDICATOR_COLUMNS)
    )


def warm_up() -> None:
    """Compiles all loops, or reads them from disk: for the start of a worker."""
    days = pl.Series("day", [date(2000, 1, 3), date(2000, 1, 4)])
    for order in (days, days.reverse()):
        prices = {name: [2.0, 3.0] for name in PRICES}
        compute_daily(
            pl.DataFrame({"symbol": ["A", "A"], "day": order, **prices, "volume": [1, 1]})
        )


def _check(bars: pl.DataFrame) -> None:
    """Names the first thing that is wrong with the frame's columns."""
    for name in COLUMNS:
        if name not in bars.columns:
            raise BadInput("bars have no column %(name)s", field="bars", name=name)
        dtype = bars.schema[name]
        wanted, right = "a number", dtype.is_numeric() or dtype == pl.Null
        if name == "symbol":
            wanted, right = "text", isinstance(dtype, pl.String | pl.Categorical | pl.Enum)
        elif name == "day":
            wanted, right = "a date", dtype == pl.Date
        if not right:
            message = "column %(name)s of bars is %(type)s; it must be %(wanted)s"
            raise BadInput(message, field="bars", name=name, type=str(dtype), wanted=wanted)
    for name in ("symbol", "day"):
        if bars[name].null_count():
            raise BadInput("column %(name)s of bars has a null", field="bars", name=name)


def _rows(bars: pl.DataFrame) -> tuple[panel.Rows, int]:
    """The columns as arrays (NaN for null), and how many symbols there are."""
    prices = {name: bars[name].cast(pl.Float64) for name in PRICES}
    for name, column in prices.items():
        if column.max() == math.inf or column.min() == -math.inf:
            row = int(column.is_infinite().arg_max() or 0)
            message = "%(name)s of %(symbol)s on %(day)s is infinite"
            raise BadInput(message, field="bars", name=name, **_where(bars, row))
    high, low, close = (
        _array(prices[name].fill_null(math.nan)) for name in ("high", "low", "close")
    )
    days = _array(bars["day"].to_physical())
    if bars.height and not _DAYS[0] <= days.min() <= days.max() <= _DAYS[1]:
        raise BadInput("column day of bars leaves the years 1 to 9999", field="bars")
    numbers, count = _number(bars["symbol"].cast(pl.String))
    return panel.Rows(high, low, close, numbers, days), count


def _array(column: pl.Series) -> Any:
    """The column's own memory as an array that passes for writable; nothing writes to it.

    Loops are compiled for each kind of array, and read-only ones would be a second kind.
    """
    values = column.to_numpy()
    address, _ = values.__array_interface__["data"]
    interface = {**values.__array_interface__, "data": (address, False)}
    return np.asarray(SimpleNamespace(__array_interface__=interface, owner=values))


def _number(symbols: pl.Series) -> tuple[Numbers, int]:
    """A number for each row's symbol, and how many symbols there are.

    Two hashes of 64 bits stand for a symbol: no two symbols share both.
    """
    hashes = _array(symbols.hash(1)), _array(symbols.hash(2))
    numbers = _scratch.take("numbers", len(symbols), np.int32)
    capacity = 4096
    while (count := panel.number_symbols(*hashes, numbers, capacity)) < 0:
        capacity *= 16
    return numbers, count


class _Survey:
    """How the rows lie: pieces in which every symbol is whole, most often one symbol each.

    A piece that is one symbol by day is a run and is computed where it lies; in any other the rows
    are interleaved and go through cells.
    """

    def __init__(self, rows: panel.Rows, count: int) -> None:
        self.rows = rows
        self.first_day = int(rows.days.min())
        self.ranks = np.empty(int(rows.days.max()) - self.first_day + 1, dtype=np.int32)
        facts = np.empty((count, panel.FACTS), dtype=np.int64)
        panel.rank_days(rows.days, self.first_day, self.ranks)
        panel.survey(rows.symbols, rows.days, self.first_day, self.ranks, facts)
        first, last = facts[:, panel.FIRST], facts[:, panel.LAST]
        whole = np.append(first[1:] > np.maximum.accumulate(last)[:-1], True)
        self.stops = np.flatnonzero(whole) + 1
        self.starts = np.append(0, self.stops[:-1])
        self.bounds = np.append(first[self.starts], len(rows.days))
        self.runs = (self.stops - self.starts == 1) & (facts[self.starts, panel.ORDERED] == 1)
        strips = facts[:, panel.HIGHEST] - facts[:, panel.LOWEST] + 1
        self.cells = np.append(0, np.cumsum(strips))
        self.origins = self.cells[:-1] - facts[:, panel.LOWEST]
        sizes = np.diff(self.bounds)
        self.longest = int(max(sizes[self.runs].max(initial=0), strips.max()))
        pieces = self.cells[self.stops] - self.cells[self.starts]
        self.sparse = bool(np.any(~self.runs & (pieces > _SPARSE * sizes + _FEW)))


def _compute(survey: _Survey, bars: pl.DataFrame, out: Table) -> None:
    """Piece by piece; runs that follow one another in one go."""
    room = _scratch.room_for(survey.longest)
    high, low, close = survey.rows[:3]
    edges = np.flatnonzero(np.diff(survey.runs)) + 1
    for a, b in zip([0, *edges], [*edges, len(survey.runs)], strict=True):
        if survey.runs[a]:
            kernel.compute_all(high, low, close, survey.bounds[a : b + 1], out, room)
        else:
            for piece in range(a, b):
                _compute_interleaved(survey, piece, room, bars, out)


def _compute_interleaved(
    survey: _Survey, piece: int, room: kernel.Room, bars: pl.DataFrame, out: Table
) -> None:
    """One piece by way of cells: rows in, results over them, results out."""
    start, stop = int(survey.bounds[piece]), int(survey.bounds[piece + 1])
    bounds = survey.cells[survey.starts[piece] : survey.stops[piece] + 1]
    before = int(bounds[0])
    strips = panel.Strips(survey.origins, survey.ranks, survey.first_day, before, kernel.CORE)
    count = int(bounds[-1]) - before
    cells = _scratch.take("cells", count * kernel.CORE, np.float64)
    held = _scratch.take("held", count, np.bool_)
    taken = panel.fill_cells(_cut(survey.rows, start, stop), strips, cells, held)
    if taken >= 0:
        raise _twice(bars, start + taken)
    kernel.compute_strips(cells, held, bounds - before, room)
    for a in range(start, stop, _NEAR):
        b = min(a + _NEAR, stop)
        panel.gather_cells(_cut(survey.rows, a, b), strips, cells, out[:, a:b])
        kernel.complete(out, a, b)


def _cut(rows: panel.Rows, start: int, stop: int) -> panel.Rows:
    return panel.Rows(
        rows.high[start:stop],
        rows.low[start:stop],
        rows.close[start:stop],
        rows.symbols[start:stop],
        rows.days[start:stop],
    )


def _compute_sorted(bars: pl.DataFrame) -> pl.DataFrame:
    """By way of a sorted frame: for few days of many symbols from a long time."""
    order = bars.select(pl.arg_sort_by("symbol", "day")).to_series()
    ordered = bars[order]
    keys = ordered.select("symbol", "day")
    again = (keys == keys.shift(1)).select(pl.all_horizontal("symbol", "day")).to_series()
    if again.any():
        raise _twice(ordered, int(again.fill_null(value=False).arg_max() or 0))
    return compute_daily(ordered)[order.arg_sort()]


def _twice(bars: pl.DataFrame, row: int) -> BadInput:
    message = "%(symbol)s has two bars on %(day)s"
    return BadInput(message, field="bars", **_where(bars, row))


def _where(bars: pl.DataFrame, row: int) -> dict[str, Any]:
    return {"symbol": bars["symbol"][row], "day": bars["day"][row]}
