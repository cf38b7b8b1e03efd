"""Sessions as pure functions: open or closed, finished or not, and the currency week."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from app.domain.sessions import (
    LAG,
    Session,
    currency_day,
    currency_session,
    currency_sessions,
    is_finished,
    join_touching,
    status_at,
)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def session(day: str, opens: str, closes: str, mic: str = "XKRX") -> Session:
    return Session(mic, date.fromisoformat(day), at(f"{day}T{opens}"), at(f"{day}T{closes}"))


CSAT = session("2025-11-13", "01:00", "07:30")
AFTER = session("2025-11-14", "00:00", "06:30")


@pytest.mark.parametrize(
    ("now", "is_open", "day", "change"),
    [
        ("2025-11-13T00:59:59", False, "2025-11-13", "2025-11-13T01:00"),
        ("2025-11-13T01:00", True, "2025-11-13", "2025-11-13T07:30"),
        ("2025-11-13T07:29:59", True, "2025-11-13", "2025-11-13T07:30"),
        ("2025-11-13T07:30", False, "2025-11-14", "2025-11-14T00:00"),
    ],
)
def test_a_market_is_open_from_its_opening_until_just_before_its_close(now, is_open, day, change):
    status = status_at([CSAT, AFTER], at(now))
    assert (status.open, status.next_change) == (is_open, at(change))
    assert status.hours is not None
    assert status.hours.day == date.fromisoformat(day)


def test_without_a_coming_session_nothing_is_known():
    assert status_at([CSAT], at("2025-11-20T00:00")) == status_at([], at("2025-11-20T00:00"))
    assert status_at([], at("2025-11-20T00:00")).next_change is None


def test_a_bar_is_final_only_after_the_close_and_the_lag():
    # G07: on the exam day of 2025 nothing is accepted at 16:00 Seoul time
    assert not is_finished(CSAT, at("2025-11-13T07:00"))
    assert not is_finished(CSAT, CSAT.close_at)
    assert not is_finished(CSAT, CSAT.close_at + LAG - timedelta(seconds=1))
    assert is_finished(CSAT, CSAT.close_at + LAG)


def test_a_us_job_in_the_korean_afternoon_finds_the_session_of_the_day_before():
    # G12: 2026-07-15 17:00 in Seoul is 04:00 in New York
    sessions = [
        session("2026-07-14", "13:30", "20:00", "XNYS"),
        session("2026-07-15", "13:30", "20:00", "XNYS"),
    ]
    now = at("2026-07-15T08:00")
    assert [s.day for s in sessions if is_finished(s, now)] == [date(2026, 7, 14)]


def test_the_currency_week_runs_from_sunday_to_friday_ten_in_the_evening_of_london():
    winter = [currency_session(date(2026, 1, 5) + timedelta(days=n)) for n in range(7)]
    assert [s is not None for s in winter] == [True] * 5 + [False] * 2
    week = [s for s in winter if s is not None]
    whole = join_touching(week)
    assert (whole.open_at, whole.close_at) == (at("2026-01-04T22:00"), at("2026-01-09T22:00"))
    summer = join_touching(list(currency_sessions(date(2026, 7, 13), 5)))
    assert (summer.open_at, summer.close_at) == (at("2026-07-12T21:00"), at("2026-07-17T21:00"))


@pytest.mark.parametrize(
    ("now", "is_open", "change"),
    [
        ("2026-01-04T21:59", False, "2026-01-04T22:00"),  # Sunday
        ("2026-01-04T22:00", True, "2026-01-09T22:00"),
        ("2026-01-07T00:00", True, "2026-01-09T22:00"),  # Wednesday: no change at midnight
        ("2026-01-09T22:00", False, "2026-01-11T22:00"),  # Friday evening
        ("2026-01-10T12:00", False, "2026-01-11T22:00"),  # Saturday
    ],
)
def test_the_currency_market_changes_twice_a_week(now, is_open, change):
    status = status_at(currency_sessions(currency_day(at(now)), 8), at(now))
    assert (status.open, status.next_change) == (is_open, at(change))


def test_currency_days_are_londons_and_end_at_its_midnight():
    assert currency_day(at("2026-07-14T23:30")) == date(2026, 7, 15)  # summer time
    tuesday = currency_session(date(2026, 7, 14))
    assert tuesday is not None
    assert (tuesday.open_at, tuesday.close_at) == (at("2026-07-13T23:00"), at("2026-07-14T23:00"))


def test_sessions_of_a_weekend_with_a_clock_change_still_touch():
    # London's clocks go forward on Sunday 2026-03-29
    assert join_touching(list(currency_sessions(date(2026, 3, 30), 5))).open_at == at(
        "2026-03-29T21:00"
    )


def test_currency_sessions_can_be_listed_backwards():
    days = [s.day for s in currency_sessions(date(2026, 1, 12), -5)]
    assert days == [date(2026, 1, 12), date(2026, 1, 9), date(2026, 1, 8)]
