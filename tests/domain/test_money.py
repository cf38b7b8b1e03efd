"""Money: rounded once, half up, and every figure that cannot be is refused by name."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.money import (
    check_charge,
    check_money,
    check_price,
    check_quantity,
    compute_notional,
    count_places,
    minor_unit,
    round_money,
)
from app.errors import BadInput

WHOLE_RANGE = st.decimals(min_value="1E-8", max_value="999999999.99999999", places=8)


@pytest.mark.parametrize(
    ("amount", "currency", "rounded"),
    [
        pytest.param("0.5", "KRW", "1", id="g21-half-a-won"),  # Python's round() gives 0
        ("2.5", "KRW", "3"),
        ("-2.5", "KRW", "-3"),
        pytest.param("2.675", "USD", "2.68", id="g21-cents"),  # Python's round() gives 2.67
        ("2.674999999", "USD", "2.67"),
        ("-0.001", "USD", "0.00"),
        ("1E+3", "KRW", "1000"),
    ],
)
def test_money_is_rounded_half_up_at_the_minor_unit(amount, currency, rounded):
    result = round_money(Decimal(amount), currency)
    assert str(result) == rounded


@given(WHOLE_RANGE, WHOLE_RANGE, st.sampled_from(["KRW", "USD"]))
def test_a_notional_is_the_exact_product_rounded_once(quantity, price, currency):
    unit = Fraction(minor_unit(currency))
    exact = Fraction(quantity) * Fraction(price) / unit
    oracle = floor(exact + Fraction(1, 2)) * unit
    if 0 < oracle < 10**15:
        assert Fraction(compute_notional(quantity, price, currency)) == oracle
    else:
        with pytest.raises(BadInput):
            compute_notional(quantity, price, currency)


def test_a_product_of_more_than_28_digits_is_not_rounded_on_the_way():
    quantity, price = Decimal("1234567.89012347"), Decimal("96115555.93738317")
    twice = (quantity * price).quantize(Decimal(1), rounding=ROUND_HALF_UP)  # 28 digits first
    once = floor(Fraction(quantity) * Fraction(price) + Fraction(1, 2))
    assert compute_notional(quantity, price, "KRW") == once == twice - 1


def test_an_order_that_rounds_to_nothing_is_refused():
    with pytest.raises(BadInput, match=r"0\.0000000001 USD, which rounds to 0") as refused:
        compute_notional(Decimal("1E-8"), Decimal("0.01"), "USD")
    assert refused.value.field == "quantity"
    with pytest.raises(BadInput, match="rounds to 0; the least amount is 1"):
        compute_notional(Decimal(1), Decimal("0.49"), "KRW")


CHECKS = {
    check_quantity: "quantity",
    check_price: "price",
    lambda value: check_money(value, "KRW"): "amount",
    lambda value: check_charge(value, "KRW"): "fee",
}


def told(check, value):
    """Field and sentence of the refusal."""
    with pytest.raises(BadInput) as refused:
        check(value)
    return refused.value.field, str(refused.value)


@pytest.mark.parametrize("value", ["NaN", "sNaN", "-NaN", "Infinity", "-Infinity"])
def test_what_is_no_number_is_refused_by_name(value):
    bad = Decimal(value)
    for check, name in CHECKS.items():
        assert told(check, bad) == (name, f"{name} is {value}; it must be a finite number")
    assert told(lambda v: check_charge(v, "USD", "tax"), bad)[0] == "tax"


@pytest.mark.parametrize(
    "value", ["0", "-1", "1E+9", "1000000000", "1E+999999", "-4.58", "-" + "1" * 45]
)
def test_a_quantity_or_a_price_out_of_bounds_is_refused(value):
    for check, name in ((check_quantity, "quantity"), (check_price, "price")):
        sentence = f"{name} is {value[:40]}; it must be above 0 and below 1000000000"
        assert told(check, Decimal(value)) == (name, sentence)


def test_more_decimals_than_are_stored_are_refused():
    assert check_quantity(Decimal("1.123456780")) == Decimal("1.12345678")
    assert check_charge(Decimal("5.0"), "KRW") == 5
    for check, value, sentence in (
        (check_quantity, "0.000000001", "quantity is 1E-9; it may have at most 8 decimals"),
        (lambda v: check_charge(v, "KRW"), "0.5", "fee is 0.5; it may have at most 0 decimals"),
        (
            lambda v: check_money(v, "USD"),
            "1.001",
            "amount is 1.001; it may have at most 2 decimals",
        ),
    ):
        assert told(check, Decimal(value)) == (sentence.split()[0], sentence)


def test_amounts_and_charges_have_bounds():
    assert check_money(Decimal(-5), "KRW") == -5
    assert check_charge(Decimal(0), "KRW") == 0
    for value in ("0", "1E+15", "-1E+15"):
        sentence = f"amount is {value}; it must not be 0 and must be below 1000000000000000"
        assert told(lambda v: check_money(v, "KRW"), Decimal(value)) == ("amount", sentence)
    for value in ("-1", "1E+9"):
        sentence = f"fee is {value}; it must be from 0 to below 1000000000"
        assert told(lambda v: check_charge(v, "KRW"), Decimal(value)) == ("fee", sentence)
    with pytest.raises(BadInput, match="EUR is not supported"):
        check_money(Decimal(1), "EUR")
    much = Decimal(999_999_999)
    assert told(lambda price: compute_notional(much, price, "KRW"), much)[0] == "amount"


@pytest.mark.parametrize(
    ("value", "places"), [("1.500", 1), ("100", 0), ("1E+999999", 0), ("1E-8", 8), ("0.000", 0)]
)
def test_decimals_are_counted_without_the_zeros_at_the_end(value, places):
    assert count_places(Decimal(value)) == places
