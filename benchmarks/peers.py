"""Peers that run the same backtest: backtesting.py, vectorbt and raptorbt, each where installed.

All get the sides that our strategy decided, fill at the next open with a commission, buy whole
shares for all cash, and keep the last position. What they return has one form: round trips as rows
of (entry bar, exit bar, quantity, entry price, exit price), and the equity at the last close.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np

Numbers = np.ndarray[Any, Any]
Outcome = tuple[Numbers, float]
Peer = Callable[[], Outcome]


def installed(name: str) -> bool:
    """Whether the peer can be imported."""
    return find_spec(name) is not None


def changes(side: Numbers) -> tuple[Numbers, Numbers]:
    """Where a position is wanted from, and where no more."""
    before = np.concatenate(([0], side[:-1]))
    return (side == 1) & (before != 1), (side != 1) & (before == 1)


def decide(name: str, close: Numbers, fast: int, slow: int) -> Numbers:
    """The sides of an SMA cross, by the peer's own averages."""
    module = importlib.import_module(name)
    if name == "vectorbt":
        first, second = (module.MA.run(close, n).ma.to_numpy() for n in (fast, slow))
    else:
        first, second = (np.asarray(module.sma(close, n)) for n in (fast, slow))
    with np.errstate(invalid="ignore"):
        side: Numbers = (first > second).astype(np.int8)
    return side


def backtesting_py(prices: dict[str, Numbers], side: Numbers, cash: float, fee: float) -> Peer:
    """backtesting.py, prepared to run."""
    with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        module, pandas = importlib.import_module("backtesting"), importlib.import_module("pandas")
    names = ("open", "high", "low", "close")
    days = pandas.date_range("2010-01-01", periods=len(side))
    frame = pandas.DataFrame({name.title(): prices[name] for name in names}, index=days)
    entries, exits = changes(side)

    class Sides(module.Strategy):  # type: ignore[name-defined, misc]
        def init(self) -> None:
            pass

        def next(self) -> None:
            i = len(self.data) - 1
            if entries[i]:
                self.buy()
            elif exits[i]:
                self.position.close()

    def call() -> Outcome:
        with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            got = module.Backtest(frame, Sides, cash=cash, commission=fee).run()
        trades = got["_trades"]
        columns = ["EntryBar", "ExitBar", "Size", "EntryPrice", "ExitPrice"]
        return trades[columns].to_numpy(dtype=float), float(got["_equity_curve"]["Equity"].iloc[-1])

    return call


def vectorbt(prices: dict[str, Numbers], side: Numbers, cash: float, fee: float) -> Peer:
    """vectorbt, prepared to run."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = importlib.import_module("vectorbt")
    entries, exits = (np.concatenate(([False], one[:-1])) for one in changes(side))

    def call() -> Outcome:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            got = module.Portfolio.from_signals(
                prices["close"], entries, exits, price=prices["open"], fees=fee, init_cash=cash,
                size=np.inf, size_granularity=1, freq="1D",
            )  # fmt: skip
            trades = got.trades.records
        closed = trades[trades["status"] == 1]
        columns = ["entry_idx", "exit_idx", "size", "entry_price", "exit_price"]
        return closed[columns].to_numpy(dtype=float), float(np.asarray(got.value())[-1])

    return call


def raptorbt(prices: dict[str, Numbers], side: Numbers, cash: float, fee: float) -> Peer:
    """raptorbt, prepared to run: speed alone, its engine fills and sizes by rules of its own."""
    module = importlib.import_module("raptorbt")
    entries, exits = changes(side)
    stamps = np.arange(len(side), dtype=np.int64) * 86_400_000_000_000
    columns = [prices[name] for name in ("open", "high", "low", "close", "volume")]
    config = module.BacktestConfig(initial_capital=cash, fees=fee, upon_bar_close=False)

    def call() -> Outcome:
        got = module.run_single_backtest(stamps, *columns, entries, exits, 1, 1.0, "A", config)
        return np.empty((0, 5)), float(np.asarray(got.equity_curve())[-1])

    return call
