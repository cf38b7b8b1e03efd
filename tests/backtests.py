"""Backtests for tests: prices, strategies that are told, and a worker in this process."""

from __future__ import annotations

import math
from datetime import date
from decimal import Decimal
from typing import Any

from app.domain.backtest.setup import Setup
from app.env import Env
from app.services.backtest.backtest_input import Wanted
from app.services.backtest.backtest_runners import Inline, Runner
from app.services.backtest.backtests import BacktestRow, start_backtest
from app.services.backtest.strategy_shelf import set_up_shelf
from app.services.settings import choose_source
from app.services.work import jobs
from tests.factories import make_bars, make_instrument
from workers.backtest import run_backtest
from workers.pace import Pace

SESSIONS = 260


def wave(n: int = SESSIONS, phase: float = 0.0) -> list[float]:
    """Closes that rise and fall, in whole cents."""
    return [
        round(100 + 0.1 * i + 12 * math.sin(i / 9 + phase) + 3 * math.sin(i / 2.3), 2)
        for i in range(n)
    ]


async def make_market(env: Env, *symbols: str) -> None:
    """Instruments with prices of a year from 2020-01-06 on, and the strategies told."""
    await choose_source(env, "yahoo")
    for number, symbol in enumerate(symbols or ("AAPL",)):
        await make_instrument(env, symbol)
        closes = wave(phase=float(number))
        await make_bars(env, symbol, closes, start=date(2020, 1, 6), volume=10_000_000)
    await set_up_shelf(env)


def wanted(
    strategy: str = "sma_cross", symbols: tuple[str, ...] = ("AAPL",), **more: Any
) -> Wanted:
    """A request with little cash and short averages."""
    values = {"values": {"fast": 3, "slow": 9}} if strategy == "sma_cross" else {}
    setup = {"setup": Setup(cash=Decimal(100_000))}
    return Wanted(strategy, symbols, **(values | setup | more))


async def ask(env: Env, user_id: int, **more: Any) -> BacktestRow:
    """A backtest that waits for a worker."""
    return await start_backtest(env, user_id, wanted(**more))


async def work(env: Env, *, at_most: int = 50, runner: Runner | None = None) -> int:
    """Does the jobs of backtests that are due, one after the other; how many."""
    ctx: dict[str, Any] = {"env": env, "pace": Pace(), "runner": runner or Inline()}
    done = 0
    while done < at_most:
        waiting = [job for job in await jobs.list_jobs(env, "backtest") if job.state == "PENDING"]
        if not waiting:
            break
        await run_backtest(ctx, waiting[-1].id)
        done += 1
    return done
