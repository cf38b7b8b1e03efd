"""Random backtests from a seed: bars on their ticks, halts, locked days, events, sides, a setup."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from app.domain.backtest.setup import Exits, Fill, Setup
from app.domain.backtest.tape import Tape, prepare
from app.domain.trading.costs import PROFILES
from app.domain.trading.limits import price_limits
from app.domain.trading.listings import find_listing
from app.domain.trading.ticks import floor_to_tick

KOREAN = ("005930.KS", "035720.KQ", "000660.KS")
AMERICAN = ("AAPL", "MSFT", "NVDA")


class Case(NamedTuple):
    """One random backtest."""

    tape: Tape
    setup: Setup
    side: Any
    size: Any


def make_case(seed: int, sessions: int = 70) -> Case:
    """The case of that seed."""
    random = np.random.default_rng(seed)
    korean = bool(random.random() < 0.5)
    symbols = (KOREAN if korean else AMERICAN)[: int(random.choice([1, 1, 2, 3]))]
    first = date(int(random.integers(2012, 2026)), int(random.integers(1, 13)), 2)
    days = [d for n in range(sessions * 2) if (d := first + timedelta(days=n)).weekday() < 5]
    days = days[:sessions]
    frames, splits = [], []
    for symbol in symbols:
        ratios = np.ones(sessions)
        if random.random() < 0.5:
            bar = int(random.integers(5, sessions - 5))
            up, down = [(5, 1), (3, 2), (1, 3), (1, 50)][random.integers(4)]
            ratios[bar] = up / down
            splits.append((symbol, days[bar], float(up), float(down)))
        frames.append(_bars(random, symbol, days, ratios))
    dividends = [_dividend(random, symbol, days) for symbol in symbols for _ in range(2)]
    tape = prepare(
        pl.concat(frames),
        splits=pl.DataFrame(splits, orient="row",
                            schema=["symbol", "day", "numerator", "denominator"]) if splits else None,
        dividends=pl.DataFrame(dividends, orient="row",
                               schema=["symbol", "day", "amount", "declared", "paid"]),
    )  # fmt: skip
    shape = tape.history.shape
    change = random.random(shape) < random.choice([0.05, 0.15, 0.4])
    side = np.zeros(shape, dtype=np.int8)
    for t in range(1, shape[0]):
        side[t] = np.where(change[t], random.integers(-1, 2, shape[1]), side[t - 1])
    size = random.choice([1.0, 0.5, 0.3], shape)
    return Case(tape, _setup(random, korean=korean), side, size)


def _bars(random: Any, symbol: str, days: list[date], ratios: Any) -> pl.DataFrame:
    listing = find_listing(symbol)
    n = len(days)
    price = float(random.choice([1_900, 9_000, 48_000, 410_000]) if symbol in KOREAN else
                  random.choice([0.9, 12.0, 300.0]))  # fmt: skip
    rows: list[tuple[Any, ...]] = []
    before = price
    for t in range(n):
        before /= ratios[t]
        jump = random.normal(0, 0.03) + (random.random() < 0.12) * random.choice(
            [-0.6, -0.36, 0.265, 0.4]
        )
        opening = before * np.exp(jump)
        close = opening * np.exp(random.normal(0, 0.02))
        wide = random.choice([0.01, 0.01, 0.09])
        prices = [
            opening,
            max(opening, close) * (1 + wide),
            min(opening, close) * (1 - wide),
            close,
        ]
        limits = None
        if t and ratios[t] == 1.0:
            base = Decimal(repr(rows_close)) if (rows_close := _last(rows)) else None
            limits = price_limits(listing, base, days[t]) if base else None
        exact = [floor_to_tick(listing, Decimal(repr(float(p))), days[t]) for p in prices]
        exact = [
            max(p, floor_to_tick(listing, Decimal(1), days[t]) or Decimal("0.01")) for p in exact
        ]
        if limits is not None:
            exact = [limits.clamp(p) for p in exact]
        dice = random.random()
        volume = int(random.choice([50, 2_000, 10_000_000]))
        if dice < 0.03:
            rows.append((symbol, days[t], None, None, None, float(exact[3]), 0))  # halted
        elif dice < 0.05:
            rows.append((symbol, days[t], None, None, None, None, None))
        else:
            rows.append((symbol, days[t], *map(float, exact), volume))
        before = float(exact[3]) if dice >= 0.05 or dice < 0.03 else before
    schema = {"symbol": pl.String, "day": pl.Date, "open": pl.Float64, "high": pl.Float64,
              "low": pl.Float64, "close": pl.Float64, "volume": pl.Int64}  # fmt: skip
    return pl.DataFrame(rows, schema=schema, orient="row")


def _last(rows: list[tuple[Any, ...]]) -> float | None:
    return next((row[5] for row in reversed(rows) if row[5] is not None), None)


def _dividend(random: Any, symbol: str, days: list[date]) -> tuple[Any, ...]:
    ex = int(random.integers(1, len(days)))
    amount = float(random.choice([361, 50] if symbol in KOREAN else [0.25, 0.07]))
    declared = days[ex] + timedelta(days=int(random.choice([-30, 0, 12, 400])))
    return (
        symbol,
        days[ex],
        amount,
        declared,
        days[ex] + timedelta(days=int(random.choice([0, 3, 40]))),
    )


def _setup(random: Any, *, korean: bool) -> Setup:
    def maybe(value: float) -> float | None:
        return value if random.random() < 0.5 else None

    whole = bool(random.random() < 0.8)
    return Setup(
        cash=Decimal(10_000_000 if korean else 10_000),
        fill=Fill(random.choice(list(Fill))),
        costs=PROFILES[str(random.choice(list(PROFILES)))],
        slippage=float(random.choice([0.0, 0.001, 0.02])),
        exits=Exits(maybe(0.05), maybe(0.06), maybe(0.04)),
        interest=float(random.choice([0.0, 0.03])),
        borrowing=float(random.choice([0.0, 0.05])),
        volume_cap=maybe(0.1),
        shorts=bool(random.random() < 0.6),
        ticks=bool(random.random() < 0.8),
        limits=bool(random.random() < 0.8),
        taxed=bool(random.random() < 0.8),
        whole=whole,
    )
