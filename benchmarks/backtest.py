"""Backtests beside their peers: identical trades, then CPU time, then a million of them.

`python -m benchmarks.backtest` compares trades and final equity with backtesting.py and vectorbt on
20 real instruments, three strategies and three sets of values (skipped loudly without the prices),
measures one run, 1,000 pairs of windows and 500 instruments beside raptorbt, vectorbt and
backtesting.py (group `bench`), and runs 10^6 backtests through `sweep`. It fails (exit code 1) when
a goal is missed.
Times are CPU times, medians of interleaved rounds; read the ratios.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, Final

import numpy as np
import polars as pl
from rich.console import Console

from app.domain.backtest.engine import play, run
from app.domain.backtest.grid import Grid
from app.domain.backtest.setup import Exits, Setup
from app.domain.backtest.stack import Stack
from app.domain.backtest.strategies import STRATEGIES, SmaCross
from app.domain.backtest.strategy import Values
from app.domain.backtest.surveying import survey
from app.domain.backtest.sweeping import sweep
from app.domain.backtest.tape import Tape, prepare
from app.domain.kernels.sweeping import ROUND_TRIPS
from app.domain.trading.costs import Commission, CostProfile
from benchmarks import peers

FEE: Final = 0.001
CASH: Final = 100_000.0
DAYS: Final = 2_520
TICKERS: Final = 20
CONSOLE: Final = Console()
PRICES: Final = Path(__file__).resolve().parents[2] / "shared" / "data" / "wide"
SETUP: Final = Setup(
    cash=Decimal(100_000),
    costs=CostProfile("bench", {"USD": Commission(Decimal(str(FEE)))}),
    taxed=False, rounded=False, ticks=False, limits=False, volume_cap=None,
)  # fmt: skip
CHOICES: Final[dict[str, list[Values]]] = {
    "sma_cross": [{"fast": 5, "slow": 20}, {"fast": 20, "slow": 60}, {"fast": 50, "slow": 200}],
    "rsi_reversion": [
        {"window": 2, "buy_below": 10.0},
        {"window": 14},
        {"window": 5, "sell_above": 70.0},
    ],
    "bollinger_breakout": [
        {"window": 20},
        {"window": 10, "width": 1.0},
        {"window": 50, "width": 1.5},
    ],
}


@dataclass
class Report:
    """What was measured against which goal."""

    missed: list[str] = field(default_factory=list)

    def say(self, what: str, value: float, goal: float, *, least: bool, unit: str = "") -> None:
        """Prints a line, and keeps it when the goal is missed."""
        met = value >= goal if least else value <= goal
        word = "met" if met else "MISSED"
        sign = ">=" if least else "<="
        CONSOLE.print(f"{what:<58} {value:>12,.4g}{unit}   goal {sign} {goal:g}{unit}   {word}")
        if not met:
            self.missed.append(what)


def walk(days: int, seed: int) -> pl.DataFrame:
    """A random walk as traded."""
    random = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(random.normal(0.0003, 0.015, days)))
    opened = close * np.exp(random.normal(0, 0.004, days))
    calendar = [date(2016, 1, 4) + timedelta(days=n + n // 5 * 2) for n in range(days)]
    return pl.DataFrame(
        {
            "symbol": "WALK", "day": calendar, "open": opened, "close": close,
            "high": np.maximum(opened, close) * 1.004, "low": np.minimum(opened, close) * 0.996,
            "volume": 1_000_000,
        }
    )  # fmt: skip


def real_tapes() -> list[Tape]:
    """Instruments without a split, so that the peers can trade them as they were traded."""
    path = PRICES / "bars_us_astraded_2016_2021.parquet"
    if not path.exists():
        return []
    bars = pl.read_parquet(path).rename({"ticker": "symbol", "date": "day"}, strict=False)
    split = bars.filter(pl.col("split") != 1)["symbol"].unique()
    whole = bars.filter(~pl.col("symbol").is_in(split.implode())).group_by("symbol").len()
    symbols = whole.filter(pl.col("len") == whole["len"].max())["symbol"].sort()[
        :: max(1, len(whole) // 60)
    ]
    parts = bars.filter(pl.col("symbol").is_in(symbols.implode())).partition_by("symbol")
    good = [p for p in parts if (p["volume"] > 0).all() and sound(p)]
    return [prepare(part) for part in good[:TICKERS]]


def sound(bars: pl.DataFrame) -> bool:
    """High and low hold the other prices."""
    low = pl.col("low") <= pl.min_horizontal("open", "close")
    return bool(
        bars.select((low & (pl.col("high") >= pl.max_horizontal("open", "close"))).all()).item()
    )


def columns_of(tape: Tape) -> dict[str, Any]:
    return {name: np.ascontiguousarray(values[:, 0]) for name, values in tape.prices.items()}


def compare(report: Report) -> None:
    """Trades and final equity of every choice on every instrument."""
    tapes = real_tapes()
    if not tapes:
        CONSOLE.print(f"[bold red]NO REAL PRICES: nothing compared, {PRICES.name} is absent")
        return
    for name in ("backtesting", "vectorbt"):
        if not peers.installed(name):
            CONSOLE.print(f"[bold red]{name} IS NOT INSTALLED: nothing compared with it")
            continue
        make = peers.backtesting_py if name == "backtesting" else peers.vectorbt
        worst, other, runs, trades = 0.0, 0, 0, 0
        for tape in tapes:
            for key, choices in CHOICES.items():
                for values in choices:
                    ours = run(tape, STRATEGIES[key], values, SETUP)
                    theirs, final = make(columns_of(tape), ours.decision.side[:, 0], CASH, FEE)()
                    mine = ours.trip_rows[:, [1, 2, 4, 5, 6]]
                    same = mine.shape == theirs.shape and np.allclose(
                        mine, theirs, rtol=1e-9, atol=0
                    )
                    other += not same
                    runs, trades = runs + 1, trades + len(theirs)
                    worst = max(worst, abs(ours.final_equity / final - 1))
        CONSOLE.print(f"{name}: {len(tapes)} instruments, {runs} runs, {trades:,} round trips")
        report.say(f"runs with other trades than {name}", other, 0, least=False)
        report.say(f"final equity beside {name}, relative", worst, 1e-9, least=False)


def measure(ways: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """CPU seconds of each way: medians of interleaved rounds."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            start = time.process_time()
            way()
            seconds[name].append(time.process_time() - start)
    return {name: median(values) for name, values in seconds.items()}


