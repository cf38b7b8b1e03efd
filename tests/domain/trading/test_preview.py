"""Previews and what a waiting order holds back."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from app.domain.trading.costs import PROFILES
from app.domain.trading.limits import price_limits
from app.domain.trading.listings import Listing
from app.domain.trading.orders import OrderType
from app.domain.trading.preview import Caution, Terms, preview_order, reserve_cash
from app.domain.trading.tables import Market
from app.domain.trading.ticks import Side
from app.errors import BadInput

KOSPI, US = Listing(Market.KOSPI), Listing(Market.US)
TRADED, SETTLES = date(2026, 3, 3), date(2026, 3, 5)
LIMITS = price_limits(KOSPI, Decimal(70_000), TRADED)


def terms(side, kind, quantity, price, listing=KOSPI, profile="online"):
    return Terms(
        listing, side, kind, Decimal(quantity), Decimal(price), TRADED, SETTLES, PROFILES[profile]
    )


def test_a_buy_shows_price_fee_cash_after_and_settlement_day():
    asked = Decimal(70_050)
    shown = preview_order(
        terms(Side.BUY, OrderType.LIMIT, 10, 70_000),
        cash=Decimal(1_000_000), held=Decimal(0), limits=LIMITS, asked_price=asked,
    )  # fmt: skip
    assert (shown.notional, shown.costs.fee, shown.costs.tax) == (700_000, 105, 0)
    assert (shown.cash_change, shown.cash_after, shown.reserved) == (-700_105, 299_895, 700_105)
    assert shown.settles == SETTLES
    assert shown.cautions == (Caution.PRICE_ROUNDED,)


def test_a_sale_shows_its_tax_and_that_the_money_comes_later():
    shown = preview_order(
        terms(Side.SELL, OrderType.MARKET, 10, 70_000),
        cash=Decimal(0), held=Decimal(9), limits=LIMITS,
    )  # fmt: skip
    assert (shown.costs.fee, shown.costs.tax, shown.cash_after) == (105, 1_400, 698_495)
    assert shown.reserved == 0
    assert shown.cautions == (Caution.NOT_ENOUGH_SHARES, Caution.SETTLES_LATER)


def test_cash_is_short_when_the_reservation_is_above_it():
    market = terms(Side.BUY, OrderType.MARKET, 10, 70_000)
    for cash, short in ((910_136, False), (910_135, True)):
        shown = preview_order(market, cash=Decimal(cash), held=Decimal(0), limits=LIMITS)
        assert (Caution.NOT_ENOUGH_CASH in shown.cautions) is short


def test_a_sale_whose_costs_are_above_what_it_brings_needs_cash():
    sale = terms(Side.SELL, OrderType.MARKET, 1, 500, profile="branch")
    shown = preview_order(sale, cash=Decimal(0), held=Decimal(1), limits=None)
    assert shown.cash_after < 0
    assert Caution.NOT_ENOUGH_CASH in shown.cautions


def test_costs_of_a_hundredth_are_pointed_out():
    small = terms(Side.BUY, OrderType.LIMIT, 1, 70_000, profile="branch")
    shown = preview_order(small, cash=Decimal(10**6), held=Decimal(0), limits=LIMITS)
    assert shown.cautions == (Caution.HIGH_COSTS,)


@pytest.mark.parametrize(
    ("side", "kind", "listing", "price", "reserved"),
    [
        (Side.BUY, OrderType.LIMIT, KOSPI, "70000", "700105"),
        (Side.BUY, OrderType.MARKET, KOSPI, "70000", "910136"),  # 91,000 is the upper limit
        (Side.BUY, OrderType.STOP, KOSPI, "70000", "735110"),
        (Side.BUY, OrderType.MARKET, US, "100.01", "1052.83"),  # 105.0105 → 105.02
        (Side.SELL, OrderType.MARKET, KOSPI, "70000", "0"),
    ],
)
def test_a_waiting_order_holds_back(side, kind, listing, price, reserved):
    limits = LIMITS if listing is KOSPI else None
    assert reserve_cash(terms(side, kind, 10, price, listing), limits) == Decimal(reserved)


def test_an_order_that_rounds_to_nothing_is_refused():
    with pytest.raises(BadInput, match="rounds to 0"):
        preview_order(
            terms(Side.BUY, OrderType.LIMIT, "0.000001", "1.00", US),
            cash=Decimal(1), held=Decimal(0), limits=None,
        )  # fmt: skip
