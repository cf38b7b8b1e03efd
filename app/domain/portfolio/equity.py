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
from typing import Final

import numpy as np
import polars as pl

from app.domain.market import currency_digits
from app.domain.portfolio.book import currency_of
from app.domain.portfolio.moves import cash_flow, cash_moves, share_flow, share_moves
from app.domain.portfolio.returns import unit_returns
from app.domain.transactions import Entry, TransactionKind, standing

_SHARE: Final = 10**8
_CENT: Final = 10**2

Moves = Callable[[Entry], Iterator[tuple[str, Decimal]]]


@dataclass(frozen=True, slots=True)
class Last:
    """The last stored row that still holds: an edit of a day leaves those before it alone."""

    day: date
    value: float
    unit: float
    drawdown: float


@dataclass(frozen=True, slots=True)
class _Market:
    """Prices by `key` (symbol) and rates by `currency`, in order of day."""

    closes: pl.DataFrame
    rates: pl.DataFrame
    splits: pl.DataFrame
    currencies: pl.DataFrame


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
    wanted = [day for day in days if last is None or day > last.day]
    grid = pl.DataFrame({"day": wanted}, schema={"day": pl.Date})
    market = _market(kept, closes, rates, base)
    shares = _rated(_priced(_balances(kept, share_moves, _SHARE, grid), market), market)
    cash = _balances(kept, cash_moves, _CENT, grid)
    cash = _rated(cash.with_columns(currency=pl.col("key"), close=pl.lit(1.0)), market)
    worth = pl.col("amount") * pl.col("close") * pl.col("rate")
    equity = (
        grid.join(_by_day(shares, worth, "held"), on="day", how="left")
        .join(_by_day(cash, worth, "cash"), on="day", how="left")
        .join(_flows(kept, market, grid, last), on="day", how="left")
        .with_columns(pl.exclude("day").fill_null(0))
        .with_columns(value=pl.col("held") + pl.col("cash"))
        .with_columns(pl.col("value", "cash", "paid_in", "paid_out").round(currency_digits(base)))
        .with_columns(missing=pl.sum_horizontal("held_missing", "cash_missing", "flow_missing"))
        .with_columns(value=pl.when(pl.col("missing") == 0).then("value"))
        .select("day", "value", "cash", "paid_in", "paid_out", pl.col("missing").cast(pl.Int64))
    )
    return _with_units(equity, last)


def _market(
    entries: Sequence[Entry], closes: pl.DataFrame, rates: pl.DataFrame, base: str
) -> _Market:
    splits = [
        (e.symbol, e.day, float(e.numerator / e.denominator))
        for e in entries
        if e.kind is TransactionKind.SPLIT and e.numerator and e.denominator
    ]
    currencies = {
        symbol: currency_of(entry, symbol) for entry in entries for symbol, _ in share_moves(entry)
    }
    schema = {"key": pl.String, "day": pl.Date, "ratio": pl.Float64}
    own = pl.DataFrame({"currency": [base], "day": [date.min], "rate": [1.0]})
    foreign = rates.filter(pl.col("currency") != base)
    names = {"key": pl.String, "currency": pl.String}
    return _Market(
        closes=closes.select(pl.col("symbol").alias("key"), "day", pl.col("close").cast(pl.Float64))
        .filter(pl.col("key").is_in(list(currencies)))
        .drop_nulls()
        .sort("key", "day"),
        rates=pl.concat(
            [own, foreign.select("currency", "day", pl.col("rate").cast(pl.Float64)).drop_nulls()]
        ).sort("currency", "day"),
        splits=pl.DataFrame(splits, schema, orient="row")
        .sort("key", "day")
        .with_columns(pl.col("ratio").cum_prod().over("key")),
        currencies=pl.DataFrame(list(currencies.items()), names, orient="row"),
    )


def _balances(
    entries: Sequence[Entry], moves: Moves, scale: int, grid: pl.DataFrame
) -> pl.DataFrame:
    """`key`, `day`, `amount` of every day on which there is something."""
    rows = [(k, e.day, int(amount * scale)) for e in entries for k, amount in moves(e)]
    schema = {"key": pl.String, "day": pl.Date, "total": pl.Int64}
    totals = (
        pl.DataFrame(rows, schema, orient="row")
        .group_by("key", "day")
        .agg(pl.col("total").sum())
        .sort("key", "day")
        .with_columns(pl.col("total").cum_sum().over("key"))
    )
    every = totals.select("key").unique().join(grid, how="cross").sort("key", "day")
    held = _as_of(every, totals, "key").filter(pl.col("total") != 0)
    return held.select("key", "day", (pl.col("total") / scale).alias("amount"))


