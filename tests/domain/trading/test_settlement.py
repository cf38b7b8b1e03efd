"""Settlement days of G14 and G15, of bank holidays and of the cycles."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from app.domain.trading.settlement import is_us_bank_holiday, settlement_day, settlement_days
from app.domain.trading.tables import Market
from app.errors import BadInput


def weekdays(first, last, closed=()):
    start, end = date.fromisoformat(first), date.fromisoformat(last)
    days = (start + timedelta(days=n) for n in range((end - start).days + 1))
    return [day for day in days if day.weekday() < 5 and day.isoformat() not in closed]


KRX = weekdays("2024-12-20", "2026-01-09", {"2024-12-25", "2024-12-31", "2025-01-01", "2025-12-25", "2025-12-31", "2026-01-01"})  # fmt: skip


@pytest.mark.parametrize(
    ("trade", "settles"),
    [
        ("2024-12-27", "2025-01-02"),  # G14
        ("2025-12-29", "2026-01-02"),  # G15
        ("2024-12-26", "2024-12-30"),
        ("2025-12-26", "2025-12-30"),
    ],
)
def test_g14_g15_a_korean_trade_settles_two_sessions_later(trade, settles):
    days = settlement_days(Market.KOSPI, KRX)
    assert settlement_day(Market.KOSPI, date.fromisoformat(trade), days).isoformat() == settles


@pytest.mark.parametrize(
    ("trade", "settles"),
    [
        ("2017-09-01", "2017-09-06"),  # three days, over a weekend (Labor Day is a session here)
        ("2017-09-05", "2017-09-07"),
        ("2024-05-24", "2024-05-29"),
        ("2024-05-28", "2024-05-29"),
        ("2024-10-11", "2024-10-15"),  # Columbus Day lies between
        ("2024-10-14", "2024-10-15"),  # traded on it
        ("2024-11-08", "2024-11-12"),  # Veterans Day
        ("2018-11-09", "2018-11-14"),  # Veterans Day on a Sunday: its Monday
    ],
)
def test_a_us_trade_settles_by_the_cycle_of_its_day_in_days_of_the_banks(trade, settles):
    days = settlement_days(Market.US, weekdays("2017-08-01", "2024-12-31", {"2024-05-27"}))
    assert settlement_day(Market.US, date.fromisoformat(trade), days).isoformat() == settles


def test_veterans_day_on_a_saturday_is_not_moved():
    assert is_us_bank_holiday(date(2023, 11, 11))
    assert not is_us_bank_holiday(date(2023, 11, 10))
    assert not is_us_bank_holiday(date(2023, 11, 13))


def test_a_calendar_that_ends_too_early_is_named():
    with pytest.raises(BadInput, match="KOSPI ends before a trade of 2026-01-08"):
        settlement_day(Market.KOSPI, date(2026, 1, 8), KRX)
