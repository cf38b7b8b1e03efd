"""What a result tells: figures with their conventions, round trips, warnings; and golden cases."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import numpy as np
import polars as pl
import pytest

from app.domain.backtest.engine import run, run_benchmarks
from app.domain.backtest.result import warn_of_survivors
from app.domain.backtest.setup import Exits, Fill, Setup, Size, Sizing
from app.domain.backtest.strategies import BuyAndHold, RsiReversion, SmaCross
from app.domain.backtest.tape import prepare
from app.domain.trading.costs import PROFILES, Commission, CostProfile
from tests.domain.oracle_bars import sample

FREE = CostProfile("free", {"USD": Commission(Decimal(0)), "KRW": Commission(Decimal(0))})
BARE = Setup(
    cash=Decimal(100_000), costs=FREE, taxed=False, ticks=False, limits=False, volume_cap=None
)
GOOG = prepare(sample().filter(pl.col("symbol") == "GOOG"))


def test_g33_the_fill_rule_decides_and_is_printed() -> None:
    values = {"window": 2, "buy_below": 10.0, "sell_above": 60.0}
    close = run(GOOG, RsiReversion(), values, replace(BARE, fill=Fill.SAME_CLOSE))
    later = run(GOOG, RsiReversion(), values, BARE)
    assert close.performance.roi == pytest.approx(0.44, abs=0.005)
    assert later.performance.roi > close.performance.roi + 0.2
    assert "next open" in later.fill_rule
    assert "nobody can do" in close.fill_rule


def test_g34_a_position_earns_the_return_of_the_day_after() -> None:
    close = GOOG.history.close[:, 0]
    held = run(GOOG, SmaCross(), {"fast": 5, "slow": 20}, BARE).decision.side[:-1, 0]
    returns = close[1:] / close[:-1] - 1
    assert np.prod(1 + held * returns) == pytest.approx(8.4, abs=0.05)


def test_equity_ends_with_what_cash_and_shares_are_worth() -> None:
    got = run(GOOG, SmaCross(), {}, BARE)
    shares = got.fills["quantity"].sum()
    assert got.final_equity == pytest.approx(got.fills["cash"][-1] + shares * 806.19)
    assert got.performance.roi == pytest.approx(got.final_equity / 100_000 - 1)


def test_round_trips_add_up_to_what_was_made() -> None:
    got = run(GOOG, RsiReversion(), {}, replace(BARE, costs=PROFILES["online"], taxed=True))
    trips = got.round_trips
    open_one = got.fills["quantity"].sum() != 0
    assert not open_one
    assert trips["profit"].sum() == pytest.approx(got.final_equity - 100_000)
    assert trips["costs"].sum() == pytest.approx(got.fees + got.taxes)
    assert got.win_rate == pytest.approx((trips["profit"] > 0).mean())
    assert got.profit_factor is not None


def test_the_benchmark_is_buy_and_hold_of_equal_weights() -> None:
    many = prepare(sample())
    own = Sizing(Size.VOLATILITY, 0.1, slots=2)  # who holds has no stop, and buys all of it
    got = run_benchmarks(many, replace(BARE, sizing=own, exits=Exits(stop=0.05, target=0.05)))
    assert got.fills.filter(pl.col("quantity") > 0)["symbol"].sort().to_list() == sorted(
        many.symbols
    )
    assert (got.fills["quantity"] > 0).all()
    assert ((got.fills["quantity"] * got.fills["price"])[:3] <= 20_000).all()
    alpha, beta = got.compare(got)
    assert beta == pytest.approx(1.0)
    assert alpha == pytest.approx(0.0, abs=1e-12)


def test_exposure_turnover_and_months() -> None:
    got = run(GOOG, BuyAndHold(), {}, BARE)
    assert got.exposure == pytest.approx(1 - 1 / 2148)
    assert got.turnover is not None
    months = got.monthly_returns
    assert np.prod(1 + months["return"].to_numpy()) == pytest.approx(1 + got.performance.roi)
    assert got.drawdown.min() == pytest.approx(got.performance.max_drawdown)
    assert got.drawdowns[0].depth == pytest.approx(got.performance.max_drawdown)


def test_shorts_are_counted_where_there_are_none() -> None:
    values = {"fast": 5, "slow": 20, "short": True}
    refused = run(GOOG, SmaCross(), values, BARE)
    assert refused.refused_shorts > 20
    assert set(refused.round_trips["direction"]) == {"LONG"}
    allowed = run(GOOG, SmaCross(), values, replace(BARE, shorts=True))
    assert allowed.refused_shorts == 0
    assert set(allowed.round_trips["direction"]) == {"LONG", "SHORT"}


def test_a_universe_chosen_later_carries_a_warning() -> None:
    assert warn_of_survivors(None, date(2020, 1, 1)) is not None
    assert warn_of_survivors(date(2021, 1, 1), date(2020, 1, 1)) is not None
    assert warn_of_survivors(date(2019, 12, 31), date(2020, 1, 1)) is None
