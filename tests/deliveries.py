"""A source that gets things wrong as sources do, around a history whose truth is known.

Prices are adjusted for a split, and the split is named, on days of their own; rows are missing,
repeated or altered; a split is named that never was, and taken back.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

import polars as pl

from app.adapters.prices import (
    BAR_SCHEMA,
    DIVIDEND_SCHEMA,
    SPLIT_SCHEMA,
    Failure,
    History,
    HostState,
    InstrumentInfo,
    Intraday,
    NoData,
    Tick,
)
from app.domain.bars import PRICES, split_factors


@dataclass(frozen=True)
class Delayed:
    """A split and the places of the days on which prices contain it and on which it is named.

    `until`: the place of the day on which it is taken back. `real`: it did take place.
    """

    place: int
    ratio: float
    adjusted: int
    named: int
    until: float = math.inf
    real: bool = True


@dataclass(frozen=True)
class Truth:
    """Closes as traded by day, splits, and dividends as (place, amount as traded).

    `table`: the bars themselves, where there is more to them than closes.
    """

    days: Sequence[date]
    closes: Sequence[float]
    splits: Sequence[Delayed] = ()
    dividends: Sequence[tuple[int, float]] = ()
    table: pl.DataFrame | None = None

    def bars(self) -> pl.DataFrame:
        return _bars(self.days, self.closes) if self.table is None else self.table

    def events(self) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Splits and dividends that did take place."""
        return _splits(self.days, [s for s in self.splits if s.real]), self._paid(len(self.days))

    def deliver(
        self,
        symbol: str,
        today: int,
        *,
        missing: Sequence[int] = (),
        altered: Sequence[int] = (),
        stale: bool = False,
        right: bool = False,
    ) -> History:
        """What the source says on the day at place `today`; `right`: nothing but the truth."""
        known = [s for s in self.splits if (s.real if right else today < s.until)]
        adjusted = [s for s in known if right or s.adjusted <= today]
        named = [s for s in known if right or s.named <= today]
        bars = self.bars().head(today + 1)
        changed = pl.col("day").is_in([self.days[place] for place in altered])
        bars = bars.with_columns(
            pl.when(changed).then(pl.col(name) * 1.01).otherwise(pl.col(name)).alias(name)
            for name in PRICES
        )
        factor = split_factors(bars["day"], _splits(self.days, named))
        factor /= split_factors(bars["day"], _splits(self.days, adjusted))
        bars = bars.with_columns(
            (pl.col(name) * pl.Series(factor)).round(4) for name in (*PRICES, "adj_close")
        )
        if stale and today:
            last = bars["close"][-2]
            flat = {name: pl.lit(last) for name in PRICES}
            repeat = bars.tail(1).with_columns(**flat, volume=pl.lit(0, dtype=pl.Int64))
            bars = pl.concat([bars.head(-1), repeat])
        gone = [self.days[place] for place in missing]
        info = InstrumentInfo(symbol, symbol, "XNAS", "USD", "EQUITY")
        return History(
            info,
            bars.filter(~pl.col("day").is_in(gone)),
            _splits(self.days, named),
            self._paid(today + 1).filter(~pl.col("day").is_in(gone)),
        )

    def _paid(self, count: int) -> pl.DataFrame:
        rows = [[self.days[place], paid] for place, paid in self.dividends if place < count]
        return pl.DataFrame(rows, schema=DIVIDEND_SCHEMA, orient="row").sort("day")


@dataclass
class ScriptedSource:
    """Answers every question with the part of `answer` that was asked for."""

    answer: History | Failure
    name: str = "yahoo"
    provider: str = "yahoo"
    asked: list[date | None] = field(default_factory=list)

    def state(self) -> HostState | None:
        """There is no host."""
        return None

    async def history(
        self, symbol: str, *, start: date | None = None, end: date | None = None
    ) -> History | Failure:
        self.asked.append(start)
        if not isinstance(self.answer, History):
            return self.answer
        found = self.answer.within(start, end)
        return NoData(f"no prices of {symbol}") if found.bars.is_empty() else found

    async def intraday(self, symbol: str, *, minutes: int, days: int) -> Intraday | Failure:
        return NoData(f"no bars of {minutes} minutes of {symbol} for {days} days")

    async def quotes(self, symbols: list[str]) -> dict[str, Tick | Failure]:
        return {symbol: NoData("no quotes") for symbol in symbols}

    async def close(self) -> None:
        """Nothing is open."""


def _bars(days: Sequence[date], closes: Sequence[float]) -> pl.DataFrame:
    """Bars that open at the close before, or at their own close after a jump."""
    opens = [
        before if abs(close / before - 1) < 0.2 else close
        for before, close in zip([closes[0], *closes], closes, strict=False)
    ]
    columns = {
        "day": days,
        "open": opens,
        "high": [max(pair) for pair in zip(opens, closes, strict=True)],
        "low": [min(pair) for pair in zip(opens, closes, strict=True)],
        "close": closes,
        "adj_close": closes,
        "volume": [1000 + n for n in range(len(days))],
    }
    return pl.DataFrame(columns, schema=BAR_SCHEMA)


def _splits(days: Sequence[date], splits: Sequence[Delayed]) -> pl.DataFrame:
    rows = [
        [days[s.place], s.ratio, 1.0] if s.ratio >= 1 else [days[s.place], 1.0, round(1 / s.ratio)]
        for s in splits
    ]
    return pl.DataFrame(rows, schema=SPLIT_SCHEMA, orient="row").sort("day")