def call_all(calls: list[peers.Peer]) -> None:
    """One after the other."""
    for call in calls:
        call()


def beside(report: Report, what: str, found: dict[str, float], goals: dict[str, float]) -> None:
    for name, seconds in found.items():
        CONSOLE.print(f"{what}, {name}: {seconds * 1e3:,.3f} ms")
    for name, goal in goals.items():
        if name in found:
            report.say(
                f"{what}: times faster than {name}", found[name] / found["ours"], goal, least=True
            )


def one_run(report: Report) -> None:
    """One run of decided sides, as the peers are given them; and ours with the deciding."""
    tape = prepare(walk(DAYS, 1))
    values: Values = {"fast": 10, "slow": 50}
    decision = run(tape, SmaCross(), values, SETUP).decision
    sides, many = decision.side[:, 0], 200

    def ours() -> None:
        for _ in range(many):
            play(tape, "sma_cross", {}, SETUP, decision)

    def deciding() -> None:
        for _ in range(many):
            run(tape, SmaCross(), values, SETUP)

    ways: dict[str, Callable[[], object]] = {"ours": ours, "ours, signals too": deciding}
    found = measure(ways | _peers(tape, sides), 15)
    found |= {name: found[name] / many for name in ways}
    beside(report, "one run", found, {"raptorbt": 5, "vectorbt": 500})


def _peers(tape: Tape, sides: Any) -> dict[str, Callable[[], object]]:
    made: dict[str, Callable[[], object]] = {}
    makers = {
        "raptorbt": peers.raptorbt,
        "vectorbt": peers.vectorbt,
        "backtesting": peers.backtesting_py,
    }
    for name, make in makers.items():
        if peers.installed(name):
            made[name] = make(columns_of(tape), sides, CASH, FEE)
            made[name]()
        else:
            CONSOLE.print(f"[bold red]{name} IS NOT INSTALLED: not measured")
    return made


