"""The hours that are read from the table of sessions, and the currency market's own."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

from app.clock import Clock
from app.env import Env
from app.services.market.market_hours import load_hours
from tests.factories import make_sessions, weekdays


async def test_the_sessions_around_now_are_there_by_market(env: Env):
    days = weekdays(date(2025, 11, 3), 60)
    await make_sessions(env, "XNAS", days)
    await make_sessions(env, "XKRX", days, opens=0, closes=6)
    now = datetime(2026, 1, 5, 15, tzinfo=UTC)
    hours = await load_hours(replace(env, clock=Clock(start=now, rate=0)))
    assert hours.running("XNAS", now).day == date(2026, 1, 5)
    assert hours.running("XKRX", now) is None
    assert hours.before("XKRX", date(2026, 1, 5)).day == date(2026, 1, 2)
    assert hours.begun("XNAS", datetime(2025, 12, 16, 15, tzinfo=UTC)).day == date(2025, 12, 16)
    assert hours.begun("XNAS", datetime(2025, 12, 1, tzinfo=UTC)) is None
    assert not hours.knows("XNYS")


async def test_the_currency_market_trades_on_weekdays_of_london(env: Env):
    sunday = datetime(2026, 1, 4, 12, tzinfo=UTC)
    hours = await load_hours(replace(env, clock=Clock(start=sunday, rate=0)))
    assert hours.running("CCY", sunday) is None
    assert hours.expected_day("CCY", sunday) == date(2026, 1, 2)
    assert hours.running("CCY", datetime(2026, 1, 5, 12, tzinfo=UTC)).day == date(2026, 1, 5)
