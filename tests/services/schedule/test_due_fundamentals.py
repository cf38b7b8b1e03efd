"""Whose fundamentals are due: after the collection of the day, once for each session."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

import pytest
from sqlalchemy import text

from app.adapters.worker_sources import make_worker_sources
from app.env import Env
from app.services.schedule.due_fundamentals import list_due_fundamentals
from app.services.settings import choose_source
from tests.clocks import at
from tests.factories import make_bars, make_instrument, make_sessions, weekdays, with_order

FRIDAY = date(2013, 3, 1)
EVENING = "2013-03-01T21:30"


@pytest.fixture
async def worker(env: Env) -> Env:
    """Friday evening in New York: AAPL's day is stored, MSFT's not yet; a fund and an index."""
    await choose_source(env, "yahoo")
    await make_sessions(env, "XNAS", weekdays(date(2013, 2, 18), 15))
    for place, symbol in enumerate(("AAPL", "MSFT")):
        await make_instrument(env, symbol, position=place)
    await make_instrument(env, "QQQ", kind="ETF")
    await make_instrument(env, "^IXIC", kind="INDEX", mic="XNAS")
    for symbol in ("AAPL", "QQQ", "^IXIC"):
        await make_bars(env, symbol, [10, 11], start=date(2013, 2, 28), source="yahoo")
    await make_bars(env, "MSFT", [10], start=date(2013, 2, 28), source="yahoo")
    return replace(at(env, EVENING), sources=make_worker_sources(env.settings))


async def ask(env: Env, symbol: str, when: str) -> None:
    query = text("UPDATE instrument SET appraised_at = :at WHERE symbol = :symbol")
    async with env.db.write() as db:
        instant = datetime.fromisoformat(when + "+00:00")
        await db.execute(query, {"symbol": symbol, "at": instant})


async def test_companies_whose_day_is_stored_are_due_once(worker):
    assert await list_due_fundamentals(worker, 10) == ["AAPL"]
    await make_bars(worker, "MSFT", [10], start=FRIDAY, source="yahoo")
    assert await list_due_fundamentals(worker, 10) == ["AAPL", "MSFT"]
    assert await list_due_fundamentals(worker, 1) == ["AAPL"]
    await ask(worker, "AAPL", EVENING)
    assert await list_due_fundamentals(worker, 10) == ["MSFT"]


async def test_before_the_close_and_at_the_weekend_nothing_is_due(worker):
    for symbol in ("AAPL", "MSFT"):
        await ask(worker, symbol, "2013-02-28T21:30")
    assert await list_due_fundamentals(at(worker, "2013-03-01T20:00"), 10) == []
    await ask(worker, "AAPL", EVENING)
    assert await list_due_fundamentals(at(worker, "2013-03-03T12:00"), 10) == []


async def test_who_was_asked_in_the_morning_for_the_day_before_is_not_asked_twice(worker):
    await ask(worker, "AAPL", "2013-03-01T13:00")  # 08:00 in New York: the workers were away
    assert await list_due_fundamentals(worker, 10) == []


async def test_the_longest_not_asked_for_come_first(worker):
    await make_bars(worker, "MSFT", [10], start=FRIDAY, source="yahoo")
    await ask(worker, "AAPL", "2013-02-27T21:30")
    assert await list_due_fundamentals(worker, 10) == ["MSFT", "AAPL"]
    await ask(worker, "MSFT", "2013-02-28T21:30")
    assert await list_due_fundamentals(worker, 10) == ["AAPL", "MSFT"]


async def test_delisted_and_unwatched_companies_are_left_alone(worker):
    async with worker.db.write() as db:
        await db.execute(text("UPDATE instrument SET tracked = false WHERE symbol = 'AAPL'"))
    assert await list_due_fundamentals(worker, 10) == []
    async with worker.db.write() as db:
        change = "UPDATE instrument SET tracked = true, delisted_at = '2013-03-01'"
        await db.execute(text(change))
    assert await list_due_fundamentals(worker, 10) == []


async def test_only_a_live_installation_with_such_a_source_asks(worker):
    assert await list_due_fundamentals(with_order(worker, "XNAS=folder,yahoo;*=yfinance"), 10) == []
    async with worker.db.write() as db:
        await db.execute(text("UPDATE setting SET value = '\"sample\"'"))
    assert await list_due_fundamentals(worker, 10) == []
