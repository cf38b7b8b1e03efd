"""Tick sizes of G17, the table before them, and rounding to a tick."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from app.domain.market import Kind
from app.domain.trading.listings import Listing
from app.domain.trading.tables import Market
from app.domain.trading.ticks import Side, round_fill, round_limit, tick_size
from app.errors import BadInput

TODAY = date(2026, 1, 5)
KOSPI, KOSDAQ, US = Listing(Market.KOSPI), Listing(Market.KOSDAQ), Listing(Market.US)
FUND = Listing(Market.KOSPI, Kind.ETF)


@pytest.mark.parametrize(
    ("price", "tick"),
    [
        (1_999, 1), (2_000, 5), (19_990, 10), (20_000, 50), (500_000, 1_000),  # G17
        (1, 1), (4_995, 5), (5_000, 10), (49_950, 50), (50_000, 100),
        (199_900, 100), (200_000, 500), (499_500, 500), (2_650_000, 1_000),
    ],
)  # fmt: skip
@pytest.mark.parametrize("listing", [KOSPI, KOSDAQ])
def test_g17_a_korean_share_moves_by_the_table_of_2023(listing, price, tick):
    assert tick_size(listing, Decimal(price), TODAY) == tick
    assert tick_size(listing, Decimal(price), date(2023, 1, 25)) == tick


@pytest.mark.parametrize(
    ("price", "kospi", "kosdaq"),
    [
        (999, 1, 1), (1_000, 5, 5), (4_995, 5, 5), (5_000, 10, 10), (10_000, 50, 50),
        (49_950, 50, 50), (50_000, 100, 100), (100_000, 500, 100), (500_000, 1_000, 100),
    ],
)  # fmt: skip
def test_before_2023_the_boards_differed_at_the_top(price, kospi, kosdaq):
    day = date(2023, 1, 24)
    assert tick_size(KOSPI, Decimal(price), day) == kospi
    assert tick_size(KOSDAQ, Decimal(price), day) == kosdaq


def test_samsung_before_its_split_of_2018_moved_by_a_thousand_won():
    assert tick_size(KOSPI, Decimal(2_650_000), date(2018, 4, 27)) == 1_000


@pytest.mark.parametrize(
    ("day", "price", "tick"),
    [("2023-12-08", 500, 5), ("2023-12-11", 1_995, 1), ("2023-12-11", 2_000, 5), ("2026-01-05", 98_000, 5)],
)  # fmt: skip
def test_a_korean_fund_moves_by_five_won_and_by_one_below_two_thousand(day, price, tick):
    assert tick_size(FUND, Decimal(price), date.fromisoformat(day)) == tick


@pytest.mark.parametrize(("price", "tick"), [("430.47", "0.01"), ("1", "0.01"), ("0.9", "0.0001")])
def test_a_us_price_moves_by_a_cent_and_below_a_dollar_by_a_hundredth_of_one(price, tick):
    assert tick_size(US, Decimal(price), TODAY) == Decimal(tick)
    assert tick_size(Listing(Market.US, Kind.ETF), Decimal(price), TODAY) == Decimal(tick)


@pytest.mark.parametrize("price", ["0", "-1", "NaN", "Infinity"])
def test_what_is_no_price_has_no_tick(price):
    with pytest.raises(BadInput, match="above zero"):
        tick_size(KOSPI, Decimal(price), TODAY)


def test_a_limit_price_is_rounded_in_favour_of_who_orders_and_a_slipped_fill_against():
    price = Decimal(20_017)
    assert round_limit(KOSPI, Side.BUY, price, TODAY) == 20_000
    assert round_limit(KOSPI, Side.SELL, price, TODAY) == 20_050
    assert round_fill(KOSPI, Side.BUY, price, TODAY) == 20_050
    assert round_fill(KOSPI, Side.SELL, price, TODAY) == 20_000
    assert round_limit(KOSPI, Side.BUY, Decimal(20_050), TODAY) == 20_050


def test_a_price_below_the_smallest_tick_cannot_be_bid_and_sells_at_a_tick():
    with pytest.raises(BadInput, match=r"0\.4 lies below the tick size, 1"):
        round_limit(KOSPI, Side.BUY, Decimal("0.4"), TODAY)
    assert round_fill(KOSPI, Side.SELL, Decimal("0.4"), TODAY) == 1
