"""Decimals of currencies and prices."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from app.domain.market import Kind, currency_digits, present_days, price_digits
from app.errors import BadInput


def test_decimals_follow_the_currency_and_the_kind() -> None:
    assert (currency_digits("KRW"), currency_digits("USD")) == (0, 2)
    assert [price_digits("KRW", kind) for kind in Kind] == [0, 0, 2, 2]
    assert [price_digits("USD", kind) for kind in Kind] == [2, 2, 2, 2]


def test_another_currency_is_refused_by_its_name() -> None:
    with pytest.raises(BadInput, match="JPY is not supported: KRW and USD are"):
        currency_digits("JPY")


def test_each_currency_has_the_day_of_its_home() -> None:
    evening = datetime(2026, 3, 2, 22, 30, tzinfo=UTC)
    assert present_days(evening) == {"KRW": date(2026, 3, 3), "USD": date(2026, 3, 2)}
