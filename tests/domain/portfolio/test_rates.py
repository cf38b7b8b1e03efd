"""Rates by day: the newest on or before it, and none where there is a hole."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from app.domain.portfolio.rates import LONGEST_GAP, DatedRates, invert

FRIDAY = date(2026, 3, 6)
RATES = DatedRates("KRW", "USD", [(FRIDAY, Decimal(1450)), (date(2026, 3, 5), Decimal(1440))])


def test_a_day_has_its_own_rate_and_a_weekend_that_of_friday():
    assert RATES("USD", date(2026, 3, 5)) == 1440
    assert RATES("USD", FRIDAY + timedelta(days=2)) == 1450


def test_the_own_currency_is_one_of_itself():
    assert RATES("KRW", date(1990, 1, 1)) == 1


def test_before_the_first_rate_and_after_a_hole_there_is_none_never_one():
    assert RATES("USD", date(2026, 3, 4)) is None
    assert RATES("USD", FRIDAY + LONGEST_GAP) == 1450
    assert RATES("USD", FRIDAY + LONGEST_GAP + timedelta(days=1)) is None
    assert DatedRates("KRW", "USD", [])("USD", FRIDAY) is None


def test_another_currency_has_none():
    assert RATES("EUR", FRIDAY) is None


def test_a_turned_rate_has_sixteen_digits():
    assert invert(Decimal(1450)) == Decimal("0.0006896551724137931")
