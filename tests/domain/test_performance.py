"""Statistics of an equity curve against empyrical, and the golden cases G37 to G39 and G41."""

from __future__ import annotations

import math
import warnings
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from app.domain import performance
from app.errors import BadInput
from tests.domain.oracle_bars import sample, shared_adjusted

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import empyrical

RANDOM = np.random.default_rng(5)
NOISE = RANDOM.normal(0.0004, 0.012, 600)
EDGES = {
    "flat": np.zeros(50),
    "one loss": np.r_[np.full(30, 0.01) + NOISE[:30] / 50, -0.2, np.full(29, 0.01)],
    "loss on the first day": np.array([-0.1, 0.05, 0.02]),
    "loss on the first day, never back": np.array([-0.1, 0.02, 0.03, 0.01]),
    "all gain": np.abs(NOISE[:80]) + 1e-4,
    "all loss": -np.abs(NOISE[:80]) - 1e-4,
    "two returns": np.array([0.01, -0.02]),
    "long flat, then one jump": np.r_[np.zeros(250), 0.5],
    "nearly all is lost": np.r_[NOISE[:40], -0.999, NOISE[40:80]],
    "tiny": NOISE * 1e-4,
    "wild": np.clip(NOISE * 30, -0.95, 3.0),
    "ordinary": NOISE,
}


def days_of(count: int, first: date = date(2020, 1, 2)) -> pl.Series:
    return pl.Series([first + timedelta(days=n) for n in range(count)])


def same(ours: float, theirs: float) -> bool:
    if math.isnan(theirs) or math.isinf(theirs):
        return repr(float(ours)) == repr(float(theirs))
    return ours == pytest.approx(theirs, rel=1e-9, abs=1e-15)


def test_there_are_twelve_edge_series() -> None:
    assert len(EDGES) == 12


@pytest.mark.parametrize("name", EDGES)
@pytest.mark.parametrize("risk_free", [0.0, 0.03])
def test_statistics_are_those_of_empyrical(name: str, risk_free: float) -> None:
    returns = EDGES[name]
    if not (name == "flat" and risk_free):  # there rounding alone makes empyrical's deviation
        theirs = empyrical.sharpe_ratio(returns, risk_free=risk_free / 252)
        assert same(performance.sharpe_ratio(returns, risk_free=risk_free), theirs)
    with np.errstate(divide="ignore", invalid="ignore"):
        sortino = empyrical.sortino_ratio(returns, required_return=risk_free / 252)
    assert same(performance.sortino_ratio(returns, mar=risk_free / 252), sortino)
    assert same(performance.max_drawdown(returns), empyrical.max_drawdown(returns))
    assert same(performance.cagr(returns), empyrical.annual_return(returns))
    assert same(performance.calmar_ratio(returns), empyrical.calmar_ratio(returns))
    assert same(performance.volatility(returns), empyrical.annual_volatility(returns))


@pytest.mark.parametrize("name", [name for name in EDGES if name != "two returns"])
@pytest.mark.parametrize("risk_free", [0.0, 0.03])
def test_alpha_and_beta_are_those_of_empyrical(name: str, risk_free: float) -> None:
    returns = EDGES[name]
    benchmark = NOISE[-len(returns) :] * 0.7 + 1e-4
    alpha, beta = empyrical.alpha_beta(returns, benchmark, risk_free=risk_free / 252)
    ours = performance.alpha_beta(returns, benchmark, risk_free=risk_free)
    assert ours == pytest.approx((alpha, beta), rel=1e-9, abs=1e-12)


@given(arrays(np.float64, st.integers(2, 60), elements=st.floats(-0.5, 0.5)))
def test_ratios_of_any_returns_are_those_of_empyrical(returns: np.ndarray) -> None:
    with np.errstate(all="ignore"):
        sortino = empyrical.sortino_ratio(returns)
        sharpe = empyrical.sharpe_ratio(returns)
    assert same(performance.sortino_ratio(returns), sortino)
    if np.ptp(returns) > 1e-9:
        assert same(performance.sharpe_ratio(returns), sharpe)
    assert same(performance.max_drawdown(returns), empyrical.max_drawdown(returns))


@pytest.mark.parametrize("returns", [[-0.10, 0.05, 0.02], [-0.10, 0.02, 0.03, 0.01]])
def test_g37_a_loss_of_the_first_day_is_a_drawdown(returns: list[float]) -> None:
    assert performance.max_drawdown(np.array(returns)) == pytest.approx(-0.10)


def goog() -> pl.DataFrame:
    return sample().filter(pl.col("symbol") == "GOOG").sort("day")


def test_g38_goog_bought_at_the_third_open_and_sold_at_the_last() -> None:
    bars = goog()
    close, cash = bars["close"].to_numpy(), 100_000.0
    shares = cash // bars["open"][2]
    equity = cash + shares * (close - bars["open"][2])
    equity[:2] = cash
    equity[-1] = cash + shares * (bars["open"][-1] - bars["open"][2])
    returns = performance.compute_returns(equity[1:], equity[0])  # as empyrical is given them
    assert performance.sharpe_ratio(returns) == pytest.approx(0.846, abs=5e-4)
    assert performance.max_drawdown(returns) == pytest.approx(-0.653, abs=5e-4)


