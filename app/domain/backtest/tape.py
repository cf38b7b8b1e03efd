"""The tape: the bars of a backtest as arrays of sessions x instruments, with splits and dividends.

Prices are as traded, NaN where there is none. A day on which any instrument has a bar is a session.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, NamedTuple

import numpy as np
import polars as pl

from app.domain.backtest.history import Dividend, History, lock
from app.domain.bars import PRICES, check_prices
from app.errors import BadInput

Table = np.ndarray[tuple[int, int], np.dtype[np.float64]]

COLUMNS: Final = (*PRICES, "volume")
SPLITS: Final = {
    "symbol": pl.String, "day": pl.Date, "numerator": pl.Float64, "denominator": pl.Float64,
}  # fmt: skip
DIVIDENDS: Final = {
    "symbol": pl.String, "day": pl.Date, "amount": pl.Float64, "declared": pl.Date, "paid": pl.Date,
}  # fmt: skip


class Split(NamedTuple):
    """From this session on, one share is `ratio`."""

    bar: int
    column: int
    ratio: float


@dataclass(frozen=True, eq=False)
class Tape:
    """Bars as arrays. `closes_at` says when each session's close was known (UTC), where needed.

    `funds` are the instruments that are no shares: their ticks and taxes are others.
    """

    symbols: tuple[str, ...]
    days: pl.Series
    prices: dict[str, Table]
    splits: tuple[Split, ...] = ()
    dividends: tuple[Dividend, ...] = ()
    closes_at: pl.Series | None = None
    references: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    funds: frozenset[str] = frozenset()
    kept: dict[Any, Any] = field(
        default_factory=dict
    )  # what was made of it, by what it was made for

    def __reduce__(self) -> tuple[Any, ...]:
        """Sent to another process without what was made of it."""
        facts = (self.splits, self.dividends, self.closes_at, dict(self.references), self.funds)
        return Tape, (self.symbols, self.days, self.prices, *facts)

    @cached_property
    def growth(self) -> Table:
        """Shares of each session for one share of the first one."""
        made = np.ones((len(self.days), len(self.symbols)))
        for split in self.splits:
            made[split.bar :, split.column] *= split.ratio
        return made

    @cached_property
    def history(self) -> History:
        """What a strategy sees of it."""
        seen = self.prices
        if self.splits:
            seen = {name: seen[name] * self.growth for name in PRICES}
            seen["volume"] = self.prices["volume"] / self.growth
        return History(
            self.symbols, self.days, **{name: lock(values) for name, values in seen.items()},
            dividends=tuple(one for one in self.dividends if one.declared < len(self.days)),
            closes_at=self.closes_at, references=self.references,
        )  # fmt: skip

    def until(self, stop: int) -> Tape:
        """The first sessions alone, with what was known then."""
        history = self.history.until(stop)
        return Tape(
            self.symbols,
            self.days[:stop],
            {name: values[:stop] for name, values in self.prices.items()},
            tuple(one for one in self.splits if one.bar < stop),
            tuple(one for one in self.dividends if one.bar < stop),
            history.closes_at,
            history.references,
            self.funds,
        )

    def alone(self, symbol: str) -> Tape:
        """One of its instruments in the sessions in which that has a bar, and nothing of others."""
        k = self.symbols.index(symbol)
        prices = {name: np.ascontiguousarray(v[:, [k]]) for name, v in self.prices.items()}
        rows = np.flatnonzero(np.isfinite(np.hstack([*prices.values()])).any(axis=1))
        later = np.searchsorted(rows, np.arange(len(self.days) + 1)).tolist()  # or the same session
        inside = range(int(rows[0]) + 1, int(rows[-1]) + 1)
        splits = (
            Split(later[s.bar], 0, s.ratio)
            for s in self.splits
            if s.column == k and s.bar in inside
        )
        dividends = (
            Dividend(later[d.bar], 0, d.amount, later[d.declared], later[d.paid])
            for d in self.dividends
            if d.column == k and d.bar in inside
        )
        return Tape(
            (symbol,),
            self.days.gather(rows),
            {name: values[rows] for name, values in prices.items()},
            tuple(splits),
            tuple(dividends),
            None if self.closes_at is None else self.closes_at.gather(rows),
            self.references,
            self.funds,
        )

    def window(self, start: int, stop: int) -> Tape:
        """Sessions start..stop as if they were all there is; events keep their days."""
        splits = (s._replace(bar=s.bar - start) for s in self.splits if start < s.bar < stop)
        dividends = (
            d._replace(bar=d.bar - start, declared=d.declared - start, paid=d.paid - start)
            for d in self.dividends
            if start < d.bar < stop
        )
        return Tape(
            self.symbols,
            self.days[start:stop],
            {name: np.ascontiguousarray(v[start:stop]) for name, v in self.prices.items()},
            tuple(splits),
            tuple(dividends),
            None if self.closes_at is None else self.closes_at[start:stop],
            self.references,
            self.funds,
        )


def prepare(  # noqa: PLR0913 - bars, and what is known besides
    bars: pl.DataFrame,
    *,
    splits: pl.DataFrame | None = None,
    dividends: pl.DataFrame | None = None,
    closes_at: pl.DataFrame | None = None,
    references: Mapping[str, pl.DataFrame] | None = None,
    funds: Collection[str] = (),
) -> Tape:
    """Bars as traded (`symbol`, `day`, prices, `volume`) → tape; instruments in order of symbol.

    `splits`: symbol, day, numerator, denominator. `dividends`: symbol, day (ex-date), amount, and
    where known `declared` and `paid` (a dividend without them counts from its ex-date on).
    `closes_at`: day, close_at. `references`: other series a strategy may look at, each with
    `known_at`; they need `closes_at`. `funds`: symbols that are ETFs. Other columns of `bars` are
    not seen by any strategy.

    Raises:
        BadInput: no bars, a missing column, a day twice, a row that is no bar, or an event that
            cannot be.
    """
    if references and closes_at is None:
        message = "Series of other markets need the times at which the sessions close"
        raise BadInput(message, field="closes_at")
    bars = _check(bars)
    symbols = tuple(bars["symbol"].unique().sort())
    days = bars["day"].unique().sort()
    rows = np.searchsorted(days.to_numpy(), bars["day"].to_numpy())
    columns = np.searchsorted(np.array(symbols), bars["symbol"].to_numpy())
    prices = {}
    for name in COLUMNS:
        table = np.full((len(days), len(symbols)), np.nan)
        table[rows, columns] = bars[name].cast(pl.Float64).fill_null(np.nan).to_numpy()
        prices[name] = table
    return Tape(
        symbols,
        days,
        prices,
        _splits(splits, symbols, days),
        _dividends(dividends, symbols, days),
        None if closes_at is None else _closes(closes_at, days),
        references or {},
        frozenset(funds),
    )


def _check(bars: pl.DataFrame) -> pl.DataFrame:
    missing = [name for name in ("symbol", "day", *COLUMNS) if name not in bars.columns]
    if missing or not bars.height:
        message = "The bars have %(rows)s rows and miss %(missing)s; both are needed"
        raise BadInput(message, field="bars", rows=bars.height, missing=", ".join(missing) or "-")
    bars = bars.with_columns(pl.col(PRICES).cast(pl.Float64).fill_nan(None))
    reasons = bars.select("symbol", "day", check_prices().alias("reason"))
    # without any price there was no bar; without an open and a volume there was a halt
    empty = pl.all_horizontal(pl.col(name).is_null() for name in PRICES)
    halted = pl.col("reason").str.starts_with("halted")
    wrong = reasons.with_columns(bars.select(empty.alias("empty"))).filter(
        pl.col("reason").is_not_null() & ~halted & ~pl.col("empty")
    )
    if wrong.height:
        message = "The row of %(symbol)s on %(day)s is no bar: %(reason)s"
        raise BadInput(message, field="bars", **wrong.row(0, named=True))
    again = bars.filter(bars.select("symbol", "day").is_duplicated())
    if again.height:
        message = "%(symbol)s has two bars on %(day)s"
        raise BadInput(message, field="bars", **again.select("symbol", "day").row(0, named=True))
    return bars


def _events(
    events: pl.DataFrame, schema: Mapping[str, Any], symbols: tuple[str, ...], days: pl.Series
) -> pl.DataFrame:
    """Events within the sessions after the first, with `bar` and `column`."""
    missing = [pl.lit(None, kind).alias(n) for n, kind in schema.items() if n not in events.columns]
    events = events.with_columns(missing).select(pl.col(n).cast(k) for n, k in schema.items())
    events = events.filter(
        pl.col("symbol").is_in(symbols) & (pl.col("day") > days[0]) & (pl.col("day") <= days[-1])
    ).sort("day", "symbol")
    return events.with_columns(
        pl.Series("bar", np.searchsorted(days.to_numpy(), events["day"].to_numpy())),
        pl.Series("column", np.searchsorted(np.array(symbols), events["symbol"].to_numpy())),
    )


def _splits(
    events: pl.DataFrame | None, symbols: tuple[str, ...], days: pl.Series
) -> tuple[Split, ...]:
    if events is None:
        return ()
    found = _events(events, SPLITS, symbols, days)
    ratios = (found["numerator"] / found["denominator"]).to_list()
    for ratio, symbol, day in zip(ratios, found["symbol"], found["day"], strict=True):
        if ratio is None or not 0 < ratio < np.inf:
            message = "The split of %(symbol)s on %(day)s has the ratio %(ratio)s"
            raise BadInput(message, field="splits", symbol=symbol, day=day, ratio=ratio)
    return tuple(map(Split, found["bar"].to_list(), found["column"].to_list(), ratios))


def _dividends(
    events: pl.DataFrame | None, symbols: tuple[str, ...], days: pl.Series
) -> tuple[Dividend, ...]:
    if events is None:
        return ()
    found = _events(events, DIVIDENDS, symbols, days)
    wrong = found.filter(~(pl.col("amount").is_finite() & (pl.col("amount") > 0)).fill_null(False))  # noqa: FBT003
    if wrong.height:
        message = "The dividend of %(symbol)s on %(day)s is %(amount)s"
        values = wrong.select("symbol", "day", "amount").row(0, named=True)
        raise BadInput(message, field="dividends", **values)
    bars = found["bar"].to_numpy()
    told = _bars_of(found["declared"].fill_null(found["day"]), days)
    declared = np.maximum(bars, told)
    paid = np.maximum(declared, _bars_of(found["paid"].fill_null(found["day"]), days))
    columns = (bars, found["column"].to_numpy(), found["amount"].to_numpy(), declared, paid)
    return tuple(Dividend(*row) for row in zip(*(c.tolist() for c in columns), strict=True))


def _bars_of(event_days: pl.Series, days: pl.Series) -> np.ndarray[Any, Any]:
    return np.searchsorted(days.to_numpy(), event_days.to_numpy())


def _closes(closes_at: pl.DataFrame, days: pl.Series) -> pl.Series:
    joined = pl.DataFrame({"day": days}).join(
        closes_at, on="day", how="left", maintain_order="left"
    )
    if joined["close_at"].null_count():
        day = joined.filter(pl.col("close_at").is_null())["day"][0]
        message = "There is no closing time for the session of %(day)s"
        raise BadInput(message, field="closes_at", day=day)
    return joined["close_at"]
