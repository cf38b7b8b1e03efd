"""A caller's points: they fill within a minute, and what is missing says how long to wait."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app.errors import RateLimited
from app.graphql.budget import MANY, Budget

NOW = datetime(2026, 1, 5, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def test_what_is_there_may_be_spent():
    budget = Budget(100)
    budget.spend("a", 60, NOW)
    budget.spend("a", 40, NOW)
    with pytest.raises(RateLimited):
        budget.spend("a", 1, NOW)


def test_a_refusal_takes_nothing_and_says_when_to_try_again():
    budget = Budget(60)
    budget.spend("a", 50, NOW)
    with pytest.raises(RateLimited) as refused:
        budget.spend("a", 40, NOW)
    assert refused.value.retry_after == 30.0
    assert str(refused.value) == ("The document costs 40 points; 10 are left in this minute.")
    budget.spend("a", 10, NOW)


def test_points_come_back_evenly_and_never_more_than_a_minute_holds():
    budget = Budget(60)
    budget.spend("a", 60, NOW)
    budget.spend("a", 30, after(30))
    with pytest.raises(RateLimited):
        budget.spend("a", 61, after(10_000))
    budget.spend("a", 60, after(10_000))


def test_each_caller_has_its_own():
    budget = Budget(10)
    budget.spend("a", 10, NOW)
    budget.spend("b", 10, NOW)


def test_a_clock_that_goes_back_gives_nothing():
    budget = Budget(60)
    budget.spend("a", 60, NOW)
    with pytest.raises(RateLimited):
        budget.spend("a", 1, after(-3600))


def test_callers_who_owe_nothing_are_forgotten():
    budget = Budget(60)
    for i in range(MANY + 1):
        budget.spend(f"caller {i}", 1, NOW)
    budget.spend("late", 60, after(120))
    assert len(budget._accounts) == 1
