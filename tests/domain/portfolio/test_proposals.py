"""Proposals: what a record lacks of the sources' splits and dividends, each found once."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from app.domain.portfolio.corporate_actions import Action
from app.domain.portfolio.proposals import propose
from app.domain.transactions import Entry, TransactionKind, make_trade

BOUGHT = make_trade(
    TransactionKind.BUY,
    "AAPL",
    Decimal(10),
    Decimal(100),
    "USD",
    day=date(2025, 1, 2),
    settles_on=date(2025, 1, 2),
)
FEBRUARY, MAY = date(2025, 2, 10), date(2025, 5, 12)


def paid(day: date, symbol: str = "AAPL", number: int = 1) -> Entry:
    currency = "USD" if symbol == "AAPL" else "KRW"
    return Entry(
        kind=TransactionKind.DIVIDEND,
        day=day,
        settles_on=day,
        symbol=symbol,
        currency=currency,
        amount=Decimal(2),
        id=number,
    )


def dividends(*days: date, symbol: str = "AAPL") -> list[Action]:
    return [Action(symbol, day, amount=Decimal(1)) for day in days]


def days_of(found: list[Entry]) -> list[date]:
    return [entry.day for entry in found]


def test_what_is_lacking_is_proposed_with_what_a_split_changes():
    split = Action("AAPL", date(2025, 3, 3), numerator=Decimal(4), denominator=Decimal(1))
    found = propose([BOUGHT], [*dividends(FEBRUARY, MAY), split], ())
    assert [(e.kind.value, e.quantity, e.amount, e.tax) for e in found] == [
        ("DIVIDEND", 10, 10, Decimal("1.50")),
        ("SPLIT", 30, 0, 0),
        ("DIVIDEND", 40, 40, 6),
    ]


@pytest.mark.parametrize(
    ("recorded", "proposed"),
    [
        ([FEBRUARY], [MAY]),
        ([date(2025, 2, 13)], [MAY]),  # on its pay-day
        ([date(2025, 5, 15)], [FEBRUARY]),  # too late for February's
        ([date(2025, 2, 13), date(2025, 5, 15)], []),
        ([date(2025, 2, 13), date(2025, 2, 14)], [MAY]),  # one ex-day has one dividend
    ],
)
def test_a_dividend_of_the_statement_stands_on_its_pay_day(recorded, proposed):
    entries = [BOUGHT, *(paid(day, number=n) for n, day in enumerate(recorded, 5))]
    assert days_of(propose(entries, dividends(FEBRUARY, MAY), ())) == proposed


def test_a_korean_dividend_of_december_is_paid_in_april():
    held = replace(BOUGHT, symbol="005930.KS", currency="KRW", day=date(2024, 1, 2))
    ex_days = (date(2024, 12, 27), date(2025, 3, 28))
    actions = dividends(*ex_days, symbol="005930.KS")
    once = [held, paid(date(2025, 4, 18), "005930.KS")]
    assert days_of(propose(once, actions, ())) == [ex_days[1]]
    both = [*once, paid(date(2025, 5, 20), "005930.KS", 2)]
    assert propose(both, actions, ()) == []


def test_a_split_may_be_some_days_off_and_what_was_decided_stays_away():
    split = Action("AAPL", date(2025, 3, 3), numerator=Decimal(4), denominator=Decimal(1))
    written = Entry(
        kind=TransactionKind.SPLIT,
        day=date(2025, 3, 5),
        settles_on=date(2025, 3, 5),
        symbol="AAPL",
        quantity=Decimal(30),
        numerator=Decimal(4),
        denominator=Decimal(1),
    )
    assert propose([BOUGHT, written], [split], ()) == []
    assert len(propose([BOUGHT, replace(written, day=date(2025, 4, 5))], [split], ())) == 1
    assert propose([BOUGHT], [split], {split.key}) == []
