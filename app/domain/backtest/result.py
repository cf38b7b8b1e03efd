"""The result of a backtest: fills, round trips and equity as they came, figures when asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any, Final

import numpy as np
import polars as pl

from app.domain import performance
from app.domain.backtest.setup import FILL_RULES, Fill, Setup
from app.domain.backtest.strategy import Decision, Value
from app.domain.backtest.tape import Tape
from app.domain.kernels import account as kernel
from app.domain.performance import Drawdown, Performance

Floats = np.ndarray[tuple[int], np.dtype[np.float64]]
REASONS: Final = ("SIGNAL", "STOP", "TARGET", "TRAILING_STOP", "SPLIT")


@dataclass(eq=False)  # `frozen` takes as long as a tenth of the bar loop
class BacktestResult:
    """One run, not to be changed. `equity` is that of each session's close; money in `currency`."""

    strategy: str
    values: Mapping[str, Value]
    setup: Setup
    currency: str
    tape: Tape
    decision: Decision
    size: np.ndarray[tuple[int, int], np.dtype[np.float64]]
    equity: Floats
    fill_rows: np.ndarray[Any, Any]
    trip_rows: np.ndarray[Any, Any]
    account: Floats
    shortable: tuple[bool, ...]

    @cached_property
    def refused_shorts(self) -> int:
        """How often a short was wanted where there are none."""
        side = self.decision.side
        begins = (np.diff(side, axis=0, prepend=0) != 0) & (side < 0)
        return int((begins & ~np.array(self.shortable)).sum())

    @property
    def days(self) -> pl.Series:
        """The sessions."""
        return self.tape.days

    @property
    def final_equity(self) -> float:
        """Cash, receivables and positions at the last close, positions not sold."""
        return float(self.equity[-1])

    @property
    def fees(self) -> float:
        """Commissions and fees of exchanges and authorities."""
        return float(self.account[kernel.FEES])

    @property
    def taxes(self) -> float:
        """Taxes on sales."""
        return float(self.account[kernel.TAXES])

    @property
    def exposure(self) -> float:
        """The part of the sessions that closed with a position."""
        return float(self.account[kernel.EXPOSED]) / len(self.equity)

    @property
    def turnover(self) -> float | None:
        """Value traded in a year, both sides halved, as a part of the mean equity."""
        return _told(performance.turnover(float(self.account[kernel.TRADED]), self.equity))

    @cached_property
    def fills(self) -> pl.DataFrame:
        """Every fill; a quantity below zero was sold, `price` is as traded, `cash` afterwards."""
        rows = self.fill_rows
        return pl.DataFrame(
            {
                "day": self._days_of(rows[:, 0]),
                "symbol": self._symbols_of(rows[:, 1]),
                **{
                    n: rows[:, i]
                    for i, n in ((2, "quantity"), (3, "price"), (4, "fee"), (5, "tax"))
                },
                "reason": _reasons(rows[:, 6]),
                "cash": rows[:, 7],
            }
        )

    @cached_property
    def round_trips(self) -> pl.DataFrame:
        """From nothing held to nothing held.

        Prices are means in shares of the last day; `profit` is after costs, with dividends and what
        the loan of a short cost.
        """
        rows = self.trip_rows
        numbers = (
            (4, "quantity"),
            (5, "entry_price"),
            (6, "exit_price"),
            (7, "profit"),
            (8, "costs"),
        )
        return pl.DataFrame(
            {
                "symbol": self._symbols_of(rows[:, 0]),
                "opened": self._days_of(rows[:, 1]),
                "closed": self._days_of(rows[:, 2]),
                "direction": np.where(rows[:, 3] > 0, "LONG", "SHORT"),
                **{name: rows[:, i] for i, name in numbers},
                "reason": _reasons(rows[:, 9]),
            }
        )

    @cached_property
    def returns(self) -> Floats:
        """Returns of equity by session."""
        return performance.compute_returns(self.equity, float(self.setup.cash))

    @cached_property
    def performance(self) -> Performance:
        """The statistics of the equity curve."""
        return performance.summarise(self.days, self.equity, float(self.setup.cash))

    @cached_property
    def drawdown(self) -> Floats:
        """Equity below its highest so far, by session."""
        return performance.drawdown_curve(self.returns)

    @cached_property
    def drawdowns(self) -> list[Drawdown]:
        """Drawdowns with their days, deepest first."""
        return performance.list_drawdowns(self.days, self.returns)

    @cached_property
    def monthly_returns(self) -> pl.DataFrame:
        """`year`, `month`, `return`."""
        return performance.monthly_returns(self.days, self.returns)

    @property
    def win_rate(self) -> float | None:
        """The part of round trips that made money."""
        return _told(performance.win_rate(self.trip_rows[:, 7]))

    @property
    def profit_factor(self) -> float | None:
        """What winners made for each unit that losers lost."""
        return _told(performance.profit_factor(self.trip_rows[:, 7]))

    def compare(self, benchmark: BacktestResult) -> tuple[float | None, float | None]:
        """Alpha a year and beta against another result of the same sessions."""
        alpha, beta = performance.alpha_beta(self.returns, benchmark.returns)
        return _told(alpha), _told(beta)

    @property
    def fill_rule(self) -> str:
        """The rule by which orders were filled, in a sentence for the reader."""
        return FILL_RULES[Fill(self.setup.fill)]

    def _days_of(self, bars: Floats) -> pl.Series:
        return self.days.gather(bars.astype(np.int64))

    def _symbols_of(self, columns: Floats) -> list[str]:
        return [self.tape.symbols[k] for k in columns.astype(np.int64)]


def warn_of_survivors(universe_day: date | None, first: date) -> str | None:
    """A warning when a universe was chosen after the test begins (None: today's list)."""
    if universe_day is not None and universe_day <= first:
        return None
    return (
        "The instruments were chosen with hindsight: those that were delisted since are missing,"
        " which flatters every figure."
    )


def _reasons(rows: Floats) -> list[str]:
    return [REASONS[int(reason)] for reason in rows]


def _told(value: float) -> float | None:
    return value if np.isfinite(value) else None
