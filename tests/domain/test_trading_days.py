"""Days of a market: what is usual is what most sessions have; the others are named."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from app.domain.sessions import Session
from app.domain.trading_days import DayNote, describe_days, find_usual

YORK = ZoneInfo("America/New_York")


def session(day: str, opens: str = "09:30", closes: str = "16:00") -> Session:
    """A session by the clock of New York."""
    on = date.fromisoformat(day)
    hours = [
        datetime.combine(on, time.fromisoformat(text), YORK).astimezone(UTC)
        for text in (opens, closes)
    ]
    return Session("XNYS", on, *hours)


def notes(*sessions: Session) -> dict[str, DayNote]:
    return {day.day.isoformat(): day.note for day in describe_days(sessions, YORK)}


USUAL = tuple(session(f"2026-10-{day:02}") for day in (5, 6, 7, 8, 9))


def test_the_usual_hours_are_those_of_the_exchanges_clock_in_summer_and_winter():
    winter = tuple(session(f"2026-11-{day:02}") for day in (2, 3, 4, 5, 6))
    assert find_usual([*USUAL, *winter, session("2026-11-27", closes="13:00")], YORK) == (
        time(9, 30),
        time(16),
    )
    assert set(notes(*USUAL).values()) == {DayNote.USUAL}


def test_half_days_late_openings_and_other_hours_are_told_apart():
    found = notes(
        *USUAL,
        session("2026-10-10", "10:00", "12:00"),
        session("2026-10-12", closes="13:00"),
        session("2026-10-13", "10:30", "17:00"),
        session("2026-10-14", "09:00", "16:00"),
        session("2026-10-15", closes="17:00"),
    )
    assert list(found.values())[5:] == [
        DayNote.EXTRA,
        DayNote.SHORT,
        DayNote.LATE,
        DayNote.OTHER,
        DayNote.OTHER,
    ]


def test_weekdays_without_a_session_are_closed_and_weekends_are_not_mentioned():
    found = notes(*USUAL, session("2026-10-15"))
    assert {day for day, note in found.items() if note is DayNote.CLOSED} == {
        "2026-10-12",
        "2026-10-13",
        "2026-10-14",
    }
    days = list(describe_days([*USUAL, session("2026-10-15")], YORK))
    assert days[-1].close_at - days[-1].open_at == timedelta(hours=6.5)
    assert days[-2].open_at is None


def test_without_sessions_there_is_nothing_to_say():
    assert notes() == {}
