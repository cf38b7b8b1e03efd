"""Golden cases of backtests by their numbers: G36, fills that nobody gets; G41, flat curves."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import numpy as np
import polars as pl

from app.domain.backtest.engine import play
from app.domain.backtest.setup import Exits, Setup
from app.domain.backtest.strategy import Decision
from app.domain.backtest.tape import prepare
from app.domain.performance import sharpe_ratio, sortino_ratio
from tests.factories import weekdays

Bar = tuple[float | None, float | None, float | None, float | None, int]


def trade(bars: list[Bar], side: list[int], exits: Exits, symbol: str = "AAPL") -> list[tuple]:
    """Fills as (bar, price, reason) without costs or slippage."""
    days = weekdays(date(2025, 3, 3), len(bars))
    names = ["open", "high", "low", "close", "volume"]
    frame = pl.DataFrame(bars, schema=names, orient="row").with_columns(
        pl.Series("day", days), pl.lit(symbol).alias("symbol")
    )
    setup = Setup(cash=Decimal(1_000_000), exits=exits, taxed=False)
    sides = np.array(side, dtype=np.int8)[:, None]
    fills = play(prepare(frame), "own", {}, setup, Decision(sides)).fills
    return [(days.index(row["day"]), row["price"], row["reason"]) for row in fills.to_dicts()]


FLAT: Bar = (100.0, 101.0, 99.0, 100.0, 1_000_000)
HELD = [1, 1, 1, 1]


def test_g36_stop_and_target_in_one_bar_are_the_stop():
    wide: Bar = (100.0, 115.0, 85.0, 100.0, 1_000_000)
    fills = trade([FLAT, FLAT, wide, FLAT], HELD, Exits(stop=0.1, target=0.1))
    assert fills == [(1, 100.0, "SIGNAL"), (2, 90.0, "STOP")]


def test_g36_a_gap_through_the_stop_is_filled_at_the_open():
    gap: Bar = (80.0, 82.0, 78.0, 81.0, 1_000_000)
    fills = trade([FLAT, FLAT, gap, FLAT], HELD, Exits(stop=0.1))
    assert fills[1] == (2, 80.0, "STOP")


def test_g36_a_locked_day_and_a_day_without_volume_fill_nothing():
    base: Bar = (10_000.0, 10_100.0, 9_900.0, 10_000.0, 1_000_000)
    locked: Bar = (13_000.0, 13_000.0, 13_000.0, 13_000.0, 1_000_000)
    after: Bar = (13_100.0, 13_200.0, 13_000.0, 13_100.0, 1_000_000)
    fills = trade([base, locked, after], [1, 1, 1], Exits(), "005930.KS")
    assert [(bar, price) for bar, price, _ in fills] == [(2, 13_100.0)]
    silent: Bar = (100.0, 100.0, 100.0, 100.0, 0)
    assert trade([FLAT, silent, FLAT], [1, 1, 1], Exits()) == [(2, 100.0, "SIGNAL")]


def test_g41_a_flat_curve_has_no_sharpe_and_one_without_a_loss_an_endless_sortino():
    assert np.isnan(sharpe_ratio(np.zeros(50)))
    assert sortino_ratio(np.full(50, 0.001)) == np.inf
