"""Decimals of currencies and prices."""

from __future__ import annotations

import pytest

from app.domain.market import Kind, currency_digits, price_digits
from app.errors import BadInput


def test_decimals_follow_the_currency_and_the_kind() -> None:
    assert (currency_digits("KRW"), currency_digits("USD")) == (0, 2)
    assert [price_digits("KRW", kind) for kind in Kind] == [0, 0, 2, 2]
    assert [price_digits("USD", kind) for kind in Kind] == [2, 2, 2, 2]


def test_another_currency_is_refused_by_its_name() -> None:
    with pytest.raises(BadInput, match="JPY is not supported: KRW and USD are"):
        currency_digits("JPY")
