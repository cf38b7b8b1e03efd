"""Statistics of an equity curve: risk, reward and drawdowns of a row of simple returns per session.

Every figure names its convention, because libraries that share a word do not share a number. N is
252 sessions a year, also for Korea; a return is equity / equity before - 1 on every session, flat
ones too, the first against the starting capital. Sharpe, Sortino, Calmar, volatility, alpha and
beta are those of empyrical:

- Sharpe = mean(r - rf / N) / std(r - rf / N, ddof 1) * √N; no number when nothing varies.
- Sortino = mean(r - mar) / √mean(min(r - mar, 0)²) * √N over all returns; inf without a loss.
- CAGR = (product of 1 + r)^(N / n) - 1, and by calendar: (end / start)^(365.25 / days) - 1.
- Calmar = CAGR (N / n) / |maximum drawdown|; no number without a drawdown.
- Volatility = std(r, ddof 1) * √N.
- Beta = cov(r, b) / var(b); alpha = (1 + mean(r - rf / N - beta * (b - rf / N)))^N - 1.
- Drawdown = compounded equity / its highest so far - 1, the starting capital being the first peak.

NaN stands for "no number". Nothing here knows where a curve comes from.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import polars as pl

from app.errors import BadInput

SESSIONS_A_YEAR: Final = 252
DAYS_A_YEAR: Final = 365.25
ENOUGH: Final = 20
"""Below so many returns a ratio says nothing, and `summarise` leaves it out."""

_NOISE: Final = 1e-12  # relative; what is left of a constant after a mean was taken off

Floats = np.ndarray[tuple[int], np.dtype[np.float64]]


@dataclass(frozen=True, slots=True)
class Drawdown:
    """A fall from a peak until equity is back; `recovered` is None while it is not."""

    depth: float  # below zero
    peak: date
    trough: date
    recovered: date | None


@dataclass(frozen=True, slots=True)
class Performance:
    """The statistics of one curve; None where there is no number, or fewer than ENOUGH returns."""

    roi: float  # end / start - 1
    cagr: float | None  # N / n
    cagr_calendar: float | None  # 365.25 / days
    volatility: float | None
    sharpe_ratio: float | None
    sortino_ratio: float | None
    calmar_ratio: float | None
    max_drawdown: float  # zero or below


def compute_returns(equity: Floats, start: float) -> Floats:
    """Simple returns of each session; the first against the starting capital."""
    before = np.concatenate(([start], equity[:-1]))
    return equity / before - 1.0


def summarise(
    days: pl.Series, equity: Floats, start: float, *, risk_free: float = 0.0
) -> Performance:
    """The statistics of equity at the close of each day, from a starting capital before the first.

    Raises:
        BadInput: no days, days and equity of different lengths, or a capital not above zero.
    """
    check_curve(days, equity, start)
    returns = compute_returns(equity, start)
    enough = len(returns) >= ENOUGH

    def told(value: float) -> float | None:
        return value if enough and np.isfinite(value) else None

    return Performance(
        roi=float(equity[-1] / start - 1.0),
        cagr=told(cagr(returns)),
        cagr_calendar=told(cagr_calendar(start, float(equity[-1]), days[0], days[-1])),
        volatility=told(volatility(returns)),
        sharpe_ratio=told(sharpe_ratio(returns, risk_free=risk_free)),
        sortino_ratio=told(sortino_ratio(returns)),
        calmar_ratio=told(calmar_ratio(returns)),
        max_drawdown=max_drawdown(returns),
    )


def check_curve(days: pl.Series, equity: Floats, start: float) -> None:
    """Refuses what is no equity curve.

    Raises:
        BadInput: no days, days and equity of different lengths, or a capital not above zero.
    """
    if not len(days) or len(days) != len(equity):
        message = "The curve has %(days)s days and %(values)s values; it needs as many of both"
        raise BadInput(message, field="equity", days=len(days), values=len(equity))
    if not start > 0:
        message = "The starting capital is %(start)s; it must be above zero"
        raise BadInput(message, field="cash", start=start)


def sharpe_ratio(returns: Floats, *, risk_free: float = 0.0, periods: float = 252) -> float:
    """Sharpe ratio a year; `risk_free` is a yearly rate, taken off evenly."""
    excess = returns - risk_free / periods
    spread = float(np.std(excess, ddof=1)) if len(excess) > 1 else 0.0
    if spread <= _NOISE * float(np.max(np.abs(excess), initial=0.0)):
        return np.nan
    return _mean(excess) / spread * float(np.sqrt(periods))


def sortino_ratio(returns: Floats, *, mar: float = 0.0, periods: float = 252) -> float:
    """Sortino ratio a year over all returns; `mar` is the least acceptable return of a session."""
    if len(returns) < 2:
        return np.nan
    excess = returns - mar
    downside = float(np.sqrt(np.mean(np.minimum(excess, 0.0) ** 2)))
    return _ratio(_mean(excess), downside) * float(np.sqrt(periods))


def volatility(returns: Floats, *, periods: float = 252) -> float:
    """Standard deviation of returns (ddof 1) a year."""
    return float(np.std(returns, ddof=1) * np.sqrt(periods)) if len(returns) > 1 else np.nan


def cagr(returns: Floats, *, periods: float = 252) -> float:
    """Growth a year by sessions: n returns are n / `periods` years; -1 when all is lost."""
    if not len(returns):
        return np.nan
    end = float(np.prod(1.0 + returns))
    return end ** (periods / len(returns)) - 1.0 if end > 0 else -1.0


def cagr_calendar(start: float, end: float, first: date, last: date) -> float:
    """Growth a year by calendar days between two days; -1 when all is lost."""
    years = (last - first).days / DAYS_A_YEAR
    if not years:
        return np.nan
    return (end / start) ** (1.0 / years) - 1.0 if end > 0 else -1.0


def calmar_ratio(returns: Floats, *, periods: float = 252) -> float:
    """Growth a year by sessions for each unit of the maximum drawdown."""
    deepest = max_drawdown(returns)
    return cagr(returns, periods=periods) / -deepest if deepest < 0 else np.nan


def drawdown_curve(returns: Floats) -> Floats:
    """Compounded equity below its highest so far, zero or below, by session."""
    wealth = np.cumprod(1.0 + returns)
    return wealth / np.maximum.accumulate(np.maximum(wealth, 1.0)) - 1.0


def max_drawdown(returns: Floats) -> float:
    """The deepest drawdown, zero or below; a loss of the first session counts."""
    return float(drawdown_curve(returns).min()) if len(returns) else 0.0


def list_drawdowns(days: pl.Series, returns: Floats, *, first: int | None = None) -> list[Drawdown]:
    """The drawdowns, deepest first; `peak` is the last day at the highest, or the first day."""
    curve = drawdown_curve(returns)
    under = np.concatenate(([0], curve < 0, [0])).astype(np.int8)
    starts = np.flatnonzero(np.diff(under) == 1)
    stops = np.flatnonzero(np.diff(under) == -1)
    found = []
    for a, b in zip(starts.tolist(), stops.tolist(), strict=True):
        trough = a + int(curve[a:b].argmin())
        recovered = days[b] if b < len(days) else None
        found.append(Drawdown(float(curve[trough]), days[max(a - 1, 0)], days[trough], recovered))
    return sorted(found, key=lambda one: one.depth)[:first]


def alpha_beta(
    returns: Floats, benchmark: Floats, *, risk_free: float = 0.0, periods: float = 252
) -> tuple[float, float]:
    """Alpha a year and beta against a benchmark's returns of the same sessions.

    Raises:
        BadInput: the two are of different lengths.
    """
    if len(returns) != len(benchmark):
        message = "The curve has %(ours)s returns and its benchmark %(theirs)s"
        raise BadInput(message, field="benchmark", ours=len(returns), theirs=len(benchmark))
    if len(returns) < 2:
        return np.nan, np.nan
    ours, theirs = returns - risk_free / periods, benchmark - risk_free / periods
    about = theirs - theirs.mean()
    beta = _ratio(float(np.mean(about * ours)), float(np.mean(about * about)))
    alpha = (1.0 + _mean(ours - beta * theirs)) ** periods - 1.0
    return float(alpha), beta


def monthly_returns(days: pl.Series, returns: Floats) -> pl.DataFrame:
    """Compounded returns by month, in order: `year`, `month`, `return`."""
    frame = pl.DataFrame({"day": days, "return": returns})
    return frame.group_by(
        pl.col("day").dt.year().alias("year"),
        pl.col("day").dt.month().alias("month"),
        maintain_order=True,
    ).agg(((1.0 + pl.col("return")).product() - 1.0).alias("return"))


def win_rate(profits: Floats) -> float:
    """The part of closed round trips that made money after costs."""
    return float(np.mean(profits > 0)) if len(profits) else np.nan


def profit_factor(profits: Floats) -> float:
    """What the winning round trips made for each unit that the losing ones lost; inf without."""
    if not len(profits):
        return np.nan
    return _ratio(float(profits[profits > 0].sum()), float(-profits[profits < 0].sum()))


def turnover(traded: float, equity: Floats, *, periods: float = 252) -> float:
    """Value bought and sold in a year, halved, as a part of the mean equity."""
    if not len(equity):
        return np.nan
    return _ratio(traded / 2.0, float(np.mean(equity))) * periods / len(equity)


def _mean(values: Floats) -> float:
    return float(np.mean(values)) if len(values) else np.nan


def _ratio(part: float, whole: float) -> float:
    """A part of a whole: inf for something of nothing, NaN for nothing of nothing."""
    if whole:
        return part / whole
    return float(np.copysign(np.inf, part)) if part else np.nan
