"""Corrections of the calendar: what ships, and how they are laid over sessions."""

from __future__ import annotations

from datetime import UTC, date, datetime

import polars as pl
from polars.testing import assert_frame_equal

from app.domain.session_overrides import (
    SESSION_SCHEMA,
    SHIPPED,
    Override,
    apply_overrides,
    fingerprint,
)


def at(day: date, hour: int) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


def frame(*days: date, mic: str = "XKRX") -> pl.DataFrame:
    rows = [(mic, day, at(day, 0), at(day, 6)) for day in days]
    return pl.DataFrame(rows, schema=SESSION_SCHEMA, orient="row")


FIRST, SECOND, THIRD = date(2026, 7, 16), date(2026, 7, 17), date(2026, 7, 20)


def test_a_closed_day_loses_its_session():
    closed = Override("XKRX", SECOND, None, None, "closed")
    assert apply_overrides(frame(FIRST, SECOND, THIRD), [closed])["day"].to_list() == [FIRST, THIRD]


def test_other_hours_replace_those_of_the_library():
    late = Override("XKRX", SECOND, at(SECOND, 1), at(SECOND, 7), "late")
    changed = apply_overrides(frame(FIRST, SECOND, THIRD), [late])
    assert changed.row(1) == ("XKRX", SECOND, at(SECOND, 1), at(SECOND, 7))
    assert changed["day"].to_list() == [FIRST, SECOND, THIRD]


def test_a_session_that_the_library_does_not_have_is_added():
    extra = Override("XKRX", SECOND, at(SECOND, 1), at(SECOND, 7), "open after all")
    assert apply_overrides(frame(FIRST, THIRD), [extra])["day"].to_list() == [FIRST, SECOND, THIRD]


def test_the_later_override_of_a_day_wins():
    closed = Override("XKRX", SECOND, None, None, "closed")
    late = Override("XKRX", SECOND, at(SECOND, 1), at(SECOND, 7), "open after all")
    assert apply_overrides(frame(FIRST, SECOND, THIRD), [closed, late]).height == 3


def test_other_markets_and_days_beyond_the_sessions_are_left_alone():
    sessions = frame(FIRST, SECOND, THIRD)
    elsewhere = Override("XNYS", SECOND, None, None, "closed")
    beyond = Override(
        "XKRX", date(2030, 1, 2), at(date(2030, 1, 2), 1), at(date(2030, 1, 2), 2), ""
    )
    assert_frame_equal(apply_overrides(sessions, [elsewhere, beyond]), sessions)
    assert apply_overrides(sessions.clear(), [beyond]).is_empty()


def test_the_shipped_exam_days_are_an_hour_late_and_holidays_closed():
    late = {o.day for o in SHIPPED if not o.closed}
    closed = {date(2026, 6, 3), date(2026, 7, 17), date(2027, 5, 3), date(2027, 7, 19)}
    assert {o.day for o in SHIPPED if o.closed} == closed
    assert date(2025, 11, 13) in late
    assert date(2026, 11, 19) in late
    for override in SHIPPED:
        if override.open_at is not None and override.close_at is not None:
            assert override.open_at == at(override.day, 1)  # 10:00 in Seoul
            assert (override.close_at - override.open_at).total_seconds() == 6.5 * 3600


def test_a_fingerprint_ignores_order_and_sees_every_change():
    assert fingerprint(SHIPPED) == fingerprint(reversed(SHIPPED))
    assert fingerprint(SHIPPED) != fingerprint(SHIPPED[1:])
    assert fingerprint(SHIPPED, "4.13.2") != fingerprint(SHIPPED, "4.13.3")


def test_days_that_only_follow_by_the_rule_say_that_they_are_to_be_confirmed():
    expected = {date(2027, 5, 3), date(2027, 7, 19), date(2027, 11, 18)}
    assert {o.day for o in SHIPPED if not o.confirmed} == expected
    assert all("to be confirmed" in o.reason for o in SHIPPED if not o.confirmed)
