"""Trades that are written in without a settlement day get that of their market."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from app.domain.trading.tables import Market
from app.services.portfolio.settlement import read_settlement_days, settle
from tests.factories import make_sessions, weekdays
from tests.ledgers import read

FRIDAY = date(2026, 3, 6)


@pytest.fixture
async def sessions(env):
    days = weekdays(date(2026, 3, 2), 15)
    await make_sessions(env, "XKRX", [day for day in days if day.day != 9])  # closed on a Monday
    await make_sessions(env, "XNYS", days)
    return days


@pytest.mark.parametrize(
    ("words", "symbol", "day", "settles"),
    [
        ("SELL 1 A @ 100", "005930.KS", FRIDAY, date(2026, 3, 11)),
        ("BUY 1 A @ 100", "035720.KQ", FRIDAY, date(2026, 3, 11)),
        ("SELL 1 A @ 100", "AAPL", FRIDAY, date(2026, 3, 9)),
        ("DIVIDEND 9 A", "AAPL", FRIDAY, FRIDAY),
        ("SELL 1 A @ 100", "AAPL", date(2026, 3, 20), date(2026, 3, 20)),  # the calendar ends
        ("SELL 1 A @ 100", "AAPL", date(2026, 2, 27), date(2026, 2, 27)),  # and begins later
        ("SELL 1 A @ 100", "AAPL", date.max, date.max),
        ("SELL 1 A @ 100", "AAPL", date.min, date.min),
    ],
)
async def test_a_trade_settles_when_its_market_says(env, sessions, words, symbol, day, settles):
    entry = replace(read(words), symbol=symbol, day=day, settles_on=day)
    assert await settle(env, entry) == replace(entry, settles_on=settles)


async def test_all_days_of_each_market(env, sessions):
    days = await read_settlement_days(env)
    assert days[Market.US] == sessions
    assert days[Market.KOSPI] == days[Market.KOSDAQ] == [d for d in sessions if d.day != 9]
