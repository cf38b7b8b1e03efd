"""Daily equity: what a portfolio was worth at the close of each day, and what a unit of it was.

Shares and cash are counted in whole numbers (10⁻⁸ shares, cents) and are exact; prices and rates
are floats, and the result is rounded to the minor unit of the portfolio's currency. A close holds
until the next one, through a split divided by its ratio; a rate holds until the next one. Entries
of a day that is not asked for count on the next one that is. A day that lacks a price or a rate has
no value and says so.

Columns: `day`, `value`, `cash`, `paid_in`, `paid_out` (in the portfolio's currency), `missing` (how
many holdings, balances and flows have no price or no rate), `unit` (1 before the first day),
`drawdown` (of the unit from its highest, 0 or below). Shares that come or go count at the day's
close, or at their cost where there is none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

import numpy as np
import polars as pl

from app.domain.bars import split_factors
from app.domain.market import currency_digits
from app.domain.portfolio.book import currency_of
from app.domain.portfolio.moves import cash_flow, cash_moves, share_flow, share_moves
from app.domain.portfolio.returns import unit_returns
from app.domain.transactions import Entry, TransactionKind, standing

_SHARE: Final = 10**8
_CENT: Final = 10**2

Moves = Callable[[Entry], Iterator[tuple[str, Decimal]]]
Table = np.ndarray[tuple[int, int], np.dtype[Any]]
"""A row for each day and a column for each symbol or currency, NaN where nothing is known."""


@dataclass(frozen=True, slots=True)
class Last:
    """The newest row with a value that still holds; what was paid after it has not been counted."""

    day: date
    value: float
    unit: float
    drawdown: float


def compute_equity(  # noqa: PLR0913 - entries, two kinds of prices, and the days
    entries: Iterable[Entry],
    closes: pl.DataFrame,
    rates: pl.DataFrame,
    days: Sequence[date],
    *,
    base: str,
    last: Last | None = None,
) -> pl.DataFrame:
    """The equity of `days` in order, of those after `last` when it is given.

    `closes`: symbol, day, close as traded; `rates`: currency, day, rate in the portfolio's
    currency. Both should begin at or before the first day: what they lack is missing.
    """
    kept = standing(entries)
    grid = pl.Series("day", [d for d in days if last is None or d > last.day], dtype=pl.Date)
    own = {symbol: currency_of(e, symbol) for e in kept for symbol, _ in share_moves(e)}
    symbols = {symbol: place for place, symbol in enumerate(own)}
    names = {base, *own.values(), *(name for e in kept for name, _ in cash_moves(e))}
    names |= {currency_of(e, "") for e in kept if cash_flow(e)}  # where a fee takes all of it
    currencies = {name: place for place, name in enumerate(sorted(names))}
    rate = _newest(rates.rename({"currency": "key", "rate": "value"}), currencies, grid)
    rate[:, currencies[base]] = 1.0
    price = _prices(kept, closes, symbols, grid) * rate[:, [currencies[c] for c in own.values()]]
    held = _worth(_balances(kept, share_moves, _SHARE, symbols, grid), price)
    cash = _worth(_balances(kept, cash_moves, _CENT, currencies, grid), rate)
    new = [entry for entry in kept if last is None or entry.day > last.day]
    flows = _flows(new, symbols, price, currencies, rate, grid=grid)
    missing = sum(np.isnan(table).sum(axis=1) for table in (held, cash, flows))
    digits = currency_digits(base)
    equity = pl.DataFrame(
        {
            "day": grid,
            "value": (np.nansum(held, axis=1) + np.nansum(cash, axis=1)).round(digits),
            "cash": np.nansum(cash, axis=1).round(digits),
            "paid_in": np.nansum(np.maximum(flows, 0.0), axis=1).round(digits),
            "paid_out": np.nansum(np.maximum(-flows, 0.0), axis=1).round(digits),
            "missing": missing,
        }
    )
    equity = equity.with_columns(value=pl.when(pl.col("missing") == 0).then("value"))
    return _with_units(equity, last)


def _balances(
    entries: Sequence[Entry], moves: Moves, scale: int, columns: dict[str, int], grid: pl.Series
) -> Table:
    """What there is at the end of each day."""
    rows = [(e.day, columns[key], int(n * scale)) for e in entries for key, n in moves(e)]
    totals = np.zeros((len(grid) + 1, len(columns)), dtype=np.int64)  # the last row: after the grid
    if rows:
        days, places, amounts = zip(*rows, strict=True)
        np.add.at(totals, (_places(days, grid), list(places)), amounts)
    return totals[:-1].cumsum(axis=0) / scale


def _newest(rows: pl.DataFrame, columns: dict[str, int], grid: pl.Series) -> Table:
    """Of `key`, `day`, `value` the newest value of each day or before, by column."""
    schema = {"key": pl.String, "column": pl.Int64}
    named = pl.DataFrame(list(columns.items()), schema, orient="row")
    known = rows.drop_nulls().join(named, on="key").sort("day")
    table = np.full((len(grid) + 1, len(columns)), np.nan)
    values = known["value"].cast(pl.Float64).to_numpy()
    table[_places(known["day"], grid), known["column"].to_numpy()] = values
    row = np.where(np.isnan(table), 0, np.arange(len(table))[:, None])
    return np.take_along_axis(table, np.maximum.accumulate(row, axis=0), axis=0)[:-1]


def _prices(
    entries: Sequence[Entry], closes: pl.DataFrame, columns: dict[str, int], grid: pl.Series
) -> Table:
    """The newest close of each day, through splits on the basis of the day."""
    table = _newest(closes.rename({"symbol": "key", "close": "value"}), columns, grid)
    splits = pl.DataFrame(
        [
            (e.symbol, e.day, e.numerator, e.denominator)
            for e in entries
            if e.kind is TransactionKind.SPLIT and e.symbol in columns  # others were never held
        ],
        {"symbol": pl.String, "day": pl.Date, "numerator": pl.Float64, "denominator": pl.Float64},
        orient="row",
    )
    for (symbol,), own in splits.group_by("symbol"):
        known = closes.filter(pl.col("symbol") == symbol).sort("day")
        later = pl.Series(split_factors(known["day"], own))
        adjusted = known.select(
            "day",
            pl.col("symbol").alias("key"),
            (pl.col("close").cast(pl.Float64) / later).alias("value"),
        )
        column = columns[str(symbol)]
        today = _newest(adjusted, {str(symbol): 0}, grid)[:, 0]
        table[:, column] = today * split_factors(grid, own)
    return table


def _worth(amounts: Table, prices: Table) -> Table:
    return np.where(amounts == 0.0, 0.0, amounts * prices)


def _flows(  # noqa: PLR0913 - the tables that a flow is valued by
    entries: Sequence[Entry],
    symbols: dict[str, int],
    prices: Table,
    currencies: dict[str, int],
    rates: Table,
    *,
    grid: pl.Series,
) -> Table:
    """What came in (above 0) and went out, a column for each entry that did."""
    found = [e for e in entries if share_flow(e) or cash_flow(e)]
    table = np.zeros((len(grid) + 1, len(found)))
    for column, (entry, row) in enumerate(
        zip(found, _places([e.day for e in found], grid), strict=True)
    ):
        if row == len(grid):
            continue
        rate = rates[row, currencies[currency_of(entry, entry.symbol or "")]]
        shares = float(share_flow(entry))
        if not shares:
            table[row, column] = float(cash_flow(entry)) * rate
            continue
        worth = shares * prices[row, symbols[entry.symbol or ""]]
        cost = np.copysign(float(entry.amount), shares) * rate
        table[row, column] = cost if np.isnan(worth) else worth
    return table[:-1]


def _places(
    days: Sequence[date] | pl.Series, grid: pl.Series
) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """For each day the row of the first day of the grid that is not before it."""
    return np.searchsorted(grid.to_numpy(), np.asarray(days, dtype="datetime64[D]"), side="left")


def _with_units(equity: pl.DataFrame, last: Last | None) -> pl.DataFrame:
    """Adds `unit` and `drawdown` where there is a value; what was paid meanwhile counts there."""
    known = equity.with_columns(pl.col("paid_in", "paid_out").cum_sum()).drop_nulls("value")
    start = last or Last(date.min, 0.0, 1.0, 0.0)
    value = np.concatenate(([start.value], known["value"].to_numpy()))
    paid = (np.diff(known[name].to_numpy(), prepend=0.0) for name in ("paid_in", "paid_out"))
    paid_in, paid_out = (np.concatenate(([0.0], amounts)) for amounts in paid)
    growth = 1.0 + unit_returns(value, paid_in, paid_out)[1:]
    unit = start.unit * np.cumprod(growth)
    left = 1.0 + start.drawdown  # of the highest unit; nothing, too, when a float cannot tell
    highest = start.unit / left if left else np.inf
    peak = np.maximum(np.maximum.accumulate(unit), highest)
    units = pl.DataFrame({"day": known["day"], "unit": unit, "drawdown": unit / peak - 1.0})
    return equity.join(units, on="day", how="left", maintain_order="left")
