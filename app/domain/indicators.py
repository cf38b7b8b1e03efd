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
from app.domain.kernels.compiled import are_on_disk
from app.domain.memory import Scratch, Table, lend
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
_SOME: Final = 131_072  # rows that are turned into arrays at a time
_NEAR: Final = 16_384  # rows that stay near the processor
_DAYS: Final = (-719_162, 2_932_896)  # the years 1 to 9999, in days from 1970

Numbers = np.ndarray[tuple[int], np.dtype[np.int32]]
Integers = np.ndarray[tuple[int], np.dtype[np.int64]]


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
    out = lend(kernel.RESULTS, bars.height)
    if bars.height:
        survey = _Survey(bars)
        if survey.sparse:
            return _compute_sorted(bars)
        _compute(survey, out)
    results = [pl.Series(str(i), values, nan_to_null=True) for i, values in enumerate(out)]
    return bars.select(
        "symbol", "day", *(results[_RESULT[name]].alias(name) for name in INDICATOR_COLUMNS)
    )


def warm_up() -> None:
    """Compiles all loops, or reads them from disk: for the start of a worker."""
    first, second = date(2000, 1, 3), date(2000, 1, 4)
    by_day = pl.DataFrame({"symbol": list("ABAB"), "day": [first, first, second, second]})
    bars = by_day.with_columns(pl.lit(2.0).alias(name) for name in (*PRICES, "volume"))
    for order in (bars, bars.sort("symbol"), bars.sort("symbol", descending=True).reverse()):
        compute_daily(order)


def is_warm() -> bool:
    """Whether all loops are on disk already."""
    return are_on_disk(kernel, panel)


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
    for name in PRICES:
        column = bars[name].cast(pl.Float64)
        if column.max() == math.inf or column.min() == -math.inf:
            row = int(column.is_infinite().arg_max() or 0)
            message = "%(name)s of %(symbol)s on %(day)s is infinite"
            raise BadInput(message, field="bars", name=name, **_where(bars, row))


class _Survey:
    """How the rows lie: pieces in which every symbol is whole, most often one symbol each."""

    def __init__(self, bars: pl.DataFrame) -> None:
        self.bars = bars
        self.prices = [bars[name].cast(pl.Float64) for name in ("high", "low", "close")]
        self.days = _array(bars["day"].to_physical())
        self.first_day = int(self.days.min())
        last_day = int(self.days.max())
        if not _DAYS[0] <= self.first_day <= last_day <= _DAYS[1]:
            raise BadInput("column day of bars leaves the years 1 to 9999", field="bars")
        self.numbers = _scratch.take("numbers", bars.height, np.int32)
        count = _number(bars["symbol"].cast(pl.String), self.numbers)
        self.ranks = np.empty(last_day - self.first_day + 1, dtype=np.int32)
        self.day_count = panel.rank_days(self.days, self.first_day, self.ranks)
        facts = np.empty((count, panel.FACTS), dtype=np.int64)
        panel.survey(self.numbers, self.days, self.first_day, self.ranks, facts)
        self._lay_out(facts)

    def _lay_out(self, facts: np.ndarray[tuple[int, int], np.dtype[np.int64]]) -> None:
        """Pieces, and the strip of cells of each symbol."""
        first, last = facts[:, panel.FIRST], facts[:, panel.LAST]
        whole = np.append(first[1:] > np.maximum.accumulate(last)[:-1], True)
        self.stops = np.flatnonzero(whole) + 1
        self.starts = np.append(0, self.stops[:-1])
        self.bounds = np.append(first[self.starts], self.bars.height)
        self.single = self.stops - self.starts == 1
        self.ordered = bool(np.all(facts[self.starts[self.single], panel.ORDERED]))
        strips = facts[:, panel.HIGHEST] - facts[:, panel.LOWEST] + 1
        self.cells = np.append(0, np.cumsum(strips))
        self.origins = self.cells[:-1] - facts[:, panel.LOWEST]
        sizes = np.diff(self.bounds)
        self.longest = int(max(sizes[self.single].max(initial=0), strips.max()))
        pieces = self.cells[self.stops] - self.cells[self.starts]
        self.sparse = bool(np.any(~self.single & (pieces > _SPARSE * sizes + _FEW)))

    def rows(self, start: int, stop: int) -> panel.Rows:
        """Some rows as arrays, NaN for null."""
        some = (column.slice(start, stop - start) for column in self.prices)
        high, low, close = (
            _array(column.fill_null(math.nan) if column.null_count() else column) for column in some
        )
        return panel.Rows(high, low, close, self.numbers[start:stop], self.days[start:stop])


