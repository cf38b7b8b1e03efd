"""Setups that cannot be are refused, by name and bound."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from app.domain.backtest.setup import FILL_RULES, Exits, Fill, Setup, Sizing, usual_cash
from app.errors import BadInput


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("cash", {"cash": Decimal(0)}),
        ("slippage", {"slippage": -0.01}),
        ("slippage", {"slippage": float("nan")}),
        ("volumeCap", {"volume_cap": 0.0}),
        ("interest", {"interest": 1.5}),
        ("stop", {"exits": Exits(stop=1.0)}),
        ("trailing", {"exits": Exits(trailing=0.0)}),
        ("fraction", {"sizing": Sizing(fraction=1.1)}),
        ("slots", {"sizing": Sizing(slots=0)}),
    ],
)
def test_a_number_outside_of_its_bounds_is_named(field: str, wrong: dict[str, Any]) -> None:
    with pytest.raises(BadInput) as caught:
        Setup(**wrong)
    assert caught.value.field == field


def test_the_usual_cash_is_in_the_currency_of_what_is_traded() -> None:
    assert usual_cash(["005930.KS"]) == Setup().cash == 10_000_000
    assert usual_cash([" aapl "]) == 10_000
    assert usual_cash([]) == 10_000_000


def test_every_fill_has_its_sentence() -> None:
    assert set(FILL_RULES) == set(Fill)
