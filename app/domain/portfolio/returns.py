"""Three returns side by side, each with its definition, and the statistics of the unit value.

- Simple: (value + paid out - paid in) / paid in.
- Time-weighted (TWR): the growth of a unit, whatever was paid in and out. Money paid in counts from
  the start of its day, money paid out until its end: return of a day = (value + out) / (value
  before + in) - 1, and 0 on a day without anything invested. So what comes after everything was
  sold and drawn (a dividend) cannot be a loss of 100 %.
- Money-weighted (XIRR): see `xirr`.

A fee lowers each of them and a dividend raises it, for both are in the value.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from app.domain import performance
from app.domain.portfolio.xirr import Xirr, compute_xirr
from app.errors import BadInput

Floats = np.ndarray[tuple[int], np.dtype[np.float64]]


@dataclass(frozen=True, slots=True)
class Returns:
    """Parts of one: 0.1 is 10 %. None: there is no number, or too few sessions for one.

    `twr` is of the whole time; `cagr` is the same a year, by calendar (365.25 days).
    """

    simple: float | None
    twr: float | None
    xirr: Xirr
    cagr: float | None
    volatility: float | None
    sharpe_ratio: float | None
    sortino_ratio: float | None
    max_drawdown: float | None


def simple_return(value: float, paid_in: float, paid_out: float) -> float | None:
    """What was made of the money paid in; None when there was none."""
    return (value + paid_out - paid_in) / paid_in if paid_in > 0 else None


def unit_returns(value: Floats, paid_in: Floats, paid_out: Floats) -> Floats:
    """The return of each day from values at its close and the money of the day.

    The value before the first day is 0.
    """
    before = np.concatenate(([0.0], value[:-1])) + paid_in
    after = value + paid_out
    grown = np.divide(after, before, out=np.ones_like(after), where=before > 0.0)
    return np.asarray(grown - 1.0, dtype=np.float64)


def unit_values(returns: Floats) -> Floats:
    """The value of a unit at each close; 1 before the first day."""
    return np.asarray(np.cumprod(1.0 + returns), dtype=np.float64)


def measure(equity: pl.DataFrame, *, risk_free: float = 0.0) -> Returns:
    """The returns of daily equity: columns `day`, `value`, `paid_in`, `paid_out`, in order of day.

    Volatility and the ratios are those of `performance`, from the days of the unit's value; days
    before anything was paid in are left out.

    Raises:
        BadInput: a value or payment is missing.
    """
    check_complete(equity)
    equity = equity.filter((pl.col("paid_in").cum_sum() > 0) | (pl.col("value") > 0))
    if equity.is_empty():
        return Returns(None, None, compute_xirr([]), None, None, None, None, None)
    value, paid_in, paid_out = (
        equity[name].to_numpy() for name in ("value", "paid_in", "paid_out")
    )
    returns = unit_returns(value, paid_in, paid_out)
    units = unit_values(returns)
    days: pl.Series = equity["day"]
    told = performance.summarise(days, units, 1.0, risk_free=risk_free)
    return Returns(
        simple=simple_return(float(value[-1]), float(paid_in.sum()), float(paid_out.sum())),
        twr=float(units[-1] - 1.0),
        xirr=compute_xirr(payments(days.to_list(), value, paid_in, paid_out)),
        cagr=told.cagr_calendar,
        volatility=told.volatility,
        sharpe_ratio=told.sharpe_ratio,
        sortino_ratio=told.sortino_ratio,
        max_drawdown=told.max_drawdown,
    )


def payments(
    days: list[date], value: Floats, paid_in: Floats, paid_out: Floats
) -> list[tuple[date, float]]:
    """The payments of XIRR: what went in and out, and at last the value as if it were drawn."""
    net = zip(days, (paid_out - paid_in).tolist(), strict=True)
    moved = [(day, amount) for day, amount in net if amount]
    return [*moved, (days[-1], float(value[-1]))]


def check_complete(equity: pl.DataFrame) -> None:
    """Refuses equity of which a day is not known.

    Raises:
        BadInput: names the first such day.
    """
    unknown = equity.filter(pl.any_horizontal(pl.col("value", "paid_in", "paid_out").is_null()))
    if not unknown.is_empty():
        message = "The portfolio has no value on %(day)s: a price or a rate is missing"
        raise BadInput(message, field="equity", day=unknown["day"][0])
