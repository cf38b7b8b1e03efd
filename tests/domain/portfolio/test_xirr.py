"""XIRR: G24 to G28, and pyxirr as the oracle."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
import pyxirr
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from app.domain.portfolio.xirr import XirrNote, compute_xirr, find_roots


def flows(text):
    pairs = (line.split() for line in text.strip().splitlines())
    return [(date.fromisoformat(day), float(amount)) for day, amount in pairs]


G27 = """
    2024-01-01 -10000
    2024-03-01 2750
    2024-10-30 4250
    2025-02-15 3250
    2025-04-01 2750
"""


def test_g24_the_rate_of_two_deposits():
    told = compute_xirr(flows("2025-01-01 -1000\n2025-07-01 -9000\n2026-01-01 9400"))
    assert round(told.rate * 100, 3) == -10.595
    assert told.note is None


@pytest.mark.parametrize("text", ["2024-01-01 -5\n2025-01-01 -5", "2024-01-01 5", "2024-01-01 0"])
def test_g25_flows_of_one_sign_have_no_rate(text):
    told = compute_xirr(flows(text))
    assert (told.rate, told.period, told.note) == (None, None, XirrNote.ONE_SIGN)
    with pytest.raises(pyxirr.InvalidPaymentsError):
        pyxirr.xirr(flows(text))


def test_g25_nothing_at_all_has_no_rate():
    assert compute_xirr([]).note is XirrNote.ONE_SIGN


def test_g26_two_roots_are_both_told_and_neither_is_chosen():
    roots = find_roots(np.array([-1000.0, 2500.0, -1540.0]), np.array([0.0, 1.0, 2.0]))
    assert roots == pytest.approx((0.1, 0.4), abs=1e-12)
    told = compute_xirr(flows("2023-01-01 -1000\n2024-01-01 2500\n2024-12-31 -1540"))
    assert told.roots == pytest.approx((0.1, 0.4), abs=1e-12)
    assert (told.rate, told.note) == (None, XirrNote.SEVERAL)


def test_g27_the_spreadsheets_example_in_any_order():
    told = compute_xirr(flows(G27))
    assert told.rate == pytest.approx(0.3733625335, abs=1e-10)
    assert told.rate == pytest.approx(pyxirr.xirr(flows(G27)), abs=1e-11)
    assert compute_xirr(flows(G27)[::-1]) == told


def test_g28_under_a_year_nothing_is_annualised():
    text = "2024-12-20 -12.80\n2025-04-17 0.27\n2025-08-29 -170.00\n2025-09-02 174.30"
    told = compute_xirr(flows(text))
    assert (told.rate, told.note) == (None, XirrNote.UNDER_A_YEAR)
    yearly = (1 + told.period) ** (365 / 256) - 1
    assert round(yearly, 2) == -0.63
    assert yearly == pytest.approx(pyxirr.xirr(flows(text)), abs=1e-8)


def test_a_great_gain_in_a_day_is_the_return_of_that_day():
    told = compute_xirr(flows("2025-01-01 -100\n2025-01-02 150"))
    assert told.period == pytest.approx(0.5)


def test_a_year_to_the_day_is_annualised():
    told = compute_xirr(flows("2025-01-01 -100\n2026-01-01 110"))
    assert (told.rate, told.period) == (pytest.approx(0.1), pytest.approx(0.1))
    two = compute_xirr(flows("2024-01-01 -100\n2025-12-31 121"))
    assert (two.rate, two.period) == (pytest.approx(0.1), pytest.approx(0.21))


@pytest.mark.parametrize(
    "text", ["2025-01-01 -5\n2025-01-01 5", "2025-01-01 -1\n2026-01-01 1000000"]
)
def test_payments_of_one_day_or_beyond_the_range_have_none(text):
    assert compute_xirr(flows(text)).rate is None
    assert compute_xirr(flows(text)).note in {XirrNote.NO_ROOT, XirrNote.ONE_SIGN}


DEPOSITS = st.lists(
    st.tuples(st.integers(0, 4_000), st.integers(1, 10**6)), min_size=1, max_size=30
)


@settings(max_examples=200, deadline=None)
@given(DEPOSITS, st.integers(366, 4_400), st.floats(0.05, 20))
def test_the_rate_agrees_with_pyxirr(deposits, end, multiple):
    """Payments in, then one out: there is exactly one rate, and the last payment is the latest."""
    start = date(2012, 1, 2)
    last = max(end, *(day for day, _ in deposits), 366) + 1
    paid = [(start + timedelta(days=day), -float(amount)) for day, amount in deposits]
    out = -sum(amount for _, amount in paid) * multiple
    everything = [*paid, (start + timedelta(days=last), out)]
    told = compute_xirr(everything)
    oracle = pyxirr.xirr(everything)
    assume(oracle is not None and -0.99 < oracle < 90)
    if told.note is XirrNote.UNDER_A_YEAR:
        span = (everything[-1][0] - min(day for day, _ in everything)).days
        assert (1 + told.period) ** (365 / span) - 1 == pytest.approx(oracle, abs=1e-8, rel=1e-8)
    else:
        assert told.note is None
        assert told.rate == pytest.approx(oracle, abs=1e-8)
