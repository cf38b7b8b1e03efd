"""The replay's rules: the course of a day, the window, the step after a step."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from app.domain.replay import Cursor, day_path, next_cursor, play_window, split_close

DAYS = [date(2012, 1, 1) + timedelta(days=i) for i in range(400)]


def path(*prices):
    return [None if p is None else int(p) for p in day_path(*prices)]


def d(*numbers):
    return [None if n is None else Decimal(n) for n in numbers]


@pytest.mark.parametrize(
    ("bar", "course"),
    [
        ((10, 12, 9, 11), [10, 9, 12, 11]),  # the low is nearer to the open
        ((11, 12, 9, 10), [11, 12, 9, 10]),  # the high is nearer
        ((10, 11, 9, 10), [10, 9, 11, 10]),  # equally near: the low first
        ((9, 12, 9, 12), [9, 9, 12, 12]),  # the open is the low
        ((12, 12, 9, 9), [12, 12, 9, 9]),  # the open is the high
        ((5, 5, 5, 5), [5, 5, 5, 5]),
    ],
)
def test_a_day_goes_from_the_open_by_the_nearer_extreme_to_the_close(bar, course):
    assert path(*d(*bar)) == course


def test_what_is_not_known_is_not_made_up():
    assert path(*d(10, 12, 9, None)) == [None] * 4
    assert path(*d(None, 12, 9, 11)) == [None, None, None, 11]
    assert path(*d(10, None, 9, 11)) == [None, None, None, 11]


def test_a_close_before_a_split_is_put_on_the_new_basis():
    assert split_close(Decimal("88.99"), Decimal(2)) == Decimal("44.495")
    assert split_close(Decimal(10), Decimal(3)) == Decimal("3.333333")
    assert split_close(Decimal(10), Decimal(1) / Decimal(50)) == Decimal(500)
    assert split_close(Decimal("10.5"), Decimal(1)) == Decimal("10.5")


def test_the_last_250_days_are_played_with_at_least_one_before_them():
    assert play_window(DAYS) == DAYS[-250:]
    assert play_window(DAYS[:3]) == DAYS[1:3]
    assert play_window(DAYS[:1]) == []
    assert play_window([]) == []


def test_four_steps_make_a_day_and_the_last_day_is_followed_by_the_first():
    window = DAYS[10:13]
    cursor = None
    seen = []
    for _ in range(13):
        cursor = next_cursor(cursor, window)
        seen.append((window.index(cursor.day), cursor.step))
    assert seen == [(day, step) for day in range(3) for step in range(4)] + [(0, 0)]


def test_a_place_outside_the_window_leads_back_into_it():
    window = DAYS[10:13]
    assert next_cursor(Cursor(DAYS[5], 3), window) == Cursor(DAYS[10], 0)
    assert next_cursor(Cursor(DAYS[99], 3), window) == Cursor(DAYS[10], 0)
