"""When money settles: each sale on its day, less what later purchases have drawn."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from app.domain.portfolio.cash_days import settling_days


def day(number: int) -> date:
    return date(2026, 3, number)


@pytest.mark.parametrize(
    ("balance", "coming", "expected"),
    [
        (0, {}, {}),
        (500, {4: 500}, {4: 500}),
        (800, {4: 500, 5: 300}, {4: 500, 5: 300}),
        (100, {4: 500, 5: -400}, {4: 100}),  # a purchase of the next day has drawn on it
        (400, {4: 500, 5: 300, 6: -400}, {4: 400}),
        (800, {4: 500}, {2: 300, 4: 500}),  # due since this morning
        (-50, {4: -50}, {}),
    ],
)
def test_each_day_frees_what_stays(balance, coming, expected):
    amounts = {day(n): Decimal(amount) for n, amount in coming.items()}
    found = settling_days(Decimal(balance), amounts, day(2))
    assert found == [(day(n), Decimal(amount)) for n, amount in expected.items()]
    assert sum(amount for _, amount in found) == max(balance, 0)
