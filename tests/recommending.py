"""A market for tests of recommendations: shares that a benchmark stands beside, and their jobs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np

from app.env import Env
from app.services.settings import choose_source
from app.services.signals.analysis import analyse
from tests.factories import make_bars, make_instrument, make_split

SHARES = ("AAPL", "GOOG", "IBM", "MSFT", "TSLA")
NAMES = {
    "AAPL": ("Apple Inc.", "애플"),
    "GOOG": ("Alphabet Inc.", "알파벳"),
    "IBM": ("IBM", "IBM"),
    "MSFT": ("Microsoft Corporation", "마이크로소프트"),
    "TSLA": ("Tesla, Inc.", "테슬라"),
}
SESSIONS = 360
START = date(2024, 1, 1)
SPLIT = date(2024, 10, 1)  # of TSLA, three for one


def closes(seed: int, sessions: int = SESSIONS) -> list[float]:
    """A random walk in whole cents."""
    steps = np.random.default_rng(seed).normal(0.0004, 0.015, sessions)
    return [round(float(price), 2) for price in 100 * np.exp(np.cumsum(steps))]


async def make_market(
    env: Env,
    shares: Sequence[str] = SHARES,
    *,
    benchmark: str | None = "SPY",
    sessions: int = SESSIONS,
    source: str = "yahoo",
) -> list[date]:
    """Watched shares with bars and indicators; the days. IBM ends thirty sessions early."""
    await choose_source(env, source)
    days: list[date] = []
    for seed, symbol in enumerate(shares):
        name, local = NAMES[symbol]
        await make_instrument(env, symbol, name=name, name_local=local)
        prices = closes(seed, sessions)
        if symbol == "TSLA":
            prices = [round(p / 3, 2) if n >= 196 else p for n, p in enumerate(prices)]
            await make_split(env, symbol, SPLIT, 3)
        if symbol == "IBM":
            prices = prices[:-30]
        days = max(days, await make_bars(env, symbol, prices, start=START))
        await analyse(env, symbol, whole=True)
    if benchmark:
        name = "SPDR S&P 500 ETF"
        await make_instrument(env, benchmark, name=name, kind="ETF", mic="ARCX")
        await make_bars(env, benchmark, closes(99, sessions), start=START)
    return days


async def add_day(env: Env, day: date, shares: Sequence[str] = SHARES) -> None:
    """One more session of the shares that still trade."""
    for symbol in shares:
        if symbol != "IBM":
            await make_bars(env, symbol, [90.0], start=day)
            await analyse(env, symbol, whole=True)
