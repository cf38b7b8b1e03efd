"""The history a strategy sees: prices up to a session, adjusted forward.

Adjusted forward means: in shares of the first session. The price of a session is as traded times
the product of the splits up to it, so a later split changes nothing that was seen before, to the
last bit; ratios, averages and oscillators are those of prices adjusted backward. A price as traded
is not seen: a level in money means nothing across a split.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Any, NamedTuple, TypeVar

import numpy as np
import polars as pl

from app.domain.alignment import KNOWN_AT

Floats = np.ndarray[tuple[int], np.dtype[np.float64]]
Table = np.ndarray[tuple[int, int], np.dtype[np.float64]]

Numbers = TypeVar("Numbers", bound=np.ndarray[Any, Any])


class Dividend(NamedTuple):
    """Who holds at the open of session `bar` gets `amount` a share as traded.

    It is known at the close of `declared` and paid at `paid`; both may lie behind the last session.
    """

    bar: int
    column: int
    amount: float
    declared: int
    paid: int


def lock(values: Numbers) -> Numbers:
    """The same values, which nobody can write to from here."""
    view = values.view()
    view.flags.writeable = False
    return view


@lru_cache(maxsize=8)
def _fill(shape: tuple[int, int], value: float) -> Table:
    return np.full(shape, value)


@dataclass(frozen=True, eq=False)
class History:
    """Sessions x instruments; NaN where there was no price. Tables cannot be written to.

    `dividends` are those that were declared. `references` are series of other markets or facts of
    companies, each with `known_at`: at the close of a session only rows known by then are here
    (`closes_at`, UTC).
    """

    symbols: tuple[str, ...]
    days: pl.Series
    open: Table
    high: Table
    low: Table
    close: Table
    volume: Table
    dividends: tuple[Dividend, ...] = ()
    closes_at: pl.Series | None = None
    references: Mapping[str, pl.DataFrame] = field(default_factory=dict)

    @property
    def shape(self) -> tuple[int, int]:
        """Sessions and instruments."""
        return self.close.shape

    @cached_property
    def seen(self) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
        """Where there is a close."""
        return np.isfinite(self.close)

    @cached_property
    def whole(self) -> bool:
        """Whether every instrument has a close in every session."""
        return bool(self.seen.all())

    @cached_property
    def columns(self) -> list[tuple[Floats, Floats, Floats]]:
        """Of each instrument the highs, lows and closes of the sessions that have a close."""

        def column(table: Table, k: int) -> Floats:
            return lock(
                np.ascontiguousarray(table[:, k] if self.whole else table[self.seen[:, k], k])
            )

        tables = self.high, self.low, self.close
        made = ([column(table, k) for table in tables] for k in range(len(self.symbols)))
        return [(high, low, close) for high, low, close in made]

    def fill(self, value: float) -> Table:
        """A table of one value everywhere; made once, also for other histories of this shape."""
        return _fill(self.shape, value)

    def until(self, stop: int) -> History:
        """What was known at the close of session stop - 1."""
        references = self.references
        if self.closes_at is not None and stop:
            now = self.closes_at[stop - 1]
            references = {
                name: frame.filter(pl.col(KNOWN_AT) <= now)
                for name, frame in self.references.items()
            }
        return replace(
            self,
            days=self.days[:stop],
            open=self.open[:stop],
            high=self.high[:stop],
            low=self.low[:stop],
            close=self.close[:stop],
            volume=self.volume[:stop],
            dividends=tuple(one for one in self.dividends if one.declared < stop),
            closes_at=None if self.closes_at is None else self.closes_at[:stop],
            references=references,
        )

    @cached_property
    def frame(self) -> pl.DataFrame:
        """The same as a long frame by symbol and day: rows with a close, `volume` in shares."""
        parts = []
        for k, symbol in enumerate(self.symbols):
            columns = {
                name: pl.Series(
                    name, np.ascontiguousarray(getattr(self, name)[:, k]), nan_to_null=True
                )
                for name in ("open", "high", "low", "close", "volume")
            }
            parts.append(
                pl.DataFrame({"day": self.days, **columns})
                .with_columns(pl.lit(symbol).alias("symbol"))
                .drop_nulls("close")
            )
        return pl.concat(parts).select("symbol", "day", "open", "high", "low", "close", "volume")

    def spread(self, frame: pl.DataFrame, column: str) -> Table:
        """A column of a long frame with `symbol` and `day` as a table of sessions x instruments."""
        rows = np.searchsorted(self.days.to_numpy(), frame["day"].to_numpy())
        columns = np.searchsorted(np.array(self.symbols), frame["symbol"].to_numpy())
        table = np.full(self.shape, np.nan)
        table[rows, columns] = frame[column].cast(pl.Float64).fill_null(np.nan).to_numpy()
        return table