def cross(name: str, prices: dict[str, Any], fast: int, slow: int) -> peers.Peer:
    """An SMA cross from prices to equity by a peer: its averages, its trades."""
    make = getattr(peers, name)

    def call() -> peers.Outcome:
        outcome: peers.Outcome = make(
            prices, peers.decide(name, prices["close"], fast, slow), CASH, FEE
        )()
        return outcome

    return call


def thousand(report: Report) -> None:
    """1,000 pairs of windows: the peers run each, those that are slow 20 of them, times 50."""
    tape = prepare(walk(DAYS, 1))
    grid: Grid = {"fast": range(5, 25), "slow": range(30, 130, 2)}
    sweep(tape, SmaCross(), grid, SETUP)
    found = measure({"ours": lambda: sweep(tape, SmaCross(), grid, SETUP)}, 5)
    for name in ("raptorbt", "vectorbt"):
        if peers.installed(name):
            calls = [cross(name, columns_of(tape), fast, 60) for fast in range(5, 25)]
            found[name] = 50 * measure({name: partial(call_all, calls)}, 3)[name]
    beside(report, "1,000 pairs", found, {"raptorbt": 10, "vectorbt": 50})


def many_tickers(report: Report) -> None:
    """500 instruments, each by itself: a survey; vectorbt, which is slow, 20 of them, times 25.

    What as many whole runs take, with their fills, curves and decisions, is told beside it. The
    stack is at hand: putting it together, which one question has to pay, is not in the time.
    """
    tapes = [prepare(walk(DAYS, seed)) for seed in range(500)]
    values: Values = {"fast": 10, "slow": 50}

    stack = Stack(tapes)

    def ours() -> None:
        survey(stack, SmaCross(), values, SETUP)

    def whole() -> None:
        for tape in tapes:
            run(tape, SmaCross(), values, SETUP)

    ours()
    ways: dict[str, Callable[[], object]] = {"ours": ours, "whole runs of ours": whole}
    for name, count in (("raptorbt", 500), ("vectorbt", 20)):
        if peers.installed(name):
            calls = [cross(name, columns_of(tape), 10, 50) for tape in tapes[:count]]
            ways[name] = partial(call_all, calls)
    found = measure(ways, 5)
    if "vectorbt" in found:
        found["vectorbt"] *= 25
    beside(report, "500 instruments", found, {"raptorbt": 5, "vectorbt": 30})


def million(report: Report) -> None:
    """10^6 backtests with costs, through `sweep`."""
    tape = prepare(walk(DAYS, 1))
    stopped = replace(SETUP, exits=Exits(stop=0.05))
    grids: list[tuple[str, Grid, Setup, float]] = [
        ("sma_cross", {"fast": range(1, 1_415), "slow": range(2, 1_416)}, SETUP, 15),
        ("rsi_reversion", {"window": range(2, 102), "buy_below": np.linspace(5, 45, 100).tolist(),
                           "sell_above": np.linspace(50, 90, 100).tolist()}, stopped, 60),
        ("bollinger_breakout", {"window": range(5, 505), "width": np.linspace(0.5, 3, 2_000).tolist()},  # noqa: E501
         stopped, 60),
    ]  # fmt: skip
    for key, grid, setup, goal in grids:
        small = {name: values[:2] for name, values in grid.items()}
        sweep(tape, STRATEGIES[key], small, setup)
        start = time.process_time()
        found = sweep(tape, STRATEGIES[key], grid, setup)
        seconds = time.process_time() - start
        trips = float(found.summary[:, ROUND_TRIPS].mean())
        cells = len(found.places)
        CONSOLE.print(
            f"{key}: {cells:,} backtests, {trips:.1f} round trips each, {seconds:.2f} CPU s"
        )
        report.say(f"10^6 backtests, {key}", seconds / cells * 1e6, goal, least=False, unit=" s")


def main() -> int:
    """All parts, or those named; the exit code says whether a goal was missed."""
    parts = {
        "compare": compare,
        "one": one_run,
        "thousand": thousand,
        "tickers": many_tickers,
        "million": million,
    }
    report = Report()
    for name in sys.argv[1:] or parts:
        parts[name](report)
    for what in report.missed:
        CONSOLE.print(f"[bold red]missed: {what}")
    return bool(report.missed)


if __name__ == "__main__":
    sys.exit(main())
