"""Simple and time-weighted returns: G24, G28, G29."""

from __future__ import annotations

from datetime import date, timedelta

import empyrical
import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.portfolio.returns import measure, payments, simple_return, unit_returns, unit_values
from app.errors import BadInput


def equity(rows, start="2025-01-01"):
    """Rows of (days after the start, value, paid in, paid out)."""
    first = date.fromisoformat(start)
    return pl.DataFrame(
        [(first + timedelta(days=n), float(v), float(i), float(o)) for n, v, i, o in rows],
        {"day": pl.Date, "value": pl.Float64, "paid_in": pl.Float64, "paid_out": pl.Float64},
        orient="row",
    )


def twr(rows):
    _, value, paid_in, paid_out = (
        np.array(column, dtype=float) for column in zip(*rows, strict=True)
    )
    return unit_values(unit_returns(value, paid_in, paid_out))[-1] - 1


def test_g24_three_returns_side_by_side():
    told = measure(
        equity(
            [(0, 1_000, 1_000, 0), (180, 1_200, 0, 0), (181, 10_200, 9_000, 0), (365, 9_400, 0, 0)]
        )
    )
    assert round(told.twr * 100, 3) == 10.588
    assert round(told.xirr.rate * 100, 3) == -10.595
    assert told.simple == -0.06


def test_g28_income_is_in_the_simple_return_or_not_but_said():
    assert round(simple_return(174.30, 182.80, 0) * 100, 2) == -4.65
    assert round(simple_return(174.30, 182.80, 0.27) * 100, 2) == -4.50
    assert simple_return(5, 0, 0) is None


def test_g29_a_dividend_after_everything_was_sold_and_drawn_is_no_loss():
    rows = [(0, 1_000, 1_000, 0), (1, 1_100, 0, 0), (2, 0, 0, 1_100), (3, 5, 0, 0), (4, 0, 0, 5)]
    assert twr(rows) == pytest.approx(0.1)
    told = measure(equity(rows))
    assert told.twr == pytest.approx(0.1)
    assert told.simple == pytest.approx(0.105)
    assert told.max_drawdown == 0


def test_money_drawn_on_the_day_of_its_gain_has_gained_it():
    assert twr([(0, 1_000, 1_000, 0), (1, 0, 0, 1_010)]) == pytest.approx(0.01)
    assert twr([(0, 1_000, 1_000, 0), (1, 11, 0, 999)]) == pytest.approx(0.01)


def test_money_paid_in_counts_from_the_start_of_its_day():
    assert twr([(0, 1_000, 1_000, 0), (1, 2_200, 1_000, 0)]) == pytest.approx(0.1)


def test_a_fee_lowers_a_return_and_a_dividend_raises_it():
    plain = twr([(0, 1_000, 1_000, 0), (1, 1_000, 0, 0)])
    assert (
        twr([(0, 1_000, 1_000, 0), (1, 990, 0, 0)])
        < plain
        < twr([(0, 1_000, 1_000, 0), (1, 1_010, 0, 0)])
    )


def test_days_before_the_first_payment_are_left_out():
    told = measure(equity([(0, 0, 0, 0), (30, 100, 100, 0), (395, 110, 0, 0)]))
    assert told.xirr.rate == pytest.approx(0.1)
    assert told.cagr is None  # two days are too few for a statistic


def test_nothing_paid_in_has_no_returns():
    told = measure(equity([(0, 0, 0, 0)]))
    assert (told.simple, told.twr, told.max_drawdown) == (None, None, None)


def test_a_day_without_a_value_is_refused_by_its_date():
    frame = equity([(0, 100, 100, 0), (1, 100, 0, 0)]).with_columns(
        value=pl.when(pl.col("day") < date(2025, 1, 2)).then("value")
    )
    with pytest.raises(BadInput, match="2025-01-02: a price or a rate is missing"):
        measure(frame)


def test_the_payments_of_a_portfolio_end_with_its_value():
    days = [date(2025, 1, 1), date(2025, 1, 2), date(2025, 1, 3)]
    one, none = np.array([100.0, 0.0, 50.0]), np.array([0.0, 0.0, 20.0])
    assert payments(days, np.array([100.0, 101.0, 140.0]), one, none) == [
        (days[0], -100.0), (days[2], -30.0), (days[2], 140.0),
    ]  # fmt: skip


def test_without_payments_the_statistics_are_those_of_the_value():
    values = 1_000 * np.cumprod(1 + np.random.default_rng(7).normal(0.0005, 0.01, 300))
    rows = [(n, v, 0, 0) for n, v in enumerate(values, 1)]
    told = measure(equity([(0, 1_000, 1_000, 0), *rows]))
    returns = np.concatenate(
        ([0.0], np.diff(np.concatenate(([1_000], values))) / np.concatenate(([1_000], values[:-1])))
    )
    assert told.sharpe_ratio == pytest.approx(empyrical.sharpe_ratio(returns), rel=1e-9)
    assert told.sortino_ratio == pytest.approx(empyrical.sortino_ratio(returns), rel=1e-9)
    assert told.max_drawdown == pytest.approx(empyrical.max_drawdown(returns), rel=1e-9)
    assert told.volatility == pytest.approx(empyrical.annual_volatility(returns), rel=1e-9)
    assert told.twr == pytest.approx(told.simple, rel=1e-9)


@given(st.lists(st.tuples(st.floats(0.5, 2), st.floats(0, 1_000)), min_size=1, max_size=30))
def test_the_time_weighted_return_does_not_depend_on_payments(days):
    value, rows = 1_000.0, [(0, 1_000.0, 1_000.0, 0.0)]
    for n, (growth, paid) in enumerate(days, 1):
        value = (value + paid) * growth
        rows.append((n, value, paid, 0.0))
    assert twr(rows) == pytest.approx(
        np.prod([growth for growth, _ in days]) - 1, rel=1e-9, abs=1e-9
    )