def _priced(held: pl.DataFrame, market: _Market) -> pl.DataFrame:
    """Adds `currency` and `close`, the newest there is, on the basis of the day."""
    priced = held.join(market.currencies, on="key", how="left")
    if market.splits.is_empty():
        return _as_of(priced, market.closes, "key")
    closes = _as_of(market.closes, market.splits, "key").rename({"ratio": "then"})
    priced = _as_of(_as_of(priced, closes, "key"), market.splits, "key")
    after = pl.col("then").fill_null(1.0) / pl.col("ratio").fill_null(1.0)
    return priced.with_columns(close=pl.col("close") * after).drop("then", "ratio")


def _rated(priced: pl.DataFrame, market: _Market) -> pl.DataFrame:
    return _as_of(priced.sort("currency", "day"), market.rates, "currency")


def _as_of(left: pl.DataFrame, right: pl.DataFrame, by: str) -> pl.DataFrame:
    """Each row with the newest of the other frame, of its own day or before."""
    return left.sort("day").join_asof(right.sort("day"), on="day", by=by).sort(by, "day")


def _by_day(frame: pl.DataFrame, worth: pl.Expr, name: str) -> pl.DataFrame:
    return frame.group_by("day").agg(
        worth.sum().alias(name), worth.is_null().sum().alias(f"{name}_missing")
    )


def _flows(
    entries: Sequence[Entry], market: _Market, grid: pl.DataFrame, last: Last | None
) -> pl.DataFrame:
    """`day`, `paid_in`, `paid_out`, `flow_missing` of the days of the grid that have flows."""
    late = [e for e in entries if last is None or e.day > last.day]
    shares = [
        (e.symbol, e.day, float(n), abs(float(e.amount))) for e in late if (n := share_flow(e))
    ]
    cash = [(e.day, currency_of(e, ""), float(m)) for e in late if (m := cash_flow(e))]
    of_shares = {"key": pl.String, "day": pl.Date, "amount": pl.Float64, "cost": pl.Float64}
    of_cash = {"day": pl.Date, "currency": pl.String, "own": pl.Float64}
    at_close = pl.col("amount") * pl.col("close")
    at_cost = pl.col("amount").sign() * pl.col("cost")
    valued = _priced(pl.DataFrame(shares, of_shares, orient="row"), market).select(
        "day", "currency", own=pl.coalesce(at_close, at_cost)
    )
    flows = _rated(pl.concat([pl.DataFrame(cash, of_cash, orient="row"), valued]), market)
    paid = pl.col("own") * pl.col("rate")
    next_day = grid.with_columns(asked=pl.col("day"))
    return (
        flows.sort("day")
        .join_asof(next_day, on="day", strategy="forward")
        .group_by(pl.col("asked").alias("day"))
        .agg(
            paid.filter(paid > 0).sum().alias("paid_in"),
            (-paid.filter(paid < 0).sum()).alias("paid_out"),
            paid.is_null().sum().alias("flow_missing"),
        )
    )


def _with_units(equity: pl.DataFrame, last: Last | None) -> pl.DataFrame:
    """Adds `unit` and `drawdown` where there is a value; what was paid meanwhile counts there."""
    known = equity.with_columns(pl.col("paid_in", "paid_out").cum_sum()).drop_nulls("value")
    start = last or Last(date.min, 0.0, 1.0, 0.0)
    value = np.concatenate(([start.value], known["value"].to_numpy()))
    paid = (np.diff(known[name].to_numpy(), prepend=0.0) for name in ("paid_in", "paid_out"))
    paid_in, paid_out = (np.concatenate(([0.0], amounts)) for amounts in paid)
    growth = 1.0 + unit_returns(value, paid_in, paid_out)[1:]
    unit = start.unit * np.cumprod(growth)
    peak = np.maximum(np.maximum.accumulate(unit), start.unit / (1.0 + start.drawdown))
    units = pl.DataFrame({"day": known["day"], "unit": unit, "drawdown": unit / peak - 1.0})
    return equity.join(units, on="day", how="left", maintain_order="left")
