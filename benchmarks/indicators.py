"""The twelve daily indicators beside their peers: CPU time, medians of interleaved rounds.

`python -m benchmarks.indicators` measures `compute_daily` and the compiled loop under it beside
TA-Lib per ticker, polars-talib, vectorbt and a loop that moves the same memory and computes
nothing. TA-Lib gets sorted arrays without gaps, made beforehand (its results thrown away, so that
it has its memory reused as our loop has, or kept), and, beside `compute_daily`, the same frame.
polars-talib and vectorbt are optional (group `bench`).
"""

from __future__ import annotations

import argparse
import importlib
import itertools
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from importlib.util import find_spec
from statistics import median
from typing import Any, Final

import numpy as np
import polars as pl
import talib
from numba import njit
from rich.console import Console
from rich.table import Table

from app.domain.indicator_columns import INDICATOR_COLUMNS
from app.domain.indicators import compute_daily, warm_up
from app.domain.kernels.indicators import RESULTS, Bars, compute_all, make_room
from app.domain.memory import lend

DAYS: Final = 2_520
TAIL: Final = 501
GAPS: Final = 0.01
MANY: Final = 2_000  # tickers whose results no processor keeps near
CONSOLE: Final = Console()

Floats = np.ndarray[Any, np.dtype[np.float64]]
Part = list[Floats]


@dataclass(frozen=True)
class Goal:
    """One line: how many times faster (by CPU time) than its peer a way has to be."""

    way: str
    peer: str
    ratio: float


@dataclass
class Bench:
    """A panel of `tickers`, the ways to measure on it, and the CPU seconds of each round."""

    tickers: int
    ways: dict[str, Callable[[], object]] = field(default_factory=dict)
    goals: list[Goal] = field(default_factory=list)
    seconds: dict[str, list[float]] = field(default_factory=dict)


