"""Price limits of G18, by date and kind."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.market import Kind
from app.domain.trading.limits import Limits, first_day_limits, price_limits
from app.domain.trading.listings import Listing
from app.domain.trading.tables import Market
from app.domain.trading.ticks import Side, tick_size
from app.errors import BadInput

TODAY = date(2026, 1, 5)
KOSPI = Listing(Market.KOSPI)


def won(lower, upper):
    return Limits(Decimal(lower), Decimal(upper))


@pytest.mark.parametrize(
    ("base", "upper", "lower"),
    [(9_940, 12_920, 6_960), (19_950, 25_900, 13_970), (70_000, 91_000, 49_000)],
)
def test_g18_limits(base, upper, lower):
    assert price_limits(KOSPI, Decimal(base), TODAY) == won(lower, upper)


def test_the_exchanges_old_example_holds_with_the_old_ticks():
    assert price_limits(KOSPI, Decimal(9_940), date(2016, 1, 4)) == won(6_960, 12_900)


@pytest.mark.parametrize(
    ("day", "lower", "upper"), [("2015-06-12", 8_500, 11_500), ("2015-06-15", 7_000, 13_000)]
)
def test_the_limit_was_fifteen_percent_until_june_2015(day, lower, upper):
    assert price_limits(KOSPI, Decimal(10_000), date.fromisoformat(day)) == won(lower, upper)


def test_konex_stays_at_fifteen_percent():
    assert price_limits(Listing(Market.KONEX), Decimal(10_000), TODAY) == won(8_500, 11_500)


@pytest.mark.parametrize(
    ("multiple", "upper"), [(1, 13_000), (2, 16_000), (-2, 16_000), (-1, 13_000)]
)
def test_a_funds_limit_is_its_multiple_of_the_index(multiple, upper):
    fund = Listing(Market.KOSPI, Kind.ETF, Decimal(multiple))
    assert price_limits(fund, Decimal(10_000), TODAY) == won(20_000 - upper, upper)


def test_the_united_states_have_no_daily_limit():
    assert price_limits(Listing(Market.US), Decimal(100), TODAY) is None
    assert first_day_limits(Listing(Market.US), Decimal(100), TODAY) is None


def test_a_first_day_goes_from_sixty_to_four_hundred_percent_of_the_offer():
    assert first_day_limits(KOSPI, Decimal(20_000), date(2023, 6, 26)) == won(12_000, 80_000)
    assert first_day_limits(KOSPI, Decimal(20_000), date(2023, 6, 23)) == won(14_000, 26_000)


def test_a_day_before_the_table_is_refused():
    with pytest.raises(BadInput, match="2010-10-04"):
        price_limits(KOSPI, Decimal(100), date(2010, 1, 4))


def test_a_limit_binds_one_side():
    limits = won(7_000, 13_000)
    at_the_top = (Decimal(13_000), Decimal(13_000))
    assert limits.is_locked(Side.BUY, *at_the_top)
    assert not limits.is_locked(Side.SELL, *at_the_top)
    assert limits.is_locked(Side.SELL, Decimal(7_000), Decimal(7_000))
    assert not limits.is_locked(Side.BUY, Decimal(12_990), Decimal(13_000))
    assert (limits.clamp(Decimal(14_000)), limits.clamp(Decimal(1))) == (13_000, 7_000)
    assert limits.contains(Decimal(7_000))
    assert not limits.contains(Decimal(13_010))


@given(st.integers(1, 3_000_000))
def test_limits_stand_on_ticks_and_within_thirty_percent(base):
    limits = price_limits(KOSPI, Decimal(base), TODAY)
    assert 1 <= limits.lower <= base <= limits.upper <= base * Decimal("1.3")
    for price in (limits.lower, limits.upper):
        assert price % tick_size(KOSPI, price, TODAY) == 0
