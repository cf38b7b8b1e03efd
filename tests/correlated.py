"""An installation with a few instruments whose returns belong together, over two years."""

from __future__ import annotations

from datetime import date

import numpy as np

from app.env import Env
from tests.comovers import make_returns, plant
from tests.factories import make_bars, make_instrument, make_sessions, weekdays

START = date(2023, 1, 2)
DAYS = 500
SYMBOLS = ("AAPL", "IBM", "MSFT", "005930.KS")


async def make_correlated(env: Env) -> np.ndarray:
    """AAPL leads IBM by a day; Samsung trades in Seoul. The returns as they were made."""
    values = plant(make_returns(np.random.default_rng(3), DAYS, 4), [(0, 1)], 0.4) * 0.01
    days = weekdays(START, DAYS)
    await make_sessions(env, "XNAS", days)
    await make_sessions(env, "XKRX", days, opens=0, closes=6)
    for symbol, returns in zip(SYMBOLS, values.T, strict=True):
        await make_instrument(env, symbol)
        closes = 100 * np.exp(np.cumsum(returns))
        await make_bars(env, symbol, [round(float(c), 6) for c in closes], start=START)
    await make_instrument(env, "USDKRW=X", kind="FX", mic="CCY")
    return values