def make_bars(tickers: int, days: int) -> pl.DataFrame:
    """Random walks by symbol and day, without gaps."""
    random = np.random.default_rng(1)
    close = 100 * np.exp(np.cumsum(random.normal(0, 0.02, (tickers, days)), axis=1))
    high = close * (1 + np.abs(random.normal(0, 0.01, close.shape)))
    low = close * (1 - np.abs(random.normal(0, 0.01, close.shape)))
    calendar = [date(2016, 1, 4) + timedelta(days=n + n // 5 * 2) for n in range(days)]
    symbols = pl.Series([f"{number:06d}.KS" for number in range(tickers)])
    return pl.DataFrame(
        {
            "symbol": symbols.gather(np.repeat(np.arange(tickers), days)),
            "day": pl.concat([pl.Series(calendar)] * tickers),
            "open": close.ravel(),
            "high": high.ravel(),
            "low": low.ravel(),
            "close": close.ravel(),
            "volume": pl.repeat(1_000, tickers * days, dtype=pl.Int64, eager=True),
        }
    )


def with_gaps(bars: pl.DataFrame) -> pl.DataFrame:
    """One session in a hundred without prices."""
    gap = pl.Series(np.random.default_rng(2).random(bars.height) < GAPS)
    prices = ("open", "high", "low", "close")
    return bars.with_columns(pl.when(~gap).then(name).alias(name) for name in prices)


def split_up(bars: pl.DataFrame) -> list[Part]:
    """High, low and close of each symbol: what TA-Lib is given."""
    parts = bars.drop_nulls("close").partition_by("symbol", maintain_order=True)
    return [[one[name].to_numpy().copy() for name in ("high", "low", "close")] for one in parts]


def talib_one(part: Part) -> tuple[Floats, ...]:
    """All columns of one symbol by TA-Lib, in the order of INDICATOR_COLUMNS."""
    high, low, close = part
    return (
        talib.RSI(close, 14),
        *talib.MACD(close, 12, 26, 9),
        *talib.STOCH(high, low, close, fastk_period=14, slowk_period=3, slowd_period=3),
        *(talib.SMA(close, n) for n in (20, 50, 200)),
        *talib.BBANDS(close, 20, 2.0, 2.0),
    )


def talib_thrown_away(parts: list[Part]) -> None:
    for part in parts:
        talib_one(part)


def talib_frame(bars: pl.DataFrame) -> pl.DataFrame:
    """TA-Lib from frame to frame: observed rows by symbol and day, computed, put back in order."""
    seen = np.flatnonzero(bars["close"].is_not_null().to_numpy())
    codes = bars["symbol"].cast(pl.Categorical).to_physical().to_numpy()[seen].astype(np.int64)
    keys = codes << 32 | bars["day"].to_physical().to_numpy()[seen]
    order = np.argsort(keys)
    rows, codes = seen[order], codes[order]
    prices = [bars[name].to_numpy()[rows] for name in ("high", "low", "close")]
    results = np.full((len(INDICATOR_COLUMNS), bars.height), np.nan)
    bounds = [0, *np.flatnonzero(np.diff(codes)) + 1, len(rows)]
    for a, b in itertools.pairwise(bounds):
        for result, values in zip(results, talib_one([p[a:b] for p in prices]), strict=True):
            result[rows[a:b]] = values
    columns = zip(INDICATOR_COLUMNS, results, strict=True)
    made = [pl.Series(name, values, nan_to_null=True) for name, values in columns]
    return bars.select("symbol", "day", *made)


@njit(nogil=True)
def move_memory(high: Floats, low: Floats, close: Floats, out: Any) -> None:
    """Reads and writes what the loop reads and writes, and computes nothing."""
    for i in range(len(close)):
        for k in range(0, 9, 3):
            out[k, i], out[k + 1, i], out[k + 2, i] = high[i], low[i], close[i]
        out[9, i], out[10, i] = high[i], low[i]


def polars_talib_form(bars: pl.DataFrame) -> Callable[[], object] | None:
    """polars-talib in its best form, group_by on sorted rows; None where it is not installed."""
    if find_spec("polars_talib") is None:
        return None
    plta = importlib.import_module("polars_talib")
    close = pl.col("close")
    macd = plta.macd(close, 12, 26, 9)
    slow = plta.stoch(pl.col("high"), pl.col("low"), close, 14, 3, 0, 3, 0)
    bands = plta.bbands(close, 20, 2.0, 2.0)
    wanted = [
        plta.rsi(close, 14).alias("rsi"),
        macd.alias("macd"),
        slow.alias("stochastic"),
        *(plta.sma(close, n).alias(f"sma_{n}") for n in (20, 50, 200)),
        bands.alias("bollinger"),
    ]
    return lambda: bars.lazy().group_by("symbol", maintain_order=True).agg(wanted).collect()


def vectorbt_form(bars: pl.DataFrame, tickers: int) -> Callable[[], object] | None:
    """Wide frames in vectorbt; None where it is not installed."""
    if find_spec("vectorbt") is None:
        return None
    vbt, pandas = importlib.import_module("vectorbt"), importlib.import_module("pandas")
    high, low, close = (
        pandas.DataFrame(bars[name].to_numpy().reshape(tickers, -1).T.copy())
        for name in ("high", "low", "close")
    )

    def run() -> None:
        vbt.RSI.run(close, 14, ewm=False)
        vbt.MACD.run(close, 12, 26, 9)
        vbt.STOCH.run(high, low, close, 14, 3)
        for n in (20, 50, 200):
            vbt.MA.run(close, n)
        vbt.BBANDS.run(close, 20, alpha=2.0)

    return run


def prepare(tickers: int) -> Bench:
    """The ways and goals on a panel; the slow peers on a small one only."""
    bench = Bench(tickers)
    bars = make_bars(tickers, DAYS)
    add_kernel(bench, bars)
    if tickers < MANY:
        add_peers(bench, bars)
    add_frames(bench, with_gaps(bars))
    return bench


def add_kernel(bench: Bench, bars: pl.DataFrame) -> None:
    """The compiled loop into buffers that are there already."""
    parts = split_up(bars)
    high, low, close = (bars[name].to_numpy().copy() for name in ("high", "low", "close"))
    columns = Bars(high, low, close, np.arange(bench.tickers + 1) * DAYS, np.arange(0))
    out, room = lend(RESULTS, bars.height), make_room(DAYS)
    bench.ways["TA-Lib, thrown away"] = lambda: talib_thrown_away(parts)
    bench.ways["our loop, buffers reused"] = lambda: compute_all(columns, out, 0, room)
    bench.ways["memory alone"] = lambda: move_memory(high, low, close, out)
    bench.goals.append(Goal("our loop, buffers reused", "TA-Lib, thrown away", 2.0))
    if bench.tickers >= MANY:
        bench.goals.append(Goal("our loop, buffers reused", "memory alone", 0.5))


def add_peers(bench: Bench, bars: pl.DataFrame) -> None:
    """polars-talib and vectorbt, where they are installed."""
    found = {
        ("polars-talib", 3.0): polars_talib_form(bars),
        ("vectorbt", 10.0): vectorbt_form(bars, bench.tickers),
    }
    for (name, ratio), way in found.items():
        if way is None:
            CONSOLE.print(f"[yellow]{name} is not installed: left out (uv pip group `bench`)")
        else:
            bench.ways[name] = way
            bench.goals.append(Goal("our loop, buffers reused", name, ratio))


def add_frames(bench: Bench, bars: pl.DataFrame) -> None:
    """`compute_daily` on rows with gaps in several orders, beside TA-Lib on the same frame."""
    parts = split_up(bars)
    bench.ways["TA-Lib, results kept"] = lambda: [talib_one(part) for part in parts]
    add_order(bench, "by symbol", bars)
    add_order(bench, "shuffled", bars.sample(fraction=1.0, shuffle=True, seed=3))
    if bench.tickers < MANY:
        add_order(bench, "backwards", bars.reverse())
        add_order(bench, "by day", bars.sort("day", "symbol"))


def add_order(bench: Bench, order: str, frame: pl.DataFrame) -> None:
    """Ours and TA-Lib on one frame; the goal is for rows that are out of order."""
    ours, peer = f"compute_daily, {order}", f"TA-Lib from the frame, {order}"
    bench.ways[ours] = lambda: compute_daily(frame)
    bench.ways[peer] = lambda: talib_frame(frame)
    if order != "by symbol":
        bench.goals.append(Goal(ours, peer, 2.0 if bench.tickers >= MANY else 1.3))


def measure(bench: Bench, rounds: int) -> None:
    """Every way once a round, after a round that does not count."""
    for number in range(rounds + 1):
        for name, way in bench.ways.items():
            begin = time.process_time()
            result = way()
            seconds = time.process_time() - begin
            del result
            if number:
                bench.seconds.setdefault(name, []).append(seconds)


def report(bench: Bench) -> bool:
    """Prints the tables; whether every goal is met."""
    rows = bench.tickers * DAYS
    middle = {name: median(seconds) for name, seconds in bench.seconds.items()}
    base = middle["TA-Lib, thrown away"]
    table = Table(title=f"{bench.tickers:,} tickers of {DAYS:,} bars, CPU time, medians")
    for column in ("way", "ms", "ns a bar", "TA-Lib / it"):
        table.add_column(column, justify="left" if column == "way" else "right")
    for name, seconds in middle.items():
        cells = f"{seconds * 1e3:,.1f}", f"{seconds / rows * 1e9:.1f}", f"{base / seconds:.2f}"
        table.add_row(name, *cells)
    CONSOLE.print(table)
    met = True
    goals = Table(title="goals")
    for column in ("way", "times faster than", "ratio", "goal", ""):
        goals.add_column(column, justify="right" if column in {"ratio", "goal"} else "left")
    for goal in bench.goals:
        ratio = middle[goal.peer] / middle[goal.way]
        met = met and ratio >= goal.ratio
        verdict = "met" if ratio >= goal.ratio else "missed"
        goals.add_row(goal.way, goal.peer, f"{ratio:.2f}", f"≥ {goal.ratio:g}", verdict)
    CONSOLE.print(goals)
    return met


def report_append(symbols: int, rounds: int) -> bool:
    """One more day for every symbol, from the last bars alone: the loop's goal is 100 ms."""
    bars = make_bars(symbols, TAIL)
    high, low, close = (bars[name].to_numpy().copy() for name in ("high", "low", "close"))
    columns = Bars(high, low, close, np.arange(symbols + 1) * TAIL, np.arange(0))
    out, room = lend(RESULTS, bars.height), make_room(TAIL)
    bench = Bench(symbols)
    bench.ways["our loop"] = lambda: compute_all(columns, out, 0, room)
    bench.ways["compute_daily"] = lambda: compute_daily(bars)[TAIL - 1 :: TAIL]
    measure(bench, rounds)
    table = Table(title=f"a day more for {symbols:,} symbols, from {TAIL} bars each, CPU ms")
    for column in ("way", "ms", "goal"):
        table.add_column(column, justify="left" if column == "way" else "right")
    middle = {name: median(seconds) * 1e3 for name, seconds in bench.seconds.items()}
    table.add_row("our loop", f"{middle['our loop']:.1f}", "≤ 100")
    table.add_row("compute_daily", f"{middle['compute_daily']:.1f}", "")
    CONSOLE.print(table)
    return middle["our loop"] <= 100


def report_difference() -> bool:
    """The largest difference from TA-Lib in any column: the goal is 1e-9."""
    bars = make_bars(50, DAYS)
    got = compute_daily(bars)
    wanted = [
        np.concatenate(columns) for columns in zip(*map(talib_one, split_up(bars)), strict=True)
    ]
    largest = max(
        float(np.nanmax(np.abs(got[name].to_numpy() - values)))
        for name, values in zip(INDICATOR_COLUMNS, wanted, strict=True)
    )
    CONSOLE.print(f"largest difference from TA-Lib {talib.__version__}: {largest:.1e} (goal 1e-9)")
    return largest <= 1e-9


def main(arguments: list[str] | None = None) -> int:
    """Exit code 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description="Indicator speed beside its peers")
    parser.add_argument("--tickers", type=int, nargs="+", default=[500, 5_000])
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args(arguments)
    warm_up()
    met = report_difference()
    for tickers in options.tickers:
        bench = prepare(tickers)
        measure(bench, options.rounds)
        met = report(bench) and met
        del bench
    return 0 if report_append(5_000, options.rounds) and met else 1


if __name__ == "__main__":
    sys.exit(main())
