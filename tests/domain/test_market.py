"""Tick sizes and decimals."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from app.domain.market import (
    KRX_TICKS_FROM,
    Kind,
    chart_tick,
    currency_digits,
    krx_tick,
    price_digits,
)
from app.errors import BadInput

TODAY = date(2026, 1, 5)


@pytest.mark.parametrize(
    ("price", "tick"),
    [
        (1_999, 1), (2_000, 5), (19_990, 10), (20_000, 50), (500_000, 1_000),  # G17
        (1, 1), (4_995, 5), (5_000, 10), (49_950, 50), (50_000, 100),
        (199_900, 100), (200_000, 500), (499_500, 500), (2_650_000, 1_000),
    ],
)  # fmt: skip
def test_a_korean_share_moves_by_the_table_of_2023(price: int, tick: int) -> None:
    assert krx_tick(Decimal(price), TODAY) == tick
    assert chart_tick(Decimal(price), "KRW") == tick


def test_a_korean_fund_moves_by_five_won() -> None:
    assert krx_tick(Decimal(98_000), TODAY, Kind.ETF) == 5


def test_days_before_the_table_are_refused() -> None:
    assert krx_tick(Decimal(100), KRX_TICKS_FROM) == 1
    with pytest.raises(BadInput, match="2023-01-24 lies before 2023-01-25"):
        krx_tick(Decimal(100), date(2023, 1, 24))


@pytest.mark.parametrize("currency", ["KRW", "USD"])
def test_a_price_that_is_not_above_zero_has_no_tick(currency: str) -> None:
    with pytest.raises(BadInput, match="above zero"):
        chart_tick(Decimal(0), currency)


@pytest.mark.parametrize(
    ("price", "currency", "kind", "tick"),
    [
        ("430.47", "USD", Kind.EQUITY, "0.01"),
        ("1", "USD", Kind.EQUITY, "0.01"),
        ("0.9", "USD", Kind.EQUITY, "0.0001"),
        ("2655.28", "KRW", Kind.INDEX, "0.01"),
        ("1391.5", "KRW", Kind.FX, "0.01"),
        ("610.2", "USD", Kind.ETF, "0.01"),
    ],
)
def test_a_price_axis_moves_by(price: str, currency: str, kind: Kind, tick: str) -> None:
    assert chart_tick(Decimal(price), currency, kind) == Decimal(tick)


def test_decimals_follow_the_currency_and_the_kind() -> None:
    assert (currency_digits("KRW"), currency_digits("USD")) == (0, 2)
    assert [price_digits("KRW", kind) for kind in Kind] == [0, 0, 2, 2]
    assert [price_digits("USD", kind) for kind in Kind] == [2, 2, 2, 2]


def test_another_currency_is_refused_by_its_name() -> None:
    with pytest.raises(BadInput, match="JPY is not supported: KRW and USD are"):
        currency_digits("JPY")
