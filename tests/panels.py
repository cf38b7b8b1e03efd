"""Seeded panels: markets that know nothing, markets with a planted edge, and copies of a stock."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np

from app.domain.recommend.panel import Floats, Panel

STRENGTH = 0.0283  # of the planted edge, deviations a session: an IC of .08 for the rule as a whole
MEMORY = 0.97  # what is left of a valuation from one session to the next


def weekdays(count: int) -> np.ndarray:
    first = date(2012, 1, 2)
    return np.array(
        [first + timedelta(days=n + n // 5 * 2) for n in range(count)], dtype="datetime64[D]"
    )


def random_walks(seed: int, symbols: int = 60, days: int = 1_400) -> Panel:
    """Prices that nothing predicts, with a common factor and volatilities that come and go."""
    random = np.random.default_rng(seed)
    return _panel(random, symbols, days, np.zeros((days, symbols)))


def planted(seed: int, symbols: int = 60, days: int = 1_400, strength: float = STRENGTH) -> Panel:
    """The same, but what is cheap (P/E) returns more: `strength` deviations a session."""
    random = np.random.default_rng(seed)
    cheap = np.empty((days, symbols))
    cheap[0] = random.normal(size=symbols)
    for day in range(1, days):
        fresh = random.normal(size=symbols) * np.sqrt(1 - MEMORY**2)
        cheap[day] = MEMORY * cheap[day - 1] + fresh
    ahead = np.vstack([np.zeros(symbols), cheap[:-1]]) * strength
    return _panel(random, symbols, days, ahead, {"trailing_pe": 15.0 * np.exp(-cheap / 2)})


def clones(panel: Panel, column: int, count: int) -> Panel:
    """One stock of a panel, `count` times over."""

    def copy(table: Floats) -> Floats:
        return np.repeat(table[:, column : column + 1], count, axis=1)

    names = tuple(f"C{number:03d}" for number in range(count))
    tables = (copy(panel.close), copy(panel.total), copy(panel.signal))
    return Panel(panel.days, names, *tables, {}, panel.benchmark, panel.benchmark_symbol)


def _panel(
    random: np.random.Generator,
    symbols: int,
    days: int,
    drift: Floats,
    fundamentals: dict[str, Floats] | None = None,
) -> Panel:
    size = 0.018 * np.exp(random.normal(0, 0.3, symbols))
    wave = np.exp(0.3 * np.sin(np.arange(days)[:, None] / 120 + random.uniform(0, 6, symbols)))
    market = random.normal(0, 0.009, (days, 1))
    own = random.standard_t(5, (days, symbols)) * np.sqrt(3 / 5)
    returns = market + size * wave * (own + drift)
    close = 100 * np.exp(np.cumsum(returns, axis=0))
    week = np.full(close.shape, 0.0)
    week[5:] = np.log(close[5:] / close[:-5])
    signal = np.clip(np.round(-week / 0.04), -2, 2)
    names = tuple(f"S{number:03d}" for number in range(symbols))
    benchmark = 100 * np.exp(np.cumsum(market[:, 0]))
    return Panel(
        weekdays(days), names, close, close, signal, fundamentals or {}, benchmark, "MARKET"
    )
