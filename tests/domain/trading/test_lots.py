"""Order sizes: whole shares, and fractions of US shares by amount."""

from __future__ import annotations

from decimal import Decimal

import pytest

from app.domain.trading.listings import Listing
from app.domain.trading.lots import check_quantity, quantity_for_amount
from app.domain.trading.tables import Market
from app.domain.trading.ticks import Side
from app.errors import BadInput

KOSPI, US = Listing(Market.KOSPI), Listing(Market.US)


def test_an_amount_buys_whole_shares_in_korea_and_fractions_in_the_us():
    assert quantity_for_amount(KOSPI, Decimal(10_000_000), Decimal(2_650_000)) == 3
    assert quantity_for_amount(US, Decimal(100), Decimal("430.47")) == Decimal("0.232304")


@pytest.mark.parametrize("amount", ["52999", "0", "-1", "NaN", "Infinity"])
def test_an_amount_that_buys_nothing_is_refused(amount):
    with pytest.raises(BadInput, match="buys nothing") as caught:
        quantity_for_amount(KOSPI, Decimal(amount), Decimal(53_000))
    assert caught.value.field == "amount"


@pytest.mark.parametrize("quantity", ["0", "-1", "NaN", "1000000000"])
def test_a_quantity_has_bounds(quantity):
    with pytest.raises(BadInput, match=f"quantity is {quantity}"):
        check_quantity(KOSPI, Side.BUY, Decimal(quantity))


def test_fractions_are_refused_but_for_the_rest_of_a_us_holding():
    half = Decimal("1.5")
    check_quantity(US, Side.SELL, half, held=half)
    for listing, side in ((US, Side.BUY), (KOSPI, Side.SELL)):
        with pytest.raises(BadInput, match="whole shares"):
            check_quantity(listing, side, half, held=half)
    with pytest.raises(BadInput, match="whole shares"):
        check_quantity(US, Side.SELL, half, held=Decimal(1))
    check_quantity(KOSPI, Side.BUY, Decimal(2))