def test_g39_goog_close_to_close() -> None:
    bars = goog()
    close = bars["close"].to_numpy()
    returns = performance.compute_returns(close[1:], close[0])
    assert performance.sharpe_ratio(returns, risk_free=0.03) == pytest.approx(0.7943, abs=1e-4)
    assert performance.sortino_ratio(returns) == pytest.approx(1.3542, abs=1e-4)
    assert performance.cagr(returns) == pytest.approx(0.27708, abs=1e-5)
    calendar = performance.cagr_calendar(close[0], close[-1], bars["day"][0], bars["day"][-1])
    assert calendar == pytest.approx(0.27667, abs=1e-5)


def test_g40_our_conventions_are_those_of_empyrical() -> None:
    """AAPL with dividends: the first column of the table, and none of the others'."""
    close = shared_adjusted("AAPL")
    returns = performance.compute_returns(close[1:], close[0])
    ours = (
        performance.sharpe_ratio(returns),
        performance.sortino_ratio(returns),
        performance.max_drawdown(returns),
        performance.cagr(returns),
    )
    theirs = (
        empyrical.sharpe_ratio(returns),
        empyrical.sortino_ratio(returns),
        empyrical.max_drawdown(returns),
        empyrical.cagr(returns),
    )
    assert ours == pytest.approx(theirs, rel=1e-9)
    assert ours[2] == pytest.approx(-0.38515, abs=2e-5)
    about_the_mean = returns.mean() / np.sqrt((np.minimum(returns - returns.mean(), 0) ** 2).mean())
    assert ours[1] != pytest.approx(about_the_mean * np.sqrt(252), rel=1e-3)
    summed = np.cumsum(returns)
    assert ours[2] != pytest.approx((summed - np.maximum.accumulate(summed)).min(), rel=1e-2)


def test_g41_nothing_varies_nothing_is_lost() -> None:
    assert math.isnan(performance.sharpe_ratio(np.zeros(100)))
    assert math.isnan(performance.sharpe_ratio(np.full(100, 0.001)))
    assert performance.sortino_ratio(np.array([0.01, 0.02, 0.03])) == math.inf
    assert math.isnan(performance.sortino_ratio(np.zeros(100)))


def test_drawdowns_have_their_dates() -> None:
    returns = np.array([0.1, -0.1, -0.1, 0.3, 0.0, -0.05])
    days = days_of(6)
    deepest, open_one = performance.list_drawdowns(days, returns)
    assert deepest.depth == pytest.approx(-0.19)
    assert (deepest.peak, deepest.trough, deepest.recovered) == (days[0], days[2], days[3])
    assert (open_one.peak, open_one.trough, open_one.recovered) == (days[4], days[5], None)
    assert performance.list_drawdowns(days, returns, first=1) == [deepest]


def test_a_drawdown_from_the_start_has_the_first_day_as_its_peak() -> None:
    (only,) = performance.list_drawdowns(days_of(2), np.array([-0.1, 0.05]))
    assert only.peak == only.trough == date(2020, 1, 2)


def test_months_compound() -> None:
    days = pl.Series([date(2020, 1, 30), date(2020, 1, 31), date(2020, 2, 3)])
    months = performance.monthly_returns(days, np.array([0.1, 0.1, -0.5]))
    assert months.select("year", "month").rows() == [(2020, 1), (2020, 2)]
    assert months["return"].to_list() == pytest.approx([0.21, -0.5])


def test_round_trips() -> None:
    profits = np.array([10.0, -5.0, 0.0, 20.0])
    assert performance.win_rate(profits) == 0.5
    assert performance.profit_factor(profits) == 6.0
    assert performance.profit_factor(np.array([1.0])) == math.inf
    assert math.isnan(performance.profit_factor(np.array([])))
    assert math.isnan(performance.win_rate(np.array([])))


def test_turnover_is_of_a_year_and_of_one_side() -> None:
    assert performance.turnover(200.0, np.full(126, 100.0)) == pytest.approx(2.0)


def test_a_summary_leaves_out_what_too_few_returns_would_say() -> None:
    short = performance.summarise(days_of(19), np.full(19, 90.0), 100.0)
    assert short.roi == pytest.approx(-0.1)
    assert short.max_drawdown == pytest.approx(-0.1)
    assert short.cagr is None
    assert short.sharpe_ratio is None
    equity = 100 * np.cumprod(1 + NOISE)
    long = performance.summarise(days_of(600), equity, 100.0)
    assert long.sharpe_ratio == pytest.approx(empyrical.sharpe_ratio(NOISE), rel=1e-9)
    assert long.cagr_calendar == pytest.approx((equity[-1] / 100) ** (365.25 / 599) - 1)


def test_a_curve_of_no_loss_has_no_sortino_in_a_summary() -> None:
    equity = 100 * np.cumprod(1 + EDGES["all gain"])
    assert performance.summarise(days_of(80), equity, 100.0).sortino_ratio is None


@pytest.mark.parametrize(("days", "values", "start"), [(0, 0, 1.0), (3, 2, 1.0), (2, 2, 0.0)])
def test_what_is_no_curve_is_refused(days: int, values: int, start: float) -> None:
    with pytest.raises(BadInput):
        performance.summarise(days_of(days), np.ones(values), start)


def test_a_benchmark_of_other_sessions_is_refused() -> None:
    with pytest.raises(BadInput, match="3 returns and its benchmark 2"):
        performance.alpha_beta(np.zeros(3), np.zeros(2))


def test_all_is_lost() -> None:
    returns = np.array([0.1, -1.0])
    assert performance.cagr(returns) == -1.0
    assert performance.cagr_calendar(100.0, 0.0, date(2020, 1, 1), date(2021, 1, 1)) == -1.0
    assert performance.max_drawdown(returns) == -1.0