def _array(column: pl.Series) -> Any:
    """The column's own memory as an array that passes for writable; nothing writes to it.

    Loops are compiled for each kind of array, and read-only ones would be a second kind.
    """
    values = column.to_numpy()
    address, _ = values.__array_interface__["data"]
    interface = {**values.__array_interface__, "data": (address, False)}
    return np.asarray(SimpleNamespace(__array_interface__=interface, owner=values))


def _number(symbols: pl.Series, numbers: Numbers) -> int:
    """Writes a number for each row's symbol; how many symbols there are.

    Two hashes of 64 bits stand for a symbol: no two symbols share both.
    """
    capacity, count, row = 4096, 0, 0
    names = panel.make_names(capacity)
    while row < len(symbols):
        some = symbols.slice(row, _SOME)
        one, other = _array(some.hash(1)), _array(some.hash(2))
        found = panel.number_symbols(one, other, names, count, numbers[row : row + _SOME])
        if found < 0:
            capacity, count, row = capacity * 16, 0, 0
            names = panel.make_names(capacity)
        else:
            count, row = found, row + _SOME
    return count


def _compute(survey: _Survey, out: Table) -> None:
    """Piece by piece; single symbols that follow one another in one go."""
    room = _scratch.room_for(survey.longest)
    edges = np.flatnonzero(np.diff(survey.single)) + 1
    for a, b in zip([0, *edges], [*edges, len(survey.single)], strict=True):
        if survey.single[a]:
            _compute_singles(survey, survey.bounds[a : b + 1], room, out)
        else:
            for piece in range(a, b):
                _compute_interleaved(survey, piece, room, out)


def _compute_singles(survey: _Survey, bounds: Integers, room: kernel.Room, out: Table) -> None:
    """Pieces of one symbol each, which are computed where they lie, some at a time."""
    order = np.empty(0, dtype=np.int64)
    slots = _scratch.take("slots", survey.day_count, np.int32)
    i = 0
    while i < len(bounds) - 1:
        stop = max(i + 1, int(np.searchsorted(bounds, bounds[i] + _SOME)) - 1)
        start = int(bounds[i])
        rows, inside = survey.rows(start, int(bounds[stop])), bounds[i : stop + 1] - start
        if not survey.ordered:
            order = _scratch.take("order", len(rows.days), np.int64)
            taken = panel.order_rows(
                rows.days, survey.first_day, survey.ranks, inside, order, slots
            )
            if taken >= 0:
                raise _twice(survey.bars, start + taken)
        bars = kernel.Bars(rows.high, rows.low, rows.close, inside, order)
        kernel.compute_all(bars, out, start, room)
        i = stop


def _compute_interleaved(survey: _Survey, piece: int, room: kernel.Room, out: Table) -> None:
    """One piece by way of cells: rows in, results over them, results out."""
    start, stop = int(survey.bounds[piece]), int(survey.bounds[piece + 1])
    bounds = survey.cells[survey.starts[piece] : survey.stops[piece] + 1]
    before = int(bounds[0])
    count = int(bounds[-1]) - before
    cells = _scratch.take("cells", count * kernel.RESULTS, np.float64)
    held = _scratch.take("held", count, np.bool_)
    held[:] = False
    strips = panel.Strips(survey.origins, survey.ranks, survey.first_day, before, kernel.RESULTS)
    for a in range(start, stop, _SOME):
        taken = panel.fill_cells(survey.rows(a, min(a + _SOME, stop)), strips, cells, held)
        if taken >= 0:
            raise _twice(survey.bars, a + taken)
    kernel.compute_strips(cells, held, bounds - before, room)
    for a in range(start, stop, _NEAR):
        b = min(a + _NEAR, stop)
        panel.gather_cells(survey.numbers[a:b], survey.days[a:b], strips, cells, out, a)


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
