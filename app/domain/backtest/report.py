"""What is kept of a run, as JSON has it: figures, columns by session, trades, what stands beside.

NaN and the infinities are unknown. `equal_weight` is the mean return of the instruments that have
a price, each session anew: without costs and dividends.
"""

from __future__ import annotations

from dataclasses import asdict
from math import isfinite
from typing import Any, Final

import numpy as np
import polars as pl

from app.domain import performance
from app.domain.backtest.certificate import Certificate
from app.domain.backtest.engine import run_benchmarks
from app.domain.backtest.overfitting import Overfitting
from app.domain.backtest.result import BacktestResult
from app.domain.backtest.tape import Tape

Floats = np.ndarray[tuple[int], np.dtype[np.float64]]
MOST_DRAWDOWNS: Final = 10
GONE: Final = 5
"""Sessions without a price after which an instrument is told of that is still held."""


def report(result: BacktestResult, reference: pl.DataFrame | None = None) -> dict[str, Any]:
    """Everything about a run but its certificate and its over-fitting.

    `reference` is a series to compare with: `day`, `close`.
    """
    held = run_benchmarks(result.tape, result.setup)
    cash = float(result.setup.cash)
    curves = {"buy_and_hold": held.equity, "equal_weight": _equal_weight(result.tape, cash)}
    if reference is not None and reference.height:
        curves["benchmark"] = _follow(result.days, reference, cash)
    columns = {"equity": result.equity, "drawdown": result.drawdown, **curves}
    return {
        "figures": list_figures(result),
        "columns": {"time": _days(result.days)} | {n: _told(c) for n, c in columns.items()},
        "benchmarks": {name: _compare(result, curve) for name, curve in curves.items()},
        "monthly": result.monthly_returns.to_dict(as_series=False),
        "drawdowns": [_plain(asdict(one)) for one in result.drawdowns[:MOST_DRAWDOWNS]],
        "trips": _table(result.round_trips),
        "fills": _table(result.fills),
        "ended": _list_ended(result),
    }


def list_figures(result: BacktestResult) -> dict[str, Any]:
    """The figures of a run by name; money in `currency`."""
    return {
        "currency": result.currency,
        "first_day": result.days[0].isoformat(),
        "last_day": result.days[-1].isoformat(),
        "sessions": len(result.days),
        "final_equity": result.final_equity,
        **asdict(result.performance),
        "win_rate": result.win_rate,
        "profit_factor": result.profit_factor,
        "exposure": result.exposure,
        "turnover": result.turnover,
        "fees": result.fees,
        "taxes": result.taxes,
        "trades": len(result.trip_rows),
        "fills": len(result.fill_rows),
        "refused_shorts": result.refused_shorts,
    }


def dump_certificate(certificate: Certificate) -> dict[str, Any]:
    """A certificate as JSON has it."""
    leaks = [_plain(asdict(leak)) for leak in certificate.leaks]
    return {"cuts": certificate.cuts, "changed": certificate.changed, "leaks": leaks}


def dump_overfitting(found: Overfitting) -> dict[str, Any]:
    """What is left of the Sharpe ratio, as JSON has it."""
    return asdict(found)


def _list_ended(result: BacktestResult) -> dict[str, str]:
    """What is held at the end though its prices ended before, by symbol: the day of its last one.

    It was delisted or halted, and counts with its last close.
    """
    close, ended = result.tape.history.close, {}
    for column, symbol in enumerate(result.tape.symbols):
        bought = result.fill_rows[result.fill_rows[:, 1] == column, 0]
        sold = result.trip_rows[result.trip_rows[:, 0] == column, 2]
        if len(bought) and bought[-1] > max(sold, default=-1):
            last = int(np.flatnonzero(np.isfinite(close[:, column]))[-1])
            if last < len(close) - GONE:
                ended[symbol] = result.days[last].isoformat()
    return ended


def _equal_weight(tape: Tape, cash: float) -> Floats:
    close = tape.history.close
    filled = pl.DataFrame(close).fill_nan(None).fill_null(strategy="forward").to_numpy()
    with np.errstate(invalid="ignore"):
        change = filled[1:] / filled[:-1] - 1.0
    known = np.isfinite(change)
    count = np.maximum(known.sum(axis=1), 1)
    mean = np.where(known, change, 0.0).sum(axis=1) / count
    return np.concatenate(([cash], cash * np.cumprod(1.0 + mean)))


def _follow(days: pl.Series, reference: pl.DataFrame, cash: float) -> Floats:
    """What the capital would be if it went with the series; before its first day it stands."""
    joined = pl.DataFrame({"day": days}).join_asof(
        reference.drop_nulls("close").sort("day"), on="day", strategy="backward"
    )
    close = joined["close"].fill_null(strategy="backward").to_numpy()
    curve: Floats = cash * close / close[0]
    return curve


def _compare(result: BacktestResult, curve: Floats) -> dict[str, Any]:
    cash = float(result.setup.cash)
    told = performance.summarise(result.days, curve, cash)
    theirs = performance.compute_returns(curve, cash)
    alpha, beta = performance.alpha_beta(result.returns, theirs)
    return _plain({"final_equity": float(curve[-1]), **asdict(told), "alpha": alpha, "beta": beta})


def _days(days: pl.Series) -> list[str]:
    return days.dt.to_string("%Y-%m-%d").to_list()


def _told(values: Floats) -> list[float | None]:
    return [value if isfinite(value) else None for value in values.tolist()]


def _table(frame: pl.DataFrame) -> dict[str, list[Any]]:
    dated = [pl.col(n).dt.to_string("%Y-%m-%d") for n, t in frame.schema.items() if t == pl.Date]
    return frame.with_columns(dated).to_dict(as_series=False)


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    """Days as texts, numbers that are none as unknown."""
    return {name: _plain_value(value) for name, value in values.items()}


def _plain_value(value: Any) -> Any:
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return None if isinstance(value, float) and not isfinite(value) else value
